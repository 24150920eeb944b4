import Testing
import TollkeyCore

/// A credential with a clock of its own, both of whose hands are moved by the test.
struct LifeStage {
    var life: CredentialLife
    var now = Moment(wall: 1_800_000_000_000, monotonic: 5_000_000_000)
    var version: Int64 = 0
    var jitter = 0.5

    init(renewBefore: Duration? = nil) { life = CredentialLife(renewBefore: renewBefore) }

    mutating func pass(_ span: Duration) {
        now.wall += span.milliseconds
        now.monotonic += span.milliseconds * 1_000_000
    }

    mutating func handle(_ event: CredentialLife.Event) -> CredentialLife.Step {
        life.handle(event, at: now, jitter: jitter)
    }

    /// Brings the call under way to a good end.
    mutating func obtain(_ span: Duration) -> CredentialLife.Step {
        version += 1
        return handle(.obtained(version: version, expires: now + span, life: span))
    }

    mutating func adopt(_ span: Duration, version: Int64) -> CredentialLife.Step {
        handle(.adopted(version: version, expires: now + span, life: span))
    }

    /// A credential that is held and lives for `span`.
    static func fresh(_ span: Duration, renewBefore: Duration? = nil) -> LifeStage {
        var stage = LifeStage(renewBefore: renewBefore)
        _ = stage.handle(.looked)
        _ = stage.obtain(span)
        return stage
    }

    var isServed: Bool { life.held(at: now) != nil }
}

private let nothing = CredentialLife.Step()
private let calls = CredentialLife.Step(calls: true)
private let publishes = CredentialLife.Step(publishes: true)
private let both = CredentialLife.Step(calls: true, publishes: true)
private let down = CredentialLife.Event.failed(.unavailable("No answer."))

struct CredentialLifeTests {
    @Test func `it is obtained as soon as it is looked at, and served once it has come`() {
        var stage = LifeStage()
        #expect(stage.life.due.isReached(at: stage.now))
        #expect(stage.handle(.looked) == both)
        #expect(stage.life.state == .obtaining)
        #expect(stage.handle(.looked) == nothing, "one call at a time")
        #expect(!stage.isServed)
        #expect(stage.obtain(.seconds(3_600)) == publishes)
        #expect(stage.isServed)
    }

    @Test(
        arguments: [
            // life, the provider's margin, the margin that results
            (3_600, nil, 360), (43_200, 3_600, 3_600), (900, 60, 60), (86_400, nil, 3_600), (900, 800, 450),
            (2, nil, 0.2), (1, 60, 0.5),
        ] as [(Double, Double?, Double)])
    func `the margin comes from the life and is half of it at most`(
        _ life: Double, _ renewBefore: Double?, _ margin: Double
    ) {
        let span = Duration.seconds(life)
        let before = renewBefore.map { Duration.seconds($0) }
        #expect(CredentialLife.lead(span, before, jitter: 0) == .seconds(margin))
        let most = CredentialLife.lead(span, before, jitter: 0.999)
        #expect(most > .seconds(margin) && most < .seconds(margin * 1.1))
    }

    @Test func `it is renewed ahead of its end, and served meanwhile`() {
        var stage = LifeStage.fresh(.seconds(900), renewBefore: .seconds(60))
        stage.pass(.seconds(836))
        #expect(stage.handle(.looked) == nothing)
        stage.pass(.seconds(2))
        #expect(stage.life.due.isReached(at: stage.now))
        #expect(stage.handle(.looked) == calls)
        #expect(stage.isServed)
        #expect(stage.handle(.looked) == nothing)
        #expect(stage.obtain(.seconds(900)) == publishes)
        #expect(stage.life.held(at: stage.now)?.version == 2)
    }

    @Test func `at its end it is not served, though its renewal is under way`() {
        var stage = LifeStage.fresh(.seconds(900))
        stage.pass(.seconds(899))
        _ = stage.handle(.looked)
        stage.pass(.seconds(1))
        #expect(!stage.isServed)
        #expect(stage.handle(.looked) == publishes)
        #expect(stage.life.state == .obtaining)
        #expect(stage.obtain(.seconds(900)) == publishes)
        #expect(stage.isServed)
    }

