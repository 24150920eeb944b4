import Testing
import TollkeyCore

struct ExportPaceTests {
    private let start = MonotonicTime(nanoseconds: 0)

    private func at(_ span: Duration) -> MonotonicTime { start + TimeSpan(span) }

    @Test func `spans are sent every five seconds, a full batch at once`() {
        var pace = ExportPace(at: start)
        #expect(
            !pace.isDue(isFull: false, at: at(.milliseconds(4_999))) && pace.isDue(isFull: true, at: start))
        #expect(pace.isDue(isFull: false, at: at(.seconds(5))))
        #expect(pace.wait(at: at(.seconds(2))) == .seconds(3) && pace.wait(at: at(.seconds(9))) == .zero)
        #expect(pace.note(status: 200, retryAfter: nil, chance: 0, at: at(.seconds(5))) == .taken)
        #expect(
            pace.wait(at: at(.seconds(5))) == .seconds(5) && pace.isDue(isFull: true, at: at(.seconds(6))))
    }

    @Test(arguments: [nil, 429, 502, 503, 504] as [Int?])
    func `a batch is tried five times, each after twice the time`(_ status: Int?) {
        var pace = ExportPace(at: start)
        var waits: [Duration] = []
        for _ in 1..<ExportPace.triesMax {
            #expect(pace.note(status: status, retryAfter: nil, chance: 1, at: start) == .kept)
            waits.append(pace.wait(at: start))
            #expect(!pace.isDue(isFull: true, at: start))
        }
        #expect(waits == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
        #expect(pace.note(status: status, retryAfter: nil, chance: 1, at: start) == .lost)
        #expect(pace.note(status: status, retryAfter: nil, chance: 0, at: start) == .kept)
        #expect(pace.wait(at: start) == .milliseconds(500))
    }

    @Test(arguments: [301, 400, 401, 404, 413, 500])
    func `what would fail again is not tried again, and not hurried`(_ status: Int) {
        var pace = ExportPace(at: start)
        #expect(pace.note(status: status, retryAfter: .seconds(1), chance: 0, at: start) == .lost)
        #expect(
            !pace.isDue(isFull: true, at: at(.seconds(4))) && pace.isDue(isFull: false, at: at(.seconds(5))))
    }

    @Test func `the collector says when, up to a minute`() {
        var pace = ExportPace(at: start)
        _ = pace.note(status: 503, retryAfter: .seconds(30), chance: 0, at: start)
        #expect(pace.wait(at: start) == .seconds(30))
        _ = pace.note(status: 429, retryAfter: .seconds(600), chance: 0, at: start)
        #expect(pace.wait(at: start) == .seconds(60))
        _ = pace.note(status: 503, retryAfter: .zero, chance: 1, at: start)
        #expect(pace.wait(at: start) == .seconds(4))
        #expect(pace.note(status: 200, retryAfter: nil, chance: 0, at: start) == .taken)
        #expect(pace.isDue(isFull: true, at: start))
    }
}
