import TollkeyServer

/// Crashes a scenario at each of its steps in turn, and looks at what is left.
enum CrashShow {
    /// Runs `scenario` in a fresh folder with a fresh `world` and crashes it at its first step, then again from the
    /// beginning at its second, and so on until it runs through. After each crash, for each loss, `check` is called with
    /// the folder as it is found then, on the system's own file system, and the world as the crash left it.
    ///
    /// Each run begins with a copy of `template`, which nobody may have open. The scenario opens stores with the file system that it is
    /// given, and lets go of them before it ends; what it throws after the crash is the crash's doing. Answers the number
    /// of checks.
    static func run<World>(
        losses: [CrashingFileSystem.Loss] = CrashingFileSystem.Loss.allCases,
        world: @autoclosure () -> World,
        from template: StateFolder? = nil,
        scenario: (inout World, StateFolder, String) throws -> Void,
        check: (World, StateFolder) throws -> Void
    ) throws -> Int {
        var checks = 0
        for step in 1..<stepsMax {
            let folder = try StateFolder()
            if let template { try Files.copy(template.path, to: folder.path) }
            let files = CrashingFileSystem(crashStep: step)
            var world = world()
            do { try scenario(&world, folder, files.name) } catch {
                guard files.hasCrashed else { throw error }
            }
            guard files.hasCrashed else { return checks }
            for loss in losses {
                let found = try StateFolder()
                try files.settle(folder.path, losing: loss, into: found.path)
                do { try check(world, found) } catch { throw Finding(step: step, loss: loss, error: error) }
                checks += 1
            }
        }
        throw Endless()
    }

    /// A check that failed: after which crash.
    struct Finding: Error {
        let step: Int
        let loss: CrashingFileSystem.Loss
        let error: any Error
    }

    struct Endless: Error {}

    private static let stepsMax = 100_000
}
