import Testing
import TollkeyConfig
import TollkeyCore

struct FormatTests {
    @Test(arguments: [
        ("threads: [1]", "1:10: \"threads\" must be a whole number from 1 to 64; found a list"),
        ("threads: {a: 1}", "1:10: \"threads\" must be a whole number from 1 to 64; found a map"),
        ("threads: ~", "1:10: \"threads\" must be a whole number from 1 to 64; found nothing"),
        ("threads:", "1:1: \"threads\" has no value; give it one, or take the key out"),
        ("threads: \"4\"", "1:10: \"threads\" must be a whole number from 1 to 64"),
        ("threads: 010", "1:10: \"threads\" must be a whole number from 1 to 64"),
        ("threads: 0x4", "1:10: \"threads\" must be a whole number from 1 to 64"),
        ("threads: 99999999999999999999", "1:10: \"threads\" must be a whole number from 1 to 64"),
        ("threads: -1", "1:10: \"threads\" must be a whole number from 1 to 64"),
        (
            "listen_beyond_loopback: yes",
            "1:25: \"listen_beyond_loopback\" must be true or false, without quotes"
        ),
        (
            "listen_beyond_loopback: 'true'",
            "1:25: \"listen_beyond_loopback\" must be true or false, without quotes"
        ),
        (
            "listen_beyond_loopback: []",
            "1:25: \"listen_beyond_loopback\" must be true or false; found a list"
        ),
        ("limits: 3", "1:9: \"limits\" must be a map (\"key: value\" lines below it); found text"),
        ("limits: [a]", "1:9: \"limits\" must be a map (\"key: value\" lines below it); found a list"),
        ("limits: {head: [1]}", "1:16: \"head\" must be a size such as 64KiB; found a list"),
        ("limits: {head: big}", "1:16: \"head\" must be a size such as 65536, 64KiB, 10MiB or 1GiB"),
        (
            "limits: {head: 64KB}",
            "1:16: \"head\" has an unknown unit; sizes are in KiB, MiB, GiB or plain bytes"
        ),
        ("limits: {head: 512}", "1:16: \"head\" must be from 1KiB to 1MiB"),
        ("timeouts: {head: soon}", "1:18: \"head\" must be a duration such as 250ms, 30s, 15m or 12h"),
        ("timeouts: {head: 0s}", "1:18: \"head\" must be from 1ms to 24h"),
        ("timeouts: {head: 25h}", "1:18: \"head\" must be from 1ms to 24h"),
        ("timeouts: {drain: 3601s}", "1:19: \"drain\" must be from 0s to 1h"),
        ("log: {level: warn}", "1:14: \"level\" must be one of debug, info, warning, error"),
        (
            "log: {level: eror}",
            "1:14: \"level\" must be one of debug, info, warning, error; did you mean \"error\"?"
        ),
        ("hosts: [[a]]", "1:9: \"hosts\" must be text; found a list"),
        ("hosts:\n  - a\n  -\n", "3:4: \"hosts\" has an empty entry; take it out"),
        ("listen: []", "1:9: \"listen\" is an empty list; name one, or take the key out"),
    ])
    func `a wrong value says what was wanted, and what was found when it is of another kind`(
        _ line: String, _ expected: String
    ) {
        #expect(problems(line + acme) == [expected])
    }

    @Test func `every bounded value is good at its bounds`() throws {
        let low = try settings(
            "threads: 1\nlimits: {connections: 1, head: 1KiB, target: 256, headers: 1}" + acme)
        #expect(low.limits.head == 1_024)
        let high = try settings(
            "threads: 64\nlimits: {connections: 1000000, head: 1MiB, target: 1MiB, headers: 1000}" + acme)
        #expect(high.limits.target == 1 << 20)
        #expect(try settings("timeouts: {head: 24h, body: 1ms, drain: 0s}" + acme).timeouts.drain == .zero)
    }

    @Test func `lists are good at their bound and refused beyond`() throws {
        func hosts(_ count: Int) -> String {
            "hosts: [" + (0..<count).map { "h\($0)" }.joined(separator: ", ") + "]" + acme
        }
        #expect(try settings(hosts(Bounds.hosts)).hosts.count == Bounds.hosts)
        #expect(
            problems(hosts(Bounds.hosts + 1)) == ["1:8: \"hosts\" has more than 1000 entries; shorten it"])
    }

    @Test func `one value may stand for a list of one`() throws {
        #expect(try settings("hosts: a.test" + acme).hosts == ["a.test"])
    }
}
