import Testing
import TollkeyCore

/// What the whole is for: never more than the limit in any window, and hardly ever less than is possible.
struct ExactnessTests {
    static func category(_ limits: [LimitSettings], _ onLimit: CategorySettings.OnLimit = .reject)
        -> CategorySettings
    {
        var settings = CategorySettings(name: "calls")
        settings.limits = limits
        settings.onLimit = onLimit
        return settings
    }

    static let second: Int64 = 1_000_000_000

    @Test(arguments: [
        (1, 1), (5, 1), (20, 1), (100, 10), (1_000, 10), (100, 3_600), (1_000, 3_600), (5_000, 3_600),
        (20_000, 60),
    ])
    func `steady overload is held to the limit and reaches it`(_ count: Int, _ seconds: Int64) {
        for processes in [1, 3] {
            let limit = LimitSettings(count: count, window: .seconds(seconds))
            var world = QuotaWorld(
                Self.category([limit]), processes: processes, isShared: processes > 1, seed: 7)
            world.ledgerDelay = processes > 1 ? 500_000 : 3_000_000
            let windows: Int64 = 3
            let span = windows * seconds * Self.second
            let arrivals = max(600, count * Int(windows) * 2)
            world.schedule(.arrivals(arrivals, every: span / Int64(arrivals)), in: 0)
            world.run(for: span)
            #expect(world.mostSent(in: limit.window) <= count, "\(count)/\(seconds)s by \(processes)")
            let ideal = count * Int(windows)
            #expect(
                Double(world.sends.count) >= 0.99 * Double(ideal),
                "\(world.sends.count) of \(ideal), \(count)/\(seconds)s by \(processes), \(world.contacts) contacts"
            )
        }
    }

    @Test func `no pattern of arrivals, delays and crashes gets more through`() {
        var useful = 0
        for seed in 1...120 as ClosedRange<UInt64> {
            var dice = Dice(seed: seed)
            let window = Int64.random(in: 1...100, using: &dice)
            let count = Int.random(in: 1...[10, 100, 2_000].randomElement(using: &dice)!, using: &dice)
            var limits = [LimitSettings(count: count, window: .seconds(window))]
            if Bool.random(using: &dice) {
                limits.append(LimitSettings(count: max(1, count / 4), window: .seconds(max(1, window / 10))))
            }
            let processes = Int.random(in: 1...4, using: &dice)
            var world = QuotaWorld(
                Self.category(limits), processes: processes, isShared: Bool.random(using: &dice), seed: seed)
            world.ledgerDelay = [0, 1_000_000, 50_000_000, 3_000_000_000].randomElement(using: &dice)!
            world.sendDelay = [0, 1_000_000, 2_000_000_000].randomElement(using: &dice)!
            world.patience = TimeSpan(
                nanoseconds: [0, Self.second, 30 * Self.second].randomElement(using: &dice)!)
            var at: Int64 = 0
            for _ in 0..<min(4_000, count * 6) {
                // Bursts, and silences between them.
                if Int.random(in: 0..<50, using: &dice) == 0 {
                    at += Int64.random(in: 0...window * Self.second / 2, using: &dice)
                }
                at += Int64.random(in: 0...window * Self.second / Int64(count), using: &dice) / 4
                world.schedule(.arrival(Int.random(in: 0..<processes, using: &dice)), in: at)
                if Int.random(in: 0..<400, using: &dice) == 0 {
                    world.schedule(.crash(Int.random(in: 0..<processes, using: &dice)), in: at)
                }
            }
            world.run(for: at + 10 * Self.second)
            for limit in limits {
                #expect(world.mostSent(in: limit.window) <= limit.count, "seed \(seed), \(limit)")
            }
            if !world.sends.isEmpty { useful += 1 }
        }
        #expect(useful > 100)
    }

    @Test func `calls in line are as many in any window, and in overload hardly fewer`() {
        for (count, seconds) in [(10, 1), (100, 60), (1_000, 60)] as [(Int, Int64)] {
            for processes in [1, 3] {
                let limit = LimitSettings(count: count, window: .seconds(seconds))
                var world = QuotaWorld(
                    Self.category([limit], .wait), processes: processes, isShared: processes > 1, seed: 11)
                world.ledgerDelay = 1_000_000
                world.sendDelay = 3_000_000
                world.patience = TimeSpan(nanoseconds: 2 * seconds * Self.second)
                let windows: Int64 = 8
                let arrivals = count * Int(windows) * 2
                world.schedule(.arrivals(arrivals, every: seconds * Self.second / Int64(2 * count)), in: 0)
                world.run(for: windows * seconds * Self.second)
                #expect(world.mostSent(in: limit.window) <= count, "\(count)/\(seconds)s by \(processes)")
                let ideal = count * Int(windows)
                #expect(
                    Double(world.sends.count) >= 0.99 * Double(ideal),
                    "\(world.sends.count) of \(ideal), \(count)/\(seconds)s by \(processes), \(world.contacts) contacts"
                )
            }
        }
    }

    /// Piaxis' four limits, each with a quarter more calls than may pass, over a day in which the process is
    /// restarted every two hours and crashes in between.
    @Test func `a day with restarts and crashes`() {
        for (number, count) in [100, 500, 1_000, 5_000].enumerated() {
            let limit = LimitSettings(count: count, window: .seconds(3_600))
            var world = QuotaWorld(
                Self.category([limit]), processes: 1, isShared: false, seed: UInt64(number))
            world.ledgerDelay = 3_000_000
            world.sendDelay = 20_000_000
            let day = 24 * 3_600 * Self.second
            let arrivals = 24 * count * 5 / 4
            world.schedule(.arrivals(arrivals, every: day / Int64(arrivals)), in: 0)
            for hour in 0..<24 as Range<Int64> {
                let minutes = (hour * 37) % 60
                let event: QuotaWorld.Event = hour % 2 == 0 ? .restart(0) : .crash(0)
                world.schedule(event, in: (hour * 60 + minutes) * 60 * Self.second)
            }
            world.run(for: day)
            #expect(world.mostSent(in: limit.window) <= count)
            // A crash costs what was held, at most a two-hundredth.
            #expect(
                Double(world.sends.count) >= 0.985 * Double(24 * count),
                "\(world.sends.count) of \(24 * count)")
        }
    }
}
