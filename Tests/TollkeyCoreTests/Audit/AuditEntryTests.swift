import Testing
import TollkeyCore

struct AuditEntryTests {
    private let entry = AuditEntry(
        time: 1_800_000_000_123,
        event: AuditEvent(
            .renew, .failed, provider: "jpay", credential: "access", by: .user(1_000, name: "alice"),
            words: "the token endpoint answers 503"))

    @Test func `an entry is read as it was written`() {
        #expect(AuditEntry(decoding: entry.encode()) == entry)
        for kind in AuditEvent.Kind.allCases {
            for outcome in AuditEvent.Outcome.allCases {
                let entry = AuditEntry(time: -1, event: AuditEvent(kind, outcome))
                #expect(AuditEntry(decoding: entry.encode()) == entry)
            }
        }
    }

    @Test func `what was cut, or has more behind it, is no entry`() {
        let bytes = entry.encode()
        for count in 0..<bytes.count { #expect(AuditEntry(decoding: Array(bytes.prefix(count))) == nil) }
        #expect(AuditEntry(decoding: bytes + [0]) == nil)
        #expect(AuditEntry(decoding: [2] + bytes.dropFirst()) == nil)
    }

    @Test func `no two entries have the same bytes`() {
        let some = AuditEvent(.login, provider: "ab", credential: "c")
        let other = AuditEvent(.login, provider: "a", credential: "bc")
        #expect(AuditEntry(time: 1, event: some).encode() != AuditEntry(time: 1, event: other).encode())
    }

    @Test func `words are cut at 500 bytes, between letters`() {
        let fits = String(repeating: "x", count: 500)
        #expect(AuditEvent(.action, words: fits).words == fits)
        let cut = AuditEvent(.action, words: fits + "x").words
        #expect(cut.utf8.count == 500 && cut.hasSuffix("x…"))
        let wide = AuditEvent(.action, words: String(repeating: "é", count: 400)).words
        #expect(wide.utf8.count <= 500 && wide.hasSuffix("é…"))
    }

    @Test func `the longest entry there can be is still read`() {
        let long = String(repeating: "x", count: 1_000)
        let event = AuditEvent(
            .secrets, .unknown, provider: long, credential: long, by: AuditActor(text: long), words: long)
        let bytes = AuditEntry(time: .max, event: event).encode()
        #expect(bytes.count <= AuditEntry.bytesMax)
        #expect(AuditEntry(decoding: bytes)?.event == event)
    }

    @Test func `nothing in it can steer a terminal`() {
        let words = AuditEvent(.action, words: "a\u{1b}[2Jb\u{9b}c\u{202e}d\ne\u{2028}f\u{7f}").words
        #expect(words == "a?[2Jb?c?d e?f?")
    }

    @Test func `actors are named by uid and name, and by who had logged in`() {
        #expect(AuditActor.user(1_000, name: "alice").text == "uid 1000 (alice)")
        #expect(AuditActor.user(7, name: nil, login: (7, nil)).text == "uid 7")
        #expect(
            AuditActor.user(0, name: "root", login: (1_000, "alice")).text
                == "uid 0 (root), logged in as uid 1000 (alice)")
        #expect(AuditActor.token("ops").text == "token ops")
    }
}
