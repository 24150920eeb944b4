import Testing
import TollkeyCore

struct VerificationLedgerTests {
    private let settings: OTPSettings
    init() throws { settings = try otpExample() }

    /// A ledger with a token of the name `name` for each row, verified at second 0.
    private func ledger(
        _ rows: [(name: String, operation: String, subject: String?, expires: Int64)]
    ) -> VerificationLedger {
        var ledger = VerificationLedger(settings)
        for row in rows { note(row.name, row.operation, row.subject, row.expires, in: &ledger) }
        return ledger
    }

    private func note(
        _ name: String, _ operation: String, _ subject: String?, _ expires: Int64,
        in ledger: inout VerificationLedger, at now: Moment = after(0)
    ) {
        ledger.noteRequest(operation: operation, subject: subject, otpID: Secret("otp" + name), at: now)
        let isNoted = ledger.noteVerified(
            otpID: Secret("otp" + name), token: Secret(name), expires: now + .seconds(expires), at: now)
        #expect(isNoted)
    }

    private func found(
        _ ledger: VerificationLedger, _ operation: String, _ subject: String?, at second: Int64 = 1
    ) -> String? {
        ledger.token(for: operation, subject: subject, at: after(second))?.shown
    }

    @Test func `a token serves its operation only`() {
        let ledger = ledger([("t", "release", nil, 600)])
        #expect(found(ledger, "release", nil) == "t")
        #expect(found(ledger, "Release", nil) == nil && found(ledger, "", nil) == nil)
    }

    @Test func `a token that is bound serves its subject only`() {
        let ledger = ledger([("t", "release", "e1", 600)])
        #expect(found(ledger, "release", "e1") == "t")
        #expect(found(ledger, "release", "e2") == nil && found(ledger, "release", nil) == nil)
        #expect(found(ledger, "batch", "e1") == nil)
    }

    @Test func `subjects are compared byte by byte`() {
        let ledger = ledger([("t", "release", "\u{e9}", 600)])
        #expect(found(ledger, "release", "e\u{301}") == nil && found(ledger, "release", "\u{e9}") == "t")
    }

    @Test func `the bound one is taken first, then the one that lives longest`() {
        let ledger = ledger([
            ("any", "release", nil, 600), ("short", "release", "e1", 60), ("long", "release", "e1", 90),
            ("mid", "release", "e1", 80), ("anyShort", "release", nil, 100),
        ])
        #expect(found(ledger, "release", "e1") == "long")
        #expect(found(ledger, "release", "e2") == "any" && found(ledger, "release", nil) == "any")
        #expect(found(ledger, "release", "e1", at: 95) == "any")
    }

    @Test(arguments: [(30, 30), (600, 600), (601, 600), (100_000, 600)] as [(Int64, Int64)])
    func `a token ends with what its answer says, and with the lifetime`(_ said: Int64, _ end: Int64) {
        let ledger = ledger([("t", "release", nil, said)])
        #expect(found(ledger, "release", nil, at: end - 1) == "t")
        #expect(found(ledger, "release", nil, at: end) == nil)
    }

    @Test func `either clock ends a token`() {
        let ledger = ledger([("t", "release", nil, 600)])
        var now = after(1)
        now.wall += 600_000
        #expect(ledger.token(for: "release", subject: nil, at: now) == nil)
        now = after(1)
        now.monotonic += 600_000_000_000
        #expect(ledger.token(for: "release", subject: nil, at: now) == nil)
    }

    @Test func `a code is verified once, and a while after it could be typed`() {
        let id = Secret("otp1")
        func verify(_ ledger: inout VerificationLedger, at second: Int64) -> Bool {
            ledger.noteVerified(
                otpID: id, token: Secret("t"), expires: after(second) + .seconds(60), at: after(second))
        }
        for (second, isKnown) in [(0, true), (300, true), (359, true), (360, false)] as [(Int64, Bool)] {
            var ledger = VerificationLedger(settings)
            ledger.noteRequest(operation: "release", subject: "e1", otpID: id, by: .person, at: after(0))
            let isNoted = verify(&ledger, at: second)
            let isNotedAgain = verify(&ledger, at: second)
            #expect(isNoted == isKnown && !isNotedAgain)
            #expect(ledger.tokens.map(\.origin) == (isKnown ? [.person] : []) && ledger.codes == [])
        }
    }

    @Test func `a code that nobody asked for gives nothing`() {
        var ledger = VerificationLedger(settings)
        let isNoted = ledger.noteVerified(
            otpID: Secret("x"), token: Secret("t"), expires: .never, at: after(0))
        #expect(!isNoted && ledger.tokens == [])
    }

    @Test func `the same code asked for again is for what it was asked last`() {
        var ledger = VerificationLedger(settings)
        for operation in ["release", "batch"] {
            ledger.noteRequest(operation: operation, subject: nil, otpID: Secret("x"), at: after(0))
        }
        #expect(ledger.codes.map(\.operation) == ["batch"])
    }

    @Test func `a token that is dropped is gone`() {
        var ledger = ledger([("a", "release", nil, 60), ("b", "release", nil, 50)])
        ledger.drop(Secret("a"))
        #expect(found(ledger, "release", nil) == "b")
        ledger.drop(Secret("none"))
        #expect(ledger.tokens.count == 1)
    }

    @Test func `what has ended is forgotten`() {
        var ledger = ledger([("a", "release", nil, 60), ("b", "release", nil, 50)])
        ledger.noteRequest(operation: "batch", subject: nil, otpID: Secret("x"), at: after(0))
        ledger.expire(at: after(50))
        #expect(ledger.tokens.map(\.token.shown) == ["a"] && ledger.codes.count == 1)
        ledger.expire(at: after(360))
        #expect(ledger.tokens == [] && ledger.codes == [])
    }

    @Test func `of more than may be held the oldest go`() {
        var ledger = VerificationLedger(settings)
        for number in 0...OTPSettings.heldMax {
            ledger.noteRequest(
                operation: "release", subject: nil, otpID: Secret("\(number)"), at: after(0))
        }
        #expect(ledger.codes.count == OTPSettings.heldMax && ledger.codes.first?.otpID == Secret("1"))
        for number in 0...OTPSettings.heldMax { note("\(number)", "release", nil, 60, in: &ledger) }
        #expect(ledger.tokens.count == OTPSettings.heldMax && ledger.tokens.first?.token == Secret("1"))
    }

    @Test func `what has ended makes room first`() {
        var ledger = VerificationLedger(settings)
        for number in 0..<OTPSettings.heldMax {
            note("\(number)", "release", nil, number == 7 ? 1 : 60, in: &ledger)
        }
        note("last", "release", nil, 60, in: &ledger, at: after(2))
        #expect(ledger.tokens.count == OTPSettings.heldMax && ledger.tokens.first?.token == Secret("0"))
    }

    @Test func `a ledger goes on with what another held`() {
        let first = ledger([("a", "release", "e1", 60)])
        let second = VerificationLedger(settings, codes: first.codes, tokens: first.tokens)
        #expect(found(second, "release", "e1") == "a")
        let many = Array(repeating: first.tokens[0], count: OTPSettings.heldMax + 1)
        #expect(VerificationLedger(settings, tokens: many).tokens.count == OTPSettings.heldMax)
    }

    @Test func `no token shows in a ledger`() {
        var ledger = ledger([("hunter2", "release", nil, 60)])
        ledger.noteRequest(operation: "batch", subject: nil, otpID: Secret("hunter2"), at: after(0))
        expectHidden(ledger)
    }
}
