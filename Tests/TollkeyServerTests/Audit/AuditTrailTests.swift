import Testing
import TollkeyCore
import TollkeyServer

struct AuditTrailTests {
    @Test func `what was recorded is there, in order, and intact`() throws {
        let stage = try AuditStage()
        let report = try stage.filled().report(limit: 3)
        #expect(report.isIntact && report.count == 10 && report.words == ["7", "8", "9"])
        #expect(report.since == 1_800_000_000_000 && report.last.number == 10 && report.removed == nil)
        #expect(report.lines.count { $0.isRight } == 3)
        #expect(stage.complaints == [])
        let some = try stage.trail().report(limit: 100) { ($0?.time ?? 0) >= 1_800_000_008_000 }
        #expect(some.words == ["8", "9"] && some.count == 10)
    }

    @Test func `a trail without an entry is intact`() throws {
        let report = try AuditStage().trail().report(limit: 1)
        #expect(report.isIntact && report.lines.isEmpty && report.since == nil)
    }

    @Test(arguments: [
        ("a changed byte", "UPDATE audit SET content = CAST(content || x'00' AS BLOB) WHERE number = 4"),
        (
            "another time",
            "UPDATE audit SET content = CAST(x'01' || zeroblob(8) || substr(content, 10) AS BLOB) WHERE number = 4"
        ),
        ("another hash", "UPDATE audit SET hash = zeroblob(32) WHERE number = 4"),
        ("no hash", "UPDATE audit SET hash = x'' WHERE number = 4"),
        (
            "two that changed places",
            """
            CREATE TEMP TABLE other AS SELECT * FROM audit;
            UPDATE audit SET (hash, content) = (SELECT hash, content FROM other WHERE number = 6) WHERE number = 4;
            UPDATE audit SET (hash, content) = (SELECT hash, content FROM other WHERE number = 4) WHERE number = 6;
            """
        ),
        ("one taken out", "DELETE FROM audit WHERE number = 4"),
        (
            "one taken out, and the others moved up",
            "DELETE FROM audit WHERE number = 4; UPDATE audit SET number = number - 1 WHERE number > 4"
        ),
        ("the beginning cut off", "DELETE FROM audit WHERE number < 4"),
        ("the end cut off", "DELETE FROM audit WHERE number > 6"),
        ("everything taken out", "DELETE FROM audit"),
        ("everything and the ends taken out", "DELETE FROM audit; DELETE FROM trail"),
        ("the ends taken out", "DELETE FROM trail"),
        ("the ends altered", "UPDATE trail SET ends = zeroblob(length(ends))"),
        ("one put behind", "INSERT INTO audit SELECT 11, hash, content FROM audit WHERE number = 4"),
        (
            "one put far behind",
            "INSERT INTO audit SELECT \(Int64.max), hash, content FROM audit WHERE number = 4"
        ),
        ("one put before", "INSERT INTO audit SELECT 0, hash, content FROM audit WHERE number = 4"),
        (
            "one put in the least place",
            "INSERT INTO audit SELECT \(Int64.min), hash, content FROM audit WHERE number = 4"
        ),
    ])
    func `what somebody without the key does is seen, also after the trail was written on`(
        _ name: String, _ sql: String
    ) throws {
        let stage = try AuditStage()
        _ = try stage.filled()
        try stage.tamper(sql)
        let trail = try stage.trail()
        #expect(try !trail.report().isIntact, "\(name)")
        stage.write(10..<13, trail)
        let report = try trail.report(limit: 3)
        #expect(!report.isIntact, "\(name), later")
        #expect(report.words == ["10", "11", "12"], "\(name)")
        let next = try stage.trail()
        stage.write(13..<14, next)
        #expect(
            try !next.report().isIntact && next.report(limit: 1).words == ["13"],
            "\(name), by the next process")
    }

    @Test func `going back to earlier entries is seen by a process that was writing`() throws {
        let stage = try AuditStage()
        let daemon = try stage.filled(5)
        let ends = try #require(
            try RawDatabase.blobs("SELECT ends FROM trail", in: stage.folder.database).first)
        stage.write(5..<10, daemon)
        let digits = ends.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try stage.tamper("DELETE FROM audit WHERE number > 5; UPDATE trail SET ends = x'\(digits)'")
        #expect(try stage.trail().report().isIntact, "it is a trail as it was once")
        stage.write(10..<11, daemon)
        #expect(stage.complaints.contains { $0.contains("the trail went back from entry 10:") })
        #expect(try !daemon.report().isIntact)
    }

    @Test func `going back to earlier entries is seen by who has noted one`() throws {
        let stage = try AuditStage()
        let trail = try stage.filled()
        let noted = try #require(AuditLink.parse(try trail.report().last.words))
        stage.write(10..<12, trail)
        #expect(try trail.report(known: noted).isIntact)
        #expect(try !trail.report(known: (10, "0123456789abcdef")).isIntact)
        #expect(try !trail.report(known: (13, noted.digits)).isIntact)
    }

    @Test func `a trail outlives a change of the state's key`() throws {
        let stage = try AuditStage()
        _ = try stage.filled()
        let next = Secret("the key after it, of thirty-two bytes or more")
        let trail = try stage.trail([next, StateFolder.someKey])
        stage.write(10..<11, trail)
        #expect(try stage.trail([next]).report(limit: 2).words == ["9", "10"])
        #expect(try stage.trail([next]).report().isIntact)
    }

    @Test func `a state cannot be passed off as one from before there were trails`() throws {
        let stage = try AuditStage()
        // As it is with a trail, but for saying so: what opens is bound to the format.
        try stage.tamper("PRAGMA user_version = 1")
        #expect(stage.folder.refusal() == .wrongKey)
    }

    @Test func `two processes append at once, and none is lost`() throws {
        let stage = try AuditStage()
        let one = try stage.trail()
        let other = try stage.trail()
        let aside = try Aside { stage.write(0..<200, other) }
        stage.write(200..<400, one)
        try aside.value()
        let report = try one.report(limit: 1_000)
        #expect(report.isIntact && report.count == 400)
        #expect(Set(report.words).count == 400)
        #expect(stage.complaints == [])
    }
}

