import Testing
import TollkeyCore

struct SpanJSONTests {
    private let json = SpanJSON(version: "1.2.3", instance: "box-7")
    private let place = CallSpan.Place(
        acme(.https, "api.acme.test", base: "/v2") { $0.route = "/pay/acme" })

    private func time(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    private func call(
        _ method: String = "POST", _ path: String = "/pay/acme/payments", root: Bool = false,
        _ change: (inout CallSpan) -> Void = { _ in }
    ) -> CallSpan {
        let client = TraceContext(bytes("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").span)
        let context = root ? nil : client?.child(span: 0xc)
        var span = CallSpan(
            context ?? .root(1, 2, span: 0xc, isSampled: true),
            parent: root ? 0 : client?.span ?? 0, place: place, method: bytes(method).span,
            path: bytes(path).span, start: time(1_000), end: time(5_000))
        change(&span)
        return span
    }

    private func spans(_ calls: CallSpan...) throws -> [JSONValue] {
        let whole = try JSONValue(json.request(calls, origin: 1_800_000_000_000_000_000))
        let path: [AnswerPlace.Step] = [
            .member("resourceSpans"), .element(0), .member("scopeSpans"), .element(0), .member("spans"),
        ]
        guard case .array(let spans) = try #require(whole.value(at: path)) else { return [] }
        return spans
    }

    /// Keys and values; a number as one.
    private func attributes(_ span: JSONValue) throws -> [String: String] {
        guard case .array(let list) = try #require(span.value(at: [.member("attributes")])) else {
            return [:]
        }
        var all: [String: String] = [:]
        for entry in list {
            let key = try #require(entry.value(at: [.member("key")])?.text)
            let text = entry.value(at: [.member("value"), .member("stringValue")])?.text
            let number = entry.value(at: [.member("value"), .member("intValue")])?.text
            #expect((text == nil) != (number == nil))
            #expect(all.updateValue(text ?? number ?? "", forKey: key) == nil, "\(key) twice")
        }
        return all
    }

    private func isError(_ span: JSONValue) -> Bool {
        span.value(at: [.member("status"), .member("code")])?.text == "2"
    }

    @Test func `a call and its attempt, to the byte`() {
        let call = call {
            $0.category = "payments"
            $0.status = 201
            $0.requestID = "req_1"
            var attempt = CallSpan.Attempt(span: 0xa, start: time(2_000), end: time(4_000))
            attempt.status = 201
            $0.attempts = [attempt]
        }
        let expected = """
            {"resourceSpans":[{"resource":{"attributes":[\
            {"key":"service.name","value":{"stringValue":"tollkey"}},\
            {"key":"service.version","value":{"stringValue":"1.2.3"}},\
            {"key":"service.instance.id","value":{"stringValue":"box-7"}}]},\
            "scopeSpans":[{"scope":{"name":"tollkey","version":"1.2.3"},"spans":[\
            {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"000000000000000c",\
            "parentSpanId":"b7ad6b7169203331","flags":769,"name":"POST /pay/acme","kind":2,\
            "startTimeUnixNano":"1800000000000001000","endTimeUnixNano":"1800000000000005000","attributes":[\
            {"key":"http.request.method","value":{"stringValue":"POST"}},\
            {"key":"url.path","value":{"stringValue":"/pay/acme/payments"}},\
            {"key":"url.scheme","value":{"stringValue":"http"}},\
            {"key":"http.route","value":{"stringValue":"/pay/acme"}},\
            {"key":"http.response.status_code","value":{"intValue":"201"}},\
            {"key":"tollkey.provider","value":{"stringValue":"acme"}},\
            {"key":"tollkey.category","value":{"stringValue":"payments"}},\
            {"key":"tollkey.source","value":{"stringValue":"provider"}},\
            {"key":"tollkey.provider_request_id","value":{"stringValue":"req_1"}}],"status":{}},\
            {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"000000000000000a",\
            "parentSpanId":"000000000000000c","flags":257,"name":"POST","kind":3,\
            "startTimeUnixNano":"1800000000000002000","endTimeUnixNano":"1800000000000004000","attributes":[\
            {"key":"http.request.method","value":{"stringValue":"POST"}},\
            {"key":"server.address","value":{"stringValue":"api.acme.test"}},\
            {"key":"server.port","value":{"intValue":"443"}},\
            {"key":"url.full","value":{"stringValue":"https://api.acme.test/v2/payments"}},\
            {"key":"http.response.status_code","value":{"intValue":"201"}},\
            {"key":"tollkey.provider","value":{"stringValue":"acme"}},\
            {"key":"tollkey.category","value":{"stringValue":"payments"}},\
            {"key":"tollkey.source","value":{"stringValue":"provider"}}],"status":{}}]}]}]}
            """
        #expect(text(json.request([call], origin: 1_800_000_000_000_000_000)) == expected)
    }