    @Test func `a failed renewal leaves it served until it really ends`() {
        var stage = LifeStage.fresh(.seconds(3_600))
        stage.pass(.seconds(3_300))
        _ = stage.handle(.looked)
        #expect(stage.handle(down) == publishes)
        #expect(stage.isServed)
        var tries = 0
        while stage.isServed {
            let due = stage.life.due.remaining(at: stage.now)
            #expect(due > .zero, "it would turn on the spot")
            stage.pass(due)
            if stage.handle(.looked).calls {
                tries += 1
                _ = stage.handle(down)
            }
        }
        #expect((5...12).contains(tries), "\(tries) tries in five minutes")
        #expect(stage.life.state == .expired || stage.life.state == .obtaining)
    }

    @Test func `tries after failures are ever further apart, and bounded`() {
        var stage = LifeStage()
        stage.jitter = 0.999
        _ = stage.handle(.looked)
        var spans: [Duration] = []
        for _ in 0..<12 {
            _ = stage.handle(down)
            spans.append(stage.life.due.remaining(at: stage.now))
            stage.pass(spans.last ?? .zero)
            #expect(stage.handle(.looked).calls)
        }
        #expect(zip(spans, spans.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(spans.last.map { $0 <= CredentialLife.backoffMax } == true)
        stage.jitter = 0
        _ = stage.handle(down)
        #expect(
            stage.life.due.remaining(at: stage.now) == CredentialLife.backoffMin,
            "full jitter, but never at once")
    }

    @Test func `the token endpoint's Retry-After is honoured, up to a bound`() {
        for (asked, waited) in [(30, 30), (3_600, 3_600), (156 * 3_600, 86_400)] as [(Int64, Int64)] {
            var stage = LifeStage()
            _ = stage.handle(.looked)
            _ = stage.handle(.failed(.limited(.seconds(asked), "Too many.")))
            #expect(stage.life.due.remaining(at: stage.now) == .seconds(waited))
        }
    }

    @Test func `a login that was rejected is not repeated soon`() {
        var stage = LifeStage()
        _ = stage.handle(.looked)
        var tries = 1
        for _ in 0..<3_600 {
            if stage.life.isCalling { _ = stage.handle(.failed(.rejected("invalid_client"))) }
            stage.pass(.seconds(1))
            if stage.handle(.looked).calls { tries += 1 }
        }
        #expect(tries <= 4, "\(tries) tries in an hour")
        #expect(stage.handle(.secretsChanged).calls, "something is different now")
    }

    @Test func `where a person is needed nothing is tried`() {
        var stage = LifeStage()
        _ = stage.handle(.looked)
        _ = stage.handle(.failed(.needsPerson("Log in.")))
        stage.pass(.seconds(86_400 * 365))
        #expect(stage.handle(.looked) == nothing)
        #expect(stage.life.due == .never)
        #expect(stage.adopt(.seconds(3_600), version: 1) == publishes, "the person has logged in")
        #expect(stage.isServed)
        #expect(stage.life.trouble == nil)
    }

    @Test func `all who hold a refused one cause one renewal`() {
        var stage = LifeStage.fresh(.seconds(3_600))
        #expect(stage.handle(.refused(version: 1)) == calls)
        for _ in 0..<10_000 { #expect(stage.handle(.refused(version: 1)) == nothing) }
        _ = stage.obtain(.seconds(3_600))
        for _ in 0..<10_000 { #expect(stage.handle(.refused(version: 1)) == nothing, "late news") }
        #expect(stage.life.state == .fresh(stage.life.held(at: stage.now)!))
    }

    @Test func `when every new one is refused too, renewals become rare`() {
        var stage = LifeStage.fresh(.seconds(86_400))
        var renewals = 0
        for _ in 0..<36_000 {
            if stage.handle(.refused(version: stage.version)).calls {
                renewals += 1
                _ = stage.obtain(.seconds(86_400))
            }
            stage.pass(.milliseconds(100))
        }
        #expect((2...15).contains(renewals), "\(renewals) in an hour")
    }

    @Test func `refusals that lie far apart are each acted upon`() {
        var stage = LifeStage.fresh(.seconds(864_000))
        for _ in 0..<20 {
            stage.pass(.seconds(7_200))
            #expect(stage.handle(.refused(version: stage.version)).calls)
            _ = stage.obtain(.seconds(864_000))
        }
    }

    @Test func `a refused one whose renewal fails is served on`() {
        var stage = LifeStage.fresh(.seconds(3_600))
        _ = stage.handle(.refused(version: 1))
        _ = stage.handle(down)
        #expect(stage.isServed)
        #expect(stage.handle(.refused(version: 1)) == nothing, "it was tried just now")
        stage.pass(.seconds(300))
        #expect(stage.handle(.refused(version: 1)) == calls)
    }

    @Test func `expiry is judged by whichever clock says earlier`() {
        var ahead = LifeStage.fresh(.seconds(3_600))
        ahead.now.wall += 86_400_000
        #expect(!ahead.isServed)
        #expect(ahead.handle(.looked) == both)
        var asleep = LifeStage.fresh(.seconds(3_600))
        asleep.now.monotonic += 3_600_000_000_000
        #expect(!asleep.isServed)
        #expect(asleep.handle(.looked) == both)
        var back = LifeStage.fresh(.seconds(3_600))
        back.now.wall -= 86_400_000
        #expect(back.isServed)
        back.now.monotonic += 3_300_000_000_000
        #expect(back.handle(.looked).calls, "renewed in time by the other clock")
    }

    @Test func `an operator gets the next one at once, and only one`() {
        var stage = LifeStage.fresh(.seconds(3_600))
        #expect(stage.handle(.asked) == calls)
        #expect(stage.handle(.asked) == nothing)
        var rejected = LifeStage()
        _ = rejected.handle(.looked)
        _ = rejected.handle(.failed(.rejected("No.")))
        #expect(rejected.handle(.asked) == both)
    }

    @Test func `what another process has obtained is taken over, unless it is older`() {
        var stage = LifeStage.fresh(.seconds(100))
        #expect(stage.adopt(.seconds(500), version: 7) == publishes)
        #expect(stage.life.held(at: stage.now)?.version == 7)
        _ = stage.adopt(.seconds(900), version: 3)
        #expect(stage.life.held(at: stage.now)?.version == 7)
        stage.pass(.seconds(490))
        _ = stage.handle(.looked)
        #expect(stage.life.isCalling)
        _ = stage.adopt(.seconds(500), version: 8)
        #expect(stage.life.isCalling, "our own call is under way still")
        #expect(stage.isServed)
        _ = stage.handle(.obtained(version: 8, expires: stage.now + .seconds(500), life: .seconds(500)))
        #expect(!stage.life.isCalling)
        #expect(stage.life.held(at: stage.now)?.version == 8)
    }

    /// Every sequence of six events: never two calls at once, nothing dead is served, and no state is a dead end.
    @Test func `no order of events breaks a promise`() {
        walk(LifeStage(), calling: false, depth: 6)
    }

    private static let events: [(CredentialLife.Event, Duration)] = [
        (.looked, .zero), (.looked, .seconds(55)), (.refused(version: 1), .zero), (.asked, .zero),
        (.secretsChanged, .zero), (down, .seconds(1)), (.failed(.needsPerson("")), .zero),
    ]

    private func walk(_ stage: LifeStage, calling: Bool, depth: Int) {
        guard depth > 0 else { return }
        for index in 0...Self.events.count + 1 {
            var next = stage
            let step: CredentialLife.Step
            var ends = false
            switch index {
            case Self.events.count:
                step = next.obtain(.seconds(60))
                ends = true
            case Self.events.count + 1: step = next.adopt(.seconds(60), version: 5)
            default:
                next.pass(Self.events[index].1)
                step = next.handle(Self.events[index].0)
                if case .failed = Self.events[index].0 { ends = true }
            }
            let isCalling = step.calls || (calling && !ends)
            guard !(step.calls && calling && !ends), next.life.isCalling == isCalling else {
                Issue.record("\(stage.life) and \(index): \(step)")
                return
            }
            if let held = next.life.held(at: next.now) { #expect(!held.expires.isReached(at: next.now)) }
            walk(next, calling: isCalling, depth: depth - 1)
        }
    }
}
