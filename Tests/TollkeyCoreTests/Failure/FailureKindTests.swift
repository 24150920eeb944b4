import Testing
import TollkeyCore

struct FailureKindTests {
    static let table: [String: (Int, FailureKind.Side)] = [
        "bad-request": (400, .client), "forbidden-host": (403, .client), "forbidden-origin": (403, .client),
        "forbidden-peer": (403, .client), "no-route": (404, .client), "not-allowed": (403, .client),
        "body-too-large": (413, .client), "head-too-large": (431, .client), "uri-too-long": (414, .client),
        "request-timeout": (408, .client), "draining": (503, .proxy),
        "upstream-unreachable": (502, .upstream),
        "upstream-tls": (502, .upstream), "upstream-broke": (502, .upstream),
        "upstream-timeout": (504, .upstream),
        "loop": (508, .proxy), "overloaded": (503, .proxy), "credential-unavailable": (503, .upstream),
        "login-required": (503, .proxy), "otp-required": (403, .client),
        "rate-limited": (429, .proxy), "quota-paused": (429, .upstream),
    ]

    @Test func `every kind has its status and its side`() throws {
        #expect(Set(FailureKind.allCases.map(\.rawValue)) == Set(Self.table.keys))
        for kind in FailureKind.allCases {
            let (status, side) = try #require(Self.table[kind.rawValue])
            #expect(kind.row.status == status, "\(kind)")
            #expect(kind.row.side == side, "\(kind)")
        }
    }

    @Test func `titles differ, and are sentences without an end`() {
        let titles = FailureKind.allCases.map(\.row.title.description)
        #expect(Set(titles).count == titles.count)
        for title in titles { #expect(title.first?.isUppercase == true && !title.hasSuffix("."), "\(title)") }
    }

    @Test func `the client's doing is a 4xx, anybody else's a 5xx, and a limit a 429`() {
        for kind in FailureKind.allCases where kind.row.status != 429 {
            #expect(kind.row.status / 100 == (kind.row.side == .client ? 4 : 5))
        }
    }

    @Test(
        arguments: [
            (
                HeadError.malformed("no Host"), FailureKind.badRequest,
                "The request cannot be read in one way only: no Host."
            ),
            (.headTooLarge, .headTooLarge, "The request's head has too many fields or bytes."),
            (.targetTooLong, .uriTooLong, "The request target has too many bytes."),
            (
                .contentTooLarge, .bodyTooLarge,
                "The request's content is larger than the provider's 'body.max' allows."
            ),
        ] as [(HeadError, FailureKind, String)])
    func `a head's error is a failure of the client's`(
        _ error: HeadError, _ kind: FailureKind, _ detail: String
    ) {
        #expect(Failure(error) == Failure(kind, detail))
    }

    @Test func `two errors are alike when their words are`() {
        #expect(HeadError.malformed("a") == .malformed("a"))
        #expect(HeadError.malformed("a") != .malformed("b"))
        #expect(HeadError.malformed("a") != .headTooLarge)
    }
}
