import Testing
import TollkeyCore

struct CredentialSnapshotTests {
    private func snapshot(_ headers: [InjectedHeader]) -> CredentialSnapshot {
        CredentialSnapshot(
            generation: 3, headers: headers, secrets: ["k": Secret("hunter2"), "u": Secret("me")])
    }

    @Test func `header lines are written as they are named, in their order`() {
        let snapshot = snapshot([
            InjectedHeader(name: "x-USER", value: [.text("user="), .secret("u"), .text(";")]),
            InjectedHeader(name: "Authorization", value: [.text("Basic "), .secret("u"), .secret("k")]),
            InjectedHeader(name: "X-Empty", value: []),
        ])
        #expect(
            written { snapshot.write(into: $0) }
                == "x-USER: user=me;\r\nAuthorization: Basic mehunter2\r\nX-Empty: \r\n")
        #expect(snapshot.generation == 3)
    }

    @Test func `without headers nothing is written`() {
        #expect(written { snapshot([]).write(into: $0) } == "")
    }

    @Test func `a secret that is missing is nothing`() {
        let snapshot = snapshot([InjectedHeader(name: "A", value: [.text("b"), .secret("none")])])
        #expect(written { snapshot.write(into: $0) } == "A: b\r\n")
    }

    @Test func `what goes with every call is known again, as a whole or in part`() {
        let snapshot = CredentialSnapshot(
            generation: 1, headers: [InjectedHeader(name: "X-Key", value: [.text("Bearer "), .secret("k")])],
            secrets: ["k": Secret("canary-0123456789")])
        for text in ["canary-0123456789", "Bearer canary-0123456789", "ary-0123"] {
            #expect(snapshot.holds(text))
        }
        for text in ["canary-", "canary-01234567890", "req_0123456789", ""] { #expect(!snapshot.holds(text)) }
    }

    @Test func `printing shows the generation and no secret`() {
        let snapshot = snapshot([InjectedHeader(name: "X-Key", value: [.secret("k")])])
        expectHidden(snapshot)
        #expect("\(snapshot)".contains("generation: 3"))
        expectHidden(Optional(snapshot) as Any)
        expectHidden(["acme": snapshot])
    }
}
