import NIOCore
import NIOHTTP1

/// A request while it arrives.
struct Arrival {
    /// Enough for every documented body; what is longer is counted, not kept.
    static let bodyBytesKept = 64 * 1_024

    let head: HTTPRequestHead
    let fault: Fault?
    private(set) var body: [UInt8] = []
    private(set) var bodyBytes: Int64 = 0
    var trailers: HTTPHeaders?

    init(head: HTTPRequestHead, fault: Fault?) {
        self.head = head
        self.fault = fault
    }

    mutating func add(_ piece: ByteBuffer) {
        bodyBytes += Int64(piece.readableBytes)
        body.append(contentsOf: piece.readableBytesView.prefix(Self.bodyBytesKept - body.count))
    }

    func call(basePath: String) -> Call? {
        Call(head: head, body: body, bodyBytes: bodyBytes, basePath: basePath)
    }

    func recorded(
        provider: Provider, connection: Int, isResumed: Bool, isComplete: Bool
    ) -> RecordedRequest {
        RecordedRequest(
            provider: provider, connection: connection, isResumed: isResumed,
            method: head.method.rawValue, target: head.uri,
            headers: head.headers.map { HeaderLine(name: $0.name, value: $0.value) },
            trailers: (trailers ?? [:]).map { HeaderLine(name: $0.name, value: $0.value) },
            bodyBytes: bodyBytes, bodyPrefix: Array(body.prefix(RecordedRequest.bodyPrefixBytesMax)),
            isComplete: isComplete)
    }
}
