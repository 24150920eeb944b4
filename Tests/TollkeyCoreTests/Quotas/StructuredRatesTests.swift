import Testing
import TollkeyCore

/// `RateLimit` and `RateLimit-Policy`.
struct StructuredRatesTests {
    private func read(_ fields: String...) throws -> [Int?]? {
        let head = fields.joined(separator: "\r\n")
        guard let signals = try signals(head) else { return nil }
        return [signals.remaining, signals.resetIn.map { Int($0.milliseconds / 1_000) }]
    }

    @Test(arguments: [
        "\"hour\";r=40;t=30", "hour;r=40;t=30", "\"hour\"; r=40;  t=30", "\"hour\";t=30;r=40",
        "\"hour\";pk=:cHNsdA==:;r=40;t=30", "\"a;b,c\\\"=d\";r=40;t=30", "h/o:u*r;r=40;x;y=?1;t=30;z=-1.5",
        "\"hour\";r=40;t=30;d=@1659578233;e=%\"f%c3%bc\"", "\"hour\";r=1;t=30;r=40",
        "limit=100, remaining=40, reset=30", "remaining=40,reset=30;x=1 ,\tother=?0",
    ])
    func `a policy's remains are read`(_ value: String) throws {
        #expect(try read("RateLimit: \(value)") == [40, 30])
    }

    @Test func `of several policies the one with the least left counts`() throws {
        let policies = "RateLimit-Policy: \"a\";q=100, \"b\";q=200"
        #expect(try read(policies, "RateLimit: \"a\";r=40;t=30, \"b\";r=39;t=10") == [39, 10])
        #expect(
            try read(policies, "RateLimit: \"a\";r=40;t=30", "RateLimit: \"b\";r=39;t=10") == [39, 10])
        #expect(try read(policies, "RateLimit: \"a\";r=0;t=30, \"b\";r=0;t=31") == [0, 31])
        #expect(try read(policies, "RateLimit: \"b\";r=0;t=31, \"a\";r=0;t=30") == [0, 31])
        #expect(try read(policies, "RateLimit: \"b\";t=31, \"a\";r=7;t=30") == [7, 30])
    }

    @Test func `policies alone say nothing`() throws {
        #expect(try read("RateLimit-Policy: \"day\";q=5000;w=86400, \"burst\";q=100;w=60") == nil)
    }

    @Test func `what is not counted in calls is no concern here`() throws {
        let bytes = "RateLimit-Policy: \"b\";q=1000;qu=\"content-bytes\", \"c\";q=10;qu=\"requests\""
        #expect(try read(bytes, "RateLimit: \"b\";r=1;t=9, \"c\";r=5;t=30") == [5, 30])
        #expect(try read(bytes, "RateLimit: \"b\";r=1;t=9") == nil)
        #expect(try read("RateLimit: \"b\";r=1;t=9, \"B\";r=2;t=3", bytes) == [2, 3])
    }

    @Test(arguments: [
        "\"hour\";r=40,", "\"hour;r=40", "\"hour\";r=40 x", "\"hour\" r=40", "\"hour\";r=", "\"hour\";=40",
        "(\"a\" \"b\");r=40", "\"hour\";r=(4 5)", "\"hour\";r=40,,\"day\";r=3", ",\"hour\";r=40",
        "\"hour\";pk=:abc;r=40", "\"hour\\", "remaining=40, reset=", "remaining=40;, reset=30", ";r=40", "",
        "\"hour\";x=%a;r=1", "\"hour\";x=@;r=1", "\"hour\";x=?;r=1", "40;r=1", "?1;r=1", "\"hour\"",
        "\"hour\";r=-1", "\"hour\";r=\"40\"", "\"hour\";r", "remaining=-40", "remaining=many", "40",
        "\"hour\";r=9999999999999999999;t=99999999999999999999999", "unlimited", "\"hour\";x=--1;r=40",
        String(repeating: "-", count: 50_000),
    ])
    func `a line that is malformed or says nothing is ignored`(_ value: String) throws {
        #expect(try read("RateLimit: \(value)") == nil)
        #expect(try read("RateLimit: \(value)", "RateLimit: \"day\";r=50;t=9") == [50, 9])
        #expect(try read("X-RateLimit-Remaining: 3", "RateLimit: \(value)") == [3, nil])
    }

    @Test func `a malformed line of policies is ignored, and the others are not`() throws {
        let current = "RateLimit: a;r=1;t=9, b;r=2;t=9"
        #expect(try read("RateLimit-Policy: a;qu=\"bytes\", (", current) == [1, 9])
        let both = ["RateLimit-Policy: b;qu=\"bytes\", (", "RateLimit-Policy: a;qu=\"bytes\""]
        #expect(try read(both[0], both[1], current) == [2, 9])
    }

    @Test func `so many policies are read and no more`() throws {
        let most = 32
        let lines = (1...most).map { "p\($0);r=\(most * 2 - $0);t=1" }
        #expect(try read("RateLimit: " + lines.joined(separator: ", ")) == [most, 1])
        #expect(try read("RateLimit: " + (lines + ["p;r=1;t=1"]).joined(separator: ", ")) == [most, 1])
        let policies = (1..<most).map { "p\($0);q=1" }
        for (more, expected) in [([], 2), (["p"], 1)] as [([String], Int)] {
            let all = policies + more + ["a;qu=\"bytes\""]
            let current = "RateLimit: a;r=1;t=9, b;r=2;t=9"
            #expect(
                try read("RateLimit-Policy: " + all.joined(separator: ","), current) == [expected, 9])
        }
    }

    @Test func `no span is longer than a month`() throws {
        #expect(try read("RateLimit: \"a\";r=1;t=2678401") == [1, 2_678_400])
        #expect(try read("RateLimit: remaining=1, reset=999999999999") == [1, 2_678_400])
    }
}
