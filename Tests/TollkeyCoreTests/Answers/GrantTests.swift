import Testing
import TollkeyCore

struct GrantTests {
    @Test func `token, refresh token and further values are taken out`() throws {
        let settings = usual {
            $0.values = [
                .init(name: "url", place: .member("instance", "url")),
                .init(name: "id", place: .header("x-id")),
                .init(name: "live", place: .member("live")),
            ]
        }
        let content = #"{"access":"A","refresh":"R","expires_in":60,"instance":{"url":"u"},"live":true}"#
        let grant = try grant(answer(201, content, [("x-id", "7")]), settings)
        #expect(grant.token.shown == "A")
        #expect(grant.refreshToken?.shown == "R")
        #expect(grant.values.mapValues(\.shown) == ["url": "u", "id": "7", "live": "true"])
        #expect(grant.life == .seconds(60))
        #expect(grant.expires == asked + .seconds(60))
        #expect(grant.refreshExpires == nil)
        #expect(grant.notes == [])
    }

    @Test func `a token may stand in a header field, be the content, or be a number`() throws {
        let inField = try grant(
            answer(200, "", [("x-token", "A b")]), ReadSettings(token: .header("x-token")))
        #expect(inField.token.shown == "A b")
        #expect(try grant(answer(200, "A\r\n"), ReadSettings(token: .content)).token.shown == "A")
        #expect(try grant(answer(200, #"{"access":123}"#)).token.shown == "123")
    }

