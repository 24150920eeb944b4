import Testing
import TollkeyConfig

struct NearMissTests {
    private let known = ["timeouts", "tls", "route", "idle_timeout", "pool", "uid"]

    @Test(arguments: [
        ("timeout", "timeouts"), ("timoeuts", "timeouts"), ("Timeouts", "timeouts"), ("tsl", "tls"),
        ("idle-timeout", "idle_timeout"), ("idleTimeout", "idle_timeout"), ("rout", "route"), ("udi", "uid"),
    ])
    func `a slip of the finger finds its word`(_ word: String, _ expected: String) {
        #expect(NearMiss.of(word, among: known) == expected)
    }

    @Test(arguments: ["", "x", "banana", "po", "timeouts_of_everything"])
    func `a word that is none finds nothing`(_ word: String) {
        #expect(NearMiss.of(word, among: known) == nil)
    }

    @Test func `a very long word is not looked for`() {
        let word = String(repeating: "a", count: Bounds.nameLength + 1)
        #expect(NearMiss.of(word, among: [word + "b"]) == nil)
    }
}