    @Test func `a trace that begins here has no parent`() throws {
        let span = try spans(call(root: true))[0]
        #expect(span.value(at: [.member("parentSpanId")]) == nil)
        #expect(span.value(at: [.member("traceId")])?.text == "00000000000000010000000000000002")
        #expect(span.value(at: [.member("flags")])?.text == "257")
    }

    @Test func `attempts are numbered, and say why they failed`() throws {
        let call = call {
            $0.status = 200
            var lost = CallSpan.Attempt(span: 1, start: time(1), end: time(2))
            lost.failure = .upstreamBroke
            var refused = CallSpan.Attempt(span: 2, start: time(2), end: time(3))
            refused.status = 401
            var good = CallSpan.Attempt(span: 3, start: time(3), end: time(4))
            good.status = 200
            $0.attempts = [lost, refused, good]
        }
        let all = try spans(call)
        #expect(all.count == 4 && all.map(isError) == [false, true, true, false])
        let attributes = try all.map(attributes)
        #expect(
            attributes.map { $0["http.request.resend_count"] } == [nil, nil, "1", "2"]
                && attributes.map { $0["error.type"] } == [nil, "upstream-broke", "401", nil]
                && attributes.map { $0["http.response.status_code"] } == ["200", nil, "401", "200"])
    }

    /// Of a server span only what is the server's fault is an error; of a client span every status from 400 on.
    @Test(
        arguments: [
            (200, nil, false, nil), (404, nil, false, nil), (500, nil, true, "500"),
            (502, .upstreamTLS, true, "upstream-tls"), (429, .rateLimited, true, "rate-limited"),
            (403, .notAllowed, false, "not-allowed"), (nil, nil, false, nil),
            (nil, .upstreamBroke, true, "upstream-broke"),
        ] as [(Int?, FailureKind?, Bool, String?)])
    func `an error is one by the conventions`(
        _ status: Int?, _ failure: FailureKind?, _ isError: Bool, _ type: String?
    ) throws {
        let span = try spans(
            call {
                $0.status = status
                $0.failure = failure
            })[0]
        #expect(self.isError(span) == isError)
        let attributes = try attributes(span)
        #expect(attributes["error.type"] == type)
        #expect(attributes["http.response.status_code"] == status.map { "\($0)" })
    }

    @Test func `a method that nobody knows makes no name`() throws {
        let span = try spans(call("BREW"))[0]
        #expect(span.value(at: [.member("name")])?.text == "HTTP /pay/acme")
        let attributes = try attributes(span)
        #expect(attributes["http.request.method"] == "_OTHER")
        #expect(attributes["http.request.method_original"] == "BREW")
    }

    @Test func `a request that led nowhere has neither route nor provider's address`() throws {
        let span = try spans(
            call("GET", "/x") {
                $0.place = .nowhere
                $0.source = .tollkey
                $0.failure = .noRoute
                $0.status = 404
            })[0]
        #expect(span.value(at: [.member("name")])?.text == "GET")
        let attributes = try attributes(span)
        #expect(attributes["http.route"] == nil && attributes["tollkey.provider"] == "")
        #expect(attributes["tollkey.source"] == "tollkey")
    }

    @Test func `text is escaped, and cut where it could be anything`() throws {
        let path = "/pay/acme/\"\\" + String(repeating: "x", count: 600)
        let span = call(String(repeating: "M", count: 40), path)
        let attributes = try attributes(try spans(span)[0])
        #expect(attributes["url.path"] == String(path.prefix(CallSpan.pathBytesMax)))
        #expect(attributes["http.request.method_original"]?.count == CallSpan.methodBytesMax)
    }

    @Test func `a span never ends before it begins`() throws {
        let span = try spans(call { $0.end = time(0) })[0]
        #expect(span.value(at: [.member("endTimeUnixNano")])?.text == "1800000000000001000")
    }

    @Test func `spans of several calls are one list`() throws {
        #expect(try spans(call(), call(), call()).count == 3)
        #expect(try spans().isEmpty)
    }

    @Test(arguments: [
        ("", 0), ("{}", 0), (#"{"partialSuccess":{}}"#, 0), ("nonsense", 0),
        (#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#, 3),
        (#"{"partialSuccess":{"rejectedSpans":2}}"#, 2), (#"{"partialSuccess":{"rejectedSpans":-2}}"#, 0),
    ])
    func `a collector may take a part`(_ content: String, _ rejected: Int) {
        #expect(ExportAnswer(bytes(content)).rejected == rejected)
    }
}
