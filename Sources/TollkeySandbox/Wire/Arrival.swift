import NIOCore
import NIOHTTP1

/// A request while it arrives.
struct Arrival {
    /// Enough for every documented body; what is longer is counted, not kept.
    static let bodyBytesKept = 64 * 1_024
    /// The same where all of it is signed.
    static let signedBodyBytesKept = 16 * 1_024 * 1_024

    let head: HTTPRequestHead
    let fault: Fault?
    private let isSigned: Bool
    private(set) var body: [UInt8] = []
    private(set) var bodyBytes: Int64 = 0
    var trailers: HTTPHeaders?

    init(head: HTTPRequestHead, fault: Fault?, isSigned: Bool) {
        self.head = head
        self.fault = fault
        self.isSigned = isSigned
    }

    mutating func add(_ piece: ByteBuffer) {
        bodyBytes += Int64(piece.readableBytes)
        let kept = isSigned ? Self.signedBodyBytesKept : Self.bodyBytesKept
        body.append(contentsOf: piece.readableBytesView.prefix(kept - body.count))
    }

    func call(basePath: String) -> Call? {
        Call(head: head, body: body, bodyBytes: bodyBytes, basePath: basePath)
    }

    func recorded(
        by stage: Stage, port: Int, connection: Int, isResumed: Bool, isComplete: Bool
    ) -> RecordedRequest {
        RecordedRequest(
            provider: stage.provider, port: port, connection: connection, isResumed: isResumed,
            method: head.method.rawValue, target: head.uri,
            headers: head.headers.map { HeaderLine(name: $0.name, value: $0.value) },
            trailers: (trailers ?? [:]).map { HeaderLine(name: $0.name, value: $0.value) },
            bodyBytes: bodyBytes, bodyPrefix: Array(body.prefix(RecordedRequest.bodyPrefixBytesMax)),
            isComplete: isComplete,
            tokenCall: call(basePath: stage.basePath).flatMap(stage.play.tokenCall))
    }
}
