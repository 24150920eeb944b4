import Logging
import Synchronization
package import TollkeyCore

/// What is logged now. Changed while running, by a reload or by an operator; read by every thread.
package final class LogControl: Sendable {
    private let level: Atomic<Int>
    private let access: Atomic<Bool>
    private let sample: Atomic<UInt64>

    package init(_ settings: LogSettings = LogSettings()) {
        level = Atomic(Self.index(settings.level))
        access = Atomic(settings.access)
        sample = Atomic(settings.sample.bitPattern)
    }

    package var settings: LogSettings {
        get {
            var settings = LogSettings()
            settings.level = LogLevel.allCases[level.load(ordering: .relaxed)]
            settings.access = access.load(ordering: .relaxed)
            settings.sample = Double(bitPattern: sample.load(ordering: .relaxed))
            return settings
        }
        set {
            level.store(Self.index(newValue.level), ordering: .relaxed)
            access.store(newValue.access, ordering: .relaxed)
            sample.store(newValue.sample.bitPattern, ordering: .relaxed)
        }
    }

    private static func index(_ level: LogLevel) -> Int { LogLevel.allCases.firstIndex(of: level) ?? 0 }
}

extension Logger.Level {
    init(_ level: LogLevel) {
        self =
            switch level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
    }
}
