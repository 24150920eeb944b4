/// What a trace is told of one exchange: a span of its own, and one for each attempt at the provider.
///
/// Nothing of it is a header's value, a query, content or a secret.
package struct CallSpan: Sendable {
    package typealias Source = CallRecord.Source

    /// One sending of the request over one connection.
    package struct Attempt: Sendable {
        /// Its id, which the provider got as the parent of its own spans.
        package var span: UInt64
        package var start: MonotonicTime
        package var end: MonotonicTime
        /// Nil when no answer came.
        package var status: Int?
        /// Why none came, or none that could be relayed.
        package var failure: FailureKind?

        package init(span: UInt64, start: MonotonicTime, end: MonotonicTime) {
            self.span = span
            self.start = start
            self.end = end
        }
    }

    /// What of a span is the same for all calls of a provider; shared, so that a span costs no copies of it.
    package final class Place: Sendable {
        /// Empty for a request that led nowhere.
        package let provider: String
        package let route: String
        let upstream: UpstreamURL?

        package init(_ provider: ProviderSettings) {
            self.provider = provider.name
            route = provider.route
            upstream = provider.upstream
        }

        private init() {
            provider = ""
            route = ""
            upstream = nil
        }

        package static let nowhere = Place()
    }

    /// The exchange's own span.
    package var context: TraceContext
    /// The client's span; 0 for none.
    package var parent: UInt64
    package var place: Place
    /// Empty for none.
    package var category = ""
    package var method: String
    /// Without query; the route is its beginning.
    package var path: String
    package var start: MonotonicTime
    package var end: MonotonicTime
    /// What the client was answered; nil when it was not.
    package var status: Int?
    package var source = Source.provider
    /// Why the answer was made here, or cut short.
    package var failure: FailureKind?
    /// The provider's own number for the request.
    package var requestID: String?
    package var attempts: [Attempt] = []

    /// Bytes of a path and of a method that are kept.
    package static let pathBytesMax = 512
    package static let methodBytesMax = 32
    /// Attempts that are kept: more than are ever made.
    package static let attemptsMax = 8

    /// `method` and `path` are the request's, as they came.
    package init(
        _ context: TraceContext, parent: UInt64, place: Place, method: Span<UInt8>, path: Span<UInt8>,
        start: MonotonicTime, end: MonotonicTime
    ) {
        self.context = context
        self.parent = parent
        self.place = place
        self.method = Self.text(method, bytesMax: Self.methodBytesMax)
        self.path = Self.text(path, bytesMax: Self.pathBytesMax)
        self.start = start
        self.end = end
    }

    private static func text(_ bytes: Span<UInt8>, bytesMax: Int) -> String {
        bytes.extracting(0..<min(bytes.count, bytesMax)).withUnsafeBufferPointer {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
