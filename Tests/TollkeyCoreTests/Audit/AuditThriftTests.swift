import Testing
import TollkeyCore

struct AuditThriftTests {
    private func moment(_ seconds: Int64) -> Moment {
        Moment(wall: seconds * 1_000, monotonic: seconds * 1_000_000_000)
    }
    private func refusal(_ credential: String) -> AuditEvent {
        AuditEvent(.refuse, .refused, provider: "acme", credential: credential)
    }
    private func failure(_ words: String) -> AuditEvent {
        AuditEvent(.renew, .failed, provider: "acme", credential: "a", words: words)
    }

    @Test func `refusals of one credential are told once a minute`() {
        var thrift = AuditThrift()
        let told = (0..<180).count { thrift.admits(refusal("a"), at: moment($0)) }
        #expect(told == 3)
        let isOtherTold = thrift.admits(refusal("b"), at: moment(1))
        #expect(isOtherTold)
    }

    @Test func `the same failure is told every ten minutes, another one at once`() {
        var thrift = AuditThrift()
        let told = (0..<1_200).count { thrift.admits(failure("503"), at: moment($0)) }
        #expect(told == 2)
        let others = [1_200, 1_201].map { thrift.admits(failure("401"), at: moment($0)) }
        #expect(others == [true, false])
    }

    @Test func `what worked is always told, and the failure after it`() {
        var thrift = AuditThrift()
        let done = AuditEvent(.renew, provider: "acme", credential: "a")
        let told = [failure("503"), done, done, failure("503")].map { thrift.admits($0, at: moment(1)) }
        #expect(told == [true, true, true, true])
    }

    @Test func `bounds hold for age, number and size`() {
        var bounds = AuditBounds(keep: .seconds(60))
        bounds.entriesMax = 10
        bounds.bytesMax = 1_000
        #expect(!bounds.isOld(40_000, at: 100_000) && bounds.isOld(39_999, at: 100_000))
        #expect(!bounds.isOld(.min, at: .min))
        #expect(!bounds.isOver(count: 10, bytes: 1_000))
        #expect(bounds.isOver(count: 11, bytes: 0) && bounds.isOver(count: 0, bytes: 1_001))
    }
}