struct AuditAgeTests {
    @Test func `old entries go, and what stays is intact`() throws {
        let stage = try AuditStage()
        let trail = try stage.filled(10)
        stage.clock.advance(by: .seconds(3_594))
        stage.write(10..<11, trail)
        let report = try trail.report(limit: 100)
        #expect(report.isIntact && report.words == ["4", "5", "6", "7", "8", "9", "10"])
        #expect(report.removed?.link.number == 4 && report.removed?.time == 1_800_000_003_000)
        stage.clock.advance(by: .seconds(100_000))
        stage.write(11..<12, try stage.trail())
        #expect(try trail.report(limit: 100).words == ["11"] && trail.report().isIntact)
    }

    @Test func `never more than the most stay, in number and in bytes`() throws {
        let stage = try AuditStage()
        let trail = try stage.trail()
        var bounds = AuditBounds(keep: .seconds(1_000_000))
        bounds.entriesMax = 7
        trail.bound(bounds)
        stage.write(0..<30, trail)
        #expect(try trail.report().count == 7 && trail.report().isIntact)
        bounds.entriesMax = 1_000
        bounds.bytesMax = 500
        trail.bound(bounds)
        stage.write(30..<40, trail)
        let report = try trail.report(limit: 10)
        #expect(report.isIntact && (2...4).contains(report.count) && report.words.last == "39")
        let sizes = try RawDatabase.blobs("SELECT content FROM audit", in: stage.folder.database)
        #expect(sizes.reduce(0) { $0 + $1.count + 64 } <= 500)
    }

    @Test func `an entry that claims to be old does not go, and stays seen`() throws {
        let stage = try AuditStage()
        let trail = try stage.filled(10)
        try stage.tamper(
            "UPDATE audit SET content = CAST(x'01' || zeroblob(8) || substr(content, 10) AS BLOB) WHERE number <= 5"
        )
        stage.write(10..<11, trail)
        let report = try trail.report()
        #expect(!report.isIntact && report.count == 11 && report.breaks.first?.number == 1)
    }

    @Test func `an altered entry that goes for want of room leaves a word`() throws {
        let stage = try AuditStage()
        let trail = try stage.filled(10)
        try stage.tamper("UPDATE audit SET content = x'00' WHERE number = 1")
        var bounds = AuditBounds(keep: .seconds(1_000_000))
        bounds.entriesMax = 5
        trail.bound(bounds)
        stage.write(10..<11, trail)
        #expect(stage.complaints.contains { $0.contains("entry 1 had been altered") })
        #expect(try !trail.report().isIntact)
    }

    @Test func `a cut end, noticed anew by each process, does not heal by age alone`() throws {
        let stage = try AuditStage()
        _ = try stage.filled(10)
        try stage.tamper("DELETE FROM audit WHERE number > 6")
        stage.clock.advance(by: .seconds(2_000))
        stage.write(10..<11, try stage.trail())
        #expect(try !stage.trail().report().isIntact)
    }
}
