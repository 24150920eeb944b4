import Synchronization
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Calls side by side, and their end.
    struct CallClientTests {
        /// Replies, in the order of their coming, by the number of the call.
        private final class Replies: Sendable {
            let all = Mutex<[(number: Int, result: Result<CallAnswer, CallFault>)]>([])
            let gate: AsyncStream<Void>
            private let opened: AsyncStream<Void>.Continuation

            init() { (gate, opened) = AsyncStream.makeStream() }

            func reply(_ number: Int) -> CallClient.Reply {
                { [self] result in
                    all.withLock { $0.append((number, result)) }
                    opened.yield()
                }
            }

            func wait(for count: Int) async {
                var left = count
                for await _ in gate {
                    left -= 1
                    if left == 0 { return }
                }
            }
        }

        @Test func `a call that is handed in is answered once, on another thread`() async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let replies = Replies()
                for number in 0..<3 {
                    client.submit(.plain(upstream.port), reply: replies.reply(number))
                    let connection = try upstream.accept()
                    _ = try connection.request()
                    try connection.send(ok("\(number)"))
                    await replies.wait(for: 1)
                }
                let texts = try replies.all.withLock { try $0.map { try $0.result.get().content.text } }
                #expect(texts == ["0", "1", "2"])
            }
        }

        @Test func `eight run, so many wait, one more is refused, and 'close' answers them all`() async throws
        {
            let client = try CallClient()
            let upstream = try RawUpstream()
            let replies = Replies()
            let call = OutgoingCall.plain(upstream.port)
            for number in 0..<CallClient.threadsMax { client.submit(call, reply: replies.reply(number)) }
            let connections = try (0..<CallClient.threadsMax).map { _ in
                let connection = try upstream.accept()
                _ = try connection.request()
                return connection
            }
            let most = CallClient.threadsMax + CallClient.queueMax
            for number in CallClient.threadsMax..<most { client.submit(call, reply: replies.reply(number)) }
            #expect(replies.all.withLock { $0.count } == 0)
            client.submit(call, reply: replies.reply(most))
            let refused = try #require(replies.all.withLock { $0.first })
            #expect(try refused.number == most && fault(of: refused.result).kind == .busy)
            #expect(try !fault(of: refused.result).wasSent)

            client.close()
            let all = replies.all.withLock { $0 }
            #expect(all.map(\.number).sorted() == Array(0...most))
            for (number, result) in all where number != most {
                let fault = try fault(of: result)
                #expect(fault.kind == .cancelled && fault.wasSent == (number < CallClient.threadsMax))
            }
            for connection in connections { #expect(try connection.hasEnded()) }
            #expect(!upstream.hasCaller)
        }

        @Test func `'close' ends a call on a thread of the caller's too`() async throws {
            let client = try CallClient()
            let upstream = try RawUpstream()
            let outcome = try aside(client, .secure(upstream.port, ca: nil))
            let connection = try upstream.accept()
            client.close()
            let fault = try fault(of: outcome.value())
            #expect(fault.kind == .cancelled && !fault.wasSent)
            _ = try connection.rest()
        }

        @Test func `a closed client makes no calls`() async throws {
            let client = try CallClient()
            client.close()
            client.close()
            let upstream = try RawUpstream()
            let replies = Replies()
            client.submit(.plain(upstream.port), reply: replies.reply(0))
            let refused = try #require(replies.all.withLock { $0.first })
            #expect(try fault(of: refused.result).kind == .cancelled)
            #expect(try fault(of: client.perform(.plain(upstream.port))).kind == .cancelled)
            #expect(!upstream.hasCaller)
        }

        @Test func `a client leaves no descriptor`() async throws {
            let upstream = try RawUpstream(listens: false)
            let before = ProcessFacts.descriptors()
            for _ in 0..<3 {
                let client = try CallClient()
                let replies = Replies()
                for number in 0..<20 { client.submit(.plain(upstream.port), reply: replies.reply(number)) }
                await replies.wait(for: 20)
                client.close()
            }
            // The last thread to end lets go of the client, which nobody is told.
            var left = ["?"]
            for _ in 0..<1_000 where !left.isEmpty {
                await Task.yield()
                left = ProcessFacts.descriptors()
                for known in before { left.firstIndex(of: known).map { _ = left.remove(at: $0) } }
            }
            #expect(left == [])
        }
    }
}
