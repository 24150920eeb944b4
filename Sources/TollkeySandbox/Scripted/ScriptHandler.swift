import NIOCore

/// One connection of a `ScriptedUpstream`: keeps what arrives and goes through its script as far as it can.
final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let headEnd = Array("\r\n\r\n".utf8)

    private var steps: ArraySlice<ScriptedUpstream.Step>
    private let number: Int
    private let state: Watched<ScriptedUpstream.State>
    private let tap: WireTap
    /// What arrived and no step has consumed.
    private var unread: [UInt8] = []

    init(
        script: [ScriptedUpstream.Step], number: Int, state: Watched<ScriptedUpstream.State>, tap: WireTap
    ) {
        steps = script[...]
        self.number = number
        self.state = state
        self.tap = tap
    }

    func channelActive(context: ChannelHandlerContext) {
        advance(context: context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = unwrapInboundIn(data).readableBytesView
        if unread.count < ScriptedUpstream.receivedBytesMax { unread.append(contentsOf: piece) }
        state.update { state in
            let space = ScriptedUpstream.receivedBytesMax - state.connections[number].bytes.count
            state.connections[number].bytes.append(contentsOf: piece.prefix(space))
            state.connections[number].byteCount += piece.count
        }
        advance(context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        steps = []
        state.update { state in
            state.connections[number].isFinished = true
            state.connections[number].isClosed = true
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tap.closeNow(isReset: false)
    }

    private func advance(context: ChannelHandlerContext) {
        while let step = steps.first {
            guard perform(step, context: context) else { return }
            steps = steps.dropFirst()
        }
        state.update { $0.connections[number].isFinished = true }
    }

    /// - Returns: false when the step waits for more bytes, or for ever
    private func perform(_ step: ScriptedUpstream.Step, context: ChannelHandlerContext) -> Bool {
        switch step {
        case .expect(let text): return consume(through: Array(text.utf8))
        case .readHead: return consume(through: Self.headEnd)
        case .readBytes(let count):
            guard unread.count >= count else { return false }
            unread.removeFirst(count)
        case .send(let bytes):
            context.writeAndFlush(
                wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
        case .close: context.close(promise: nil)
        case .reset: tap.closeNow(isReset: true)
        case .stall: return false
        }
        return true
    }

    private func consume(through text: [UInt8]) -> Bool {
        guard let range = unread.firstRange(of: text) else { return false }
        unread.removeFirst(range.upperBound)
        return true
    }
}