    @Test(
        arguments: [
            ("", .empty), (" ", .notJSON(.malformed(at: 1))), ("<html>x</html>", .notJSON(.malformed(at: 0))),
            ("{}", .missing), ("[]", .missing), ("null", .missing), (#"{"access":null}"#, .missing),
            (#"{"access":true}"#, .notText), (#"{"access":{"token":"x"}}"#, .notText),
            (#"{"access":["x"]}"#, .notText),
            (#"{"access":""}"#, .blank), (#"{"access":"  "}"#, .blank),
            (#"{"access":"a\r\nX: y"}"#, .controlCharacter),
            (#"{"access":"a\n"}"#, .controlCharacter), (#"{"access":"a\u0000"}"#, .controlCharacter),
            (#"{"access":"a\tb"}"#, .controlCharacter), (#"{"access":"a\u007f"}"#, .controlCharacter),
            (#"{"access":"a","access":"b"}"#, .notJSON(.repeatedName)),
        ] as [(String, AnswerFlaw)])
    func `a success without a usable token is none`(_ content: String, _ flaw: AnswerFlaw) {
        #expect(fault(answer(200, content)) == .unusable(flaw))
    }

    @Test func `a web page is called one`() {
        let type = [("content-type", "Text/HTML; charset=utf-8")]
        #expect(fault(answer(200, "<html></html>", type)) == .unusable(.webPage))
        let content = ReadSettings(token: .content)
        #expect(fault(answer(200, "<html></html>"), content) == .unusable(.webPage))
        #expect(fault(answer(200, "moved", type), content) == .unusable(.webPage))
        #expect(fault(answer(200, ""), content) == .unusable(.empty))
        #expect(fault(answer(200, ""), ReadSettings(token: .header("x"))) == .unusable(.missing))
    }

    @Test func `a token is bounded`() throws {
        let most = String(repeating: "a", count: AnswerReading.tokenMax)
        #expect(try grant(answer(200, #"{"access":"\#(most)"}"#)).token.shown == most)
        #expect(fault(answer(200, #"{"access":"\#(most)a"}"#)) == .unusable(.tooLong))
    }

    @Test func `a status that is neither success nor refusal is said`() {
        #expect(fault(answer(302, "")) == .unusable(.status(302)))
        #expect(fault(answer(100, "")) == .unusable(.status(100)))
        #expect(fault(answer(.max, "")) == .unusable(.status(.max)))
    }

    @Test func `a value that is missing was held before, or is a fault`() throws {
        let settings = usual { $0.values = [.init(name: "url", place: .member("url"))] }
        let without = answer(200, #"{"access":"A"}"#)
        #expect(fault(without, settings) == .unusable(.value("url")))
        #expect(try grant(without, settings, kept: ["url": Secret("u")]).values["url"]?.shown == "u")
        #expect(fault(answer(200, #"{"access":"A","url":"a\nb"}"#), settings) == .unusable(.value("url")))
        #expect(fault(answer(200, #"{"access":"A","url":[]}"#), settings) == .unusable(.value("url")))
    }

    @Test func `all values together are bounded`() throws {
        let names = (0..<5).map { "v\($0)" }
        let settings = usual { $0.values = names.map { .init(name: $0, place: .member($0)) } }
        func content(last: String) -> String {
            let value = String(repeating: "a", count: Grant.valuesMax / 4)
            return #"{"access":"A","v4":"\#(last)","#
                + names.dropLast().map { #""\#($0)":"\#(value)""# }.joined(separator: ",") + "}"
        }
        #expect(fault(answer(200, content(last: "a")), settings) == .unusable(.valuesTooLong))
        let fewer = usual { $0.values = names.dropLast().map { .init(name: $0, place: .member($0)) } }
        #expect(try grant(answer(200, content(last: "a")), fewer).values.count == 4)
    }

    @Test func `no refresh token is none, an unusable one is noted`() throws {
        for content in [
            #"{"access":"A"}"#, #"{"access":"A","refresh":null}"#, #"{"access":"A","refresh":""}"#,
        ] {
            let grant = try grant(answer(200, content), lifetime: .seconds(9))
            #expect(grant.refreshToken == nil && grant.notes == [])
        }
        for content in [#"{"access":"A","refresh":"a\nb"}"#, #"{"access":"A","refresh":{}}"#] {
            let grant = try grant(answer(200, content), lifetime: .seconds(9), refreshLifetime: .seconds(9))
            #expect(grant.refreshToken == nil && grant.notes == [.refreshTokenUnusable])
            #expect(grant.refreshExpires == nil)
        }
    }

    @Test func `some refuse with a success`() {
        #expect(
            fault(answer(200, #"{"error":"invalid_grant"}"#))
                == .refused(TokenRefusal(.grantDead, status: 200, code: "invalid_grant")))
        #expect(
            fault(answer(200, #"{"error":"bad_refresh_token"}"#), wasRefresh: true)
                == .refused(TokenRefusal(.grantDead, status: 200, code: "bad_refresh_token")))
        #expect(
            fault(answer(200, #"{"error":{"code":"INVALID_CLIENT"}}"#))
                == .refused(TokenRefusal(.rejected, status: 200, code: "INVALID_CLIENT")))
        #expect(
            fault(answer(200, #"{"error":"server_error"}"#))
                == .refused(TokenRefusal(.unavailable(retryAfter: nil), status: 200, code: "server_error")))
        #expect(fault(answer(200, #"{"error":"bad_refresh_token"}"#)) == .unusable(.missing))
        #expect(fault(answer(200, #"{"error":"hm"}"#)) == .unusable(.missing))
    }

    @Test func `nothing of the answer shows in a fault or a note`() {
        let contents = [
            "hunter2", #"{"access":"hunter2\n"}"#, #"{"access":["hunter2"]}"#, #"{"access":{"hunter2":1}}"#,
            #"{"error":"the password hunter2 is wrong"}"#, #"{"access":"hunter2","expires_in":0}"#,
        ]
        for status in [200, 302, 400, 401, 403, 429, 500] {
            for content in contents {
                guard let fault = fault(answer(status, content, [("retry-after", "hunter2")])) else {
                    continue
                }
                expectHidden(fault)
                #expect(!fault.words.contains("hunter2"))
            }
        }
        let grant = try? grant(answer(200, #"{"access":"hunter2","expires_in":"hunter2"}"#))
        expectHidden(grant as Any)
        #expect(grant?.notes.map(\.words).joined().contains("hunter2") == false)
    }
}

extension TokenRefusal {
    init(_ reason: Reason, status: Int, code: String? = nil) {
        self.init(reason: reason, status: status, code: code)
    }
}
