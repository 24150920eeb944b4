import Logging
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct SpanExporterTests {
        /// An exporter, a collector that the test plays, and a clock that it moves.
        private final class Stage: Sendable {
            let collector: RawUpstream
            let hands = ManualClock()
            let book = LogBook()
            let exporter: SpanExporter

            init(listens: Bool = true, _ change: (inout TraceSettings) -> Void = { _ in }) throws {
                collector = try RawUpstream(listens: listens)
                var settings = TraceSettings(
                    endpoint: UpstreamURL(
                        scheme: .http, host: "127.0.0.1", port: collector.port, basePath: "/v1/traces"))
                change(&settings)
                let book = book
                exporter = try SpanExporter(
                    settings, version: "0.1.0", instance: "test", clock: hands.clock,
                    logger: Logger(label: "t") { _ in book })
                try #require(exporter.start())
            }

            /// Calls, numbered by their paths.
            func export(_ numbers: Range<Int>) {
                for number in numbers {
                    exporter.export(
                        CallSpan(
                            .root(1, UInt64(number + 1), span: 7, isSampled: true), parent: 0,
                            place: .nowhere,
                            method: Array("GET".utf8).span, path: Array("/\(number)".utf8).span,
                            start: hands.now(), end: hands.now()))
                }
            }

            /// What is said of the last answer is said before the clock moves.
            func tick(_ span: Duration = .seconds(5)) {
                exporter.waitForTurn()
                hands.advance(by: span)
                exporter.wake()
            }

            /// Answers the next request, and tells what it brought.
            func take(_ answer: String = ok("{}")) throws -> Message {
                let connection = try collector.accept()
                let request = try connection.request()
                try connection.send(answer)
                _ = try connection.hasEnded()
                return request
            }
        }

        private func paths(_ request: Message) throws -> [String] {
            let whole = try JSONValue(request.body)
            let path: [AnswerPlace.Step] = [
                .member("resourceSpans"), .element(0), .member("scopeSpans"), .element(0), .member("spans"),
            ]
            guard case .array(let spans) = try #require(whole.value(at: path)) else { return [] }
            return try spans.map {
                let path: [AnswerPlace.Step] = [
                    .member("attributes"), .element(1), .member("value"), .member("stringValue"),
                ]
                return try #require($0.value(at: path)?.text)
            }
        }

        @Test func `spans go out together after five seconds`() throws {
            let stage = try Stage { $0.headers = ["X-Key": Secret(canary), "content-type": Secret("x")] }
            stage.export(0..<3)
            stage.tick()
            let request = try stage.take()
            #expect(request.startLine == "POST /v1/traces HTTP/1.1")
            #expect(request.values(of: "Content-Type") == ["application/json"])
            #expect(request.values(of: "X-Key") == [canary] && request.value(of: "User-Agent") == "tollkey")
            #expect(try paths(request) == ["/0", "/1", "/2"])
            #expect(try JSONValue(request.body).value(at: Self.resource)?.text == "tollkey")
            stage.exporter.close()
            #expect(stage.exporter.exported == 3 && stage.exporter.dropped == 0 && stage.book.lines == [])
        }

        private static let resource: [AnswerPlace.Step] = [
            .member("resourceSpans"), .element(0), .member("resource"), .member("attributes"), .element(0),
            .member("value"), .member("stringValue"),
        ]

        @Test func `times are the wall clock's`() throws {
            let stage = try Stage()
            stage.export(0..<1)
            stage.tick()
            let whole = try JSONValue(try stage.take().body)
            let path: [AnswerPlace.Step] = [
                .member("resourceSpans"), .element(0), .member("scopeSpans"), .element(0), .member("spans"),
                .element(0), .member("startTimeUnixNano"),
            ]
            #expect(whole.value(at: path)?.text == "\((stage.hands.seconds - 5) * 1_000_000_000)")
            stage.exporter.close()
        }

        @Test func `a full batch waits for no clock, and is no larger than may be`() throws {
            let stage = try Stage()
            stage.export(0..<SpanExporter.batchMax)
            let request = try stage.take()
            #expect(try paths(request).count == SpanExporter.batchMax)
            stage.exporter.close()
            #expect(stage.exporter.exported == SpanExporter.batchMax)
        }

        @Test func `what does not fit is dropped and counted`() throws {
            let stage = try Stage()
            stage.export(0..<SpanExporter.batchMax)
            let connection = try stage.collector.accept()
            let first = try connection.request()
            stage.export(512..<512 + SpanExporter.queueMax + 7)
            #expect(stage.exporter.dropped == 7)
            try connection.send(ok("{}"))
            var all = try paths(first)
            for _ in 0..<4 { all += try paths(try stage.take()) }
            #expect(all == (0..<512 + SpanExporter.queueMax).map { "/\($0)" })
            stage.exporter.close()
            #expect(stage.exporter.dropped == 7 && stage.exporter.exported == all.count)
        }

        @Test func `a collector that is away is tried again, and named once`() throws {
            let stage = try Stage { $0.headers = ["Authorization": Secret("Bearer \(canary)")] }
            stage.export(0..<1)
            stage.tick()
            #expect(
                try paths(try stage.take("HTTP/1.1 503 x\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"))
                    == ["/0"])
            stage.export(1..<2)
            stage.tick(.seconds(3))
            _ = try stage.take("HTTP/1.1 429 x\r\nContent-Length: 0\r\n\r\n")
            stage.tick(.seconds(2))
            #expect(try paths(try stage.take()) == ["/0"])
            stage.tick()
            #expect(try paths(try stage.take()) == ["/1"])
            stage.exporter.close()
            #expect(stage.exporter.exported == 2 && stage.exporter.dropped == 0)
            #expect(
                stage.book.lines == [
                    "warning the collector does not take spans reason=it answers 503",
                    "notice the collector takes spans again ",
                ])
        }

        @Test func `a batch that is refused is lost`() throws {
            let stage = try Stage()
            stage.export(0..<2)
            stage.tick()
            _ = try stage.take("HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n")
            stage.export(2..<3)
            stage.tick()
            #expect(try paths(try stage.take()) == ["/2"])
            stage.exporter.close()
            #expect(stage.exporter.exported == 1 && stage.exporter.dropped == 2)
            #expect(stage.book.lines.first?.hasSuffix("reason=it answers 401") == true)
        }

        @Test func `spans that a collector rejects are counted`() throws {
            let stage = try Stage()
            stage.export(0..<3)
            stage.tick()
            _ = try stage.take(ok(#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"\#(canary)"}}"#))
            stage.exporter.close()
            #expect(stage.exporter.exported == 1 && stage.exporter.dropped == 2)
            #expect(
                stage.book.lines == ["warning the collector does not take spans reason=it rejects 2 of them"])
        }

        @Test func `closing sends what waits`() throws {
            let stage = try Stage()
            stage.export(0..<700)
            let first = try stage.take()
            let closing = try Aside { stage.exporter.close() }
            let last = try stage.take()
            try closing.value()
            #expect(try paths(first).count == 512)
            #expect(try paths(last).count == 188)
            stage.export(0..<1)
            stage.exporter.close()
            #expect(stage.exporter.exported == 700 && stage.exporter.dropped == 1)
        }

        @Test func `closing waits for a silent collector no longer than two seconds`() throws {
            let stage = try Stage()
            stage.export(0..<512)
            let connection = try stage.collector.accept()
            _ = try connection.request()
            stage.export(512..<600)
            let before = ContinuousClock.now
            stage.exporter.close()
            #expect(ContinuousClock.now - before < .seconds(8))
            #expect(stage.exporter.dropped == 600 && stage.exporter.exported == 0)
        }

        @Test func `closing gives up where nobody listens`() throws {
            let stage = try Stage(listens: false)
            stage.export(0..<5)
            stage.exporter.close()
            #expect(stage.exporter.dropped == 5 && stage.book.lines.count == 1)
        }

        @Test func `any thread may export`() throws {
            let stage = try Stage(listens: false)
            let threads = try (0..<4).map { _ in try Aside { stage.export(0..<2_000) } }
            for thread in threads { try thread.value() }
            stage.exporter.close()
            #expect(stage.exporter.dropped == 8_000)
        }

        @Test func `without spans nobody is called`() throws {
            let stage = try Stage()
            stage.tick()
            stage.tick()
            stage.exporter.close()
            #expect(!stage.collector.hasCaller && stage.book.lines == [])
        }
    }
}
