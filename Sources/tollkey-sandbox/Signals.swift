import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Waits for SIGINT or SIGTERM. Made before anything is started, so that no signal is missed.
// SAFETY: nothing changes after `init`, and the sources are only kept alive.
final class Signals: @unchecked Sendable {
    private static let numbers = [SIGINT, SIGTERM]

    private let arrivals: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (arrivals, continuation) = AsyncStream.makeStream(
            of: Int32.self, bufferingPolicy: .bufferingOldest(1))
        self.arrivals = arrivals
        let queue = DispatchQueue(label: "tollkey-sandbox.signals")
        sources = Self.numbers.map { number in
            // Ignored by disposition: the source sees it all the same, and the process is not ended by it.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }

    func wait() async {
        for await _ in arrivals { return }
    }
}
