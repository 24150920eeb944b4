import Testing
import TollkeyCore
import TollkeyServer

/// What happens when the disk does not take it.
struct AuditWriteTests {
    @Test func `a disk that is full stops nothing, is told once, and made up for`() throws {
        let stage = try AuditStage()
        let trail = try stage.filled(1)
        // As much as the state may take in all.
        try stage.tamper(
            "CREATE TABLE other (a); INSERT INTO other VALUES (zeroblob(\(StateStore.bytesMax)))")
        // What fits into pages that are there is still taken.
        stage.write(1..<200, trail)
        #expect(stage.complaints.count == 1)
        #expect(stage.complaints.first?.contains("the audit trail cannot be written") == true)
        #expect(try trail.report().count < 200)
        try stage.tamper("DROP TABLE other; VACUUM")
        stage.write(200..<201, trail)
        #expect(stage.complaints.last == "the audit trail is written again")
        let report = try trail.report(limit: 300)
        #expect(report.isIntact && report.words == (0...200).map(String.init))
    }

    @Test func `a trail that cannot be written stops nothing, and does not begin anew`() throws {
        let stage = try AuditStage()
        let trail = try stage.filled(3)
        try stage.tamper("DROP TABLE trail")
        stage.write(3..<6, trail)
        #expect(stage.complaints.count == 1)
        #expect(throws: StateFailure.self) { try stage.trail() }
    }

    @Test func `what does not fit while it waits is counted, and told by an entry`() throws {
        let stage = try AuditStage()
        let trail = try stage.trail()
        try stage.tamper("ALTER TABLE trail RENAME TO elsewhere")
        stage.write(0..<AuditTrail.waitingMax + 7, trail)
        try stage.tamper("ALTER TABLE elsewhere RENAME TO trail")
        trail.flush()
        let report = try trail.report(limit: 2_000)
        #expect(report.isIntact && report.count == AuditTrail.waitingMax + 1)
        #expect(report.words.contains("7 entries could not be kept"))
        #expect(stage.complaints.contains("7 entries of the audit trail could not be kept"))
    }

    @Test func `a started trail is written by a thread of its own, to the last when it is closed`() throws {
        let stage = try AuditStage()
        let trail = try stage.trail()
        trail.start { _ in }
        stage.write(0..<500, trail)
        trail.close()
        #expect(try stage.trail().report().count == 500)
        #expect(trail.last?.number == 500)
    }

    @Test func `a crash at any step leaves a trail that is intact, with all that was acknowledged`() throws {
        let checks = try CrashShow.run(world: 0, from: AuditStage().folder) { written, folder, fileSystem in
            let store = try folder.open(fileSystem: fileSystem)
            let clock = ManualClock()
            let trail = try AuditTrail(in: store, clock: clock.clock) { _ in }
            for number in 0..<12 {
                trail.record(AuditEvent(.obtain, words: "\(number)"))
                if trail.last?.number == Int64(number + 1) { written = number + 1 }
            }
        } check: { written, folder in
            let trail = try AuditTrail(in: folder.open()) { _ in }
            let report = try trail.report()
            #expect(report.isIntact && report.count >= written)
        }
        #expect(checks > 20)
    }
}
