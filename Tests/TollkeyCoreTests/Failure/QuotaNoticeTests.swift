import Testing
import TollkeyCore

/// What a call that is held back is told in numbers.
struct QuotaNoticeTests {
    @Test(arguments: [
        (1_000_000, 40_000, 40, 1_040), (1_000_999, 40_000, 40, 1_041), (1_000_999, 40_001, 41, 1_041),
        (1_000_999, 39_002, 40, 1_041), (1_000_001, 1, 1, 1_001), (1_000_000, 0, 1, 1_000),
    ])
    func `neither time is too early`(_ wall: Int64, _ milliseconds: Int64, _ seconds: Int, _ reset: Int64) {
        var refusal = QuotaRefusal(reason: .limit)
        refusal.retryIn = TimeSpan(.milliseconds(milliseconds))
        refusal.limit = LimitSettings(count: 7, window: .seconds(3_600))
        let failure = Failure(refusal, category: CategorySettings(name: "a"), provider: "acme", wall: wall)
        #expect(failure.retryAfter == seconds)
        #expect(failure.quota?.limit == 7 && failure.quota?.reset == reset)
    }
}
