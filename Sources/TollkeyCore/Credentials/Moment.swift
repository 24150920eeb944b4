/// Now, by two clocks that can disagree: the wall clock is stepped, the monotonic one forgets at a reboot.
package struct Moment: Sendable, Equatable {
    /// Milliseconds since 1970, UTC.
    package var wall: Int64
    /// Nanoseconds since some moment of this boot; goes on while the machine sleeps.
    package var monotonic: Int64

    package init(wall: Int64, monotonic: Int64) {
        self.wall = wall
        self.monotonic = monotonic
    }

    package static func + (moment: Moment, span: Duration) -> Deadline {
        let milliseconds = span.milliseconds
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (wall, isWallOver) = moment.wall.addingReportingOverflow(milliseconds)
        let (monotonic, isMonotonicOver) = moment.monotonic.addingReportingOverflow(nanoseconds)
        return Deadline(
            wall: isWallOver ? .max : wall, monotonic: overflow || isMonotonicOver ? .max : monotonic)
    }
}

/// When something ends, by both clocks: reached as soon as either says so.
package struct Deadline: Sendable, Equatable {
    /// Milliseconds since 1970, UTC.
    package var wall: Int64
    /// Nanoseconds, as `Moment.monotonic`.
    package var monotonic: Int64

    package init(wall: Int64, monotonic: Int64) {
        self.wall = wall
        self.monotonic = monotonic
    }

    package static let never = Deadline(wall: .max, monotonic: .max)

    package func isReached(at now: Moment) -> Bool { now.wall >= wall || now.monotonic >= monotonic }

    /// What is left, zero once it is reached: the smaller of what the two clocks say.
    package func remaining(at now: Moment) -> Duration {
        if isReached(at: now) { return .zero }
        let byWall = wall.subtractingReportingOverflow(now.wall)
        let byMonotonic = monotonic.subtractingReportingOverflow(now.monotonic)
        return .milliseconds(
            min(
                byWall.overflow ? .max : byWall.partialValue,
                byMonotonic.overflow ? .max : byMonotonic.partialValue / 1_000_000))
    }

    package func sooner(by span: Duration) -> Deadline {
        let milliseconds = span.milliseconds
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (wall, isWallOver) = wall.subtractingReportingOverflow(milliseconds)
        let (monotonic, isMonotonicOver) = monotonic.subtractingReportingOverflow(nanoseconds)
        return Deadline(
            wall: isWallOver ? .min : wall, monotonic: overflow || isMonotonicOver ? .min : monotonic)
    }

    /// The earlier one, clock by clock.
    package static func earlier(_ a: Deadline, _ b: Deadline) -> Deadline {
        Deadline(wall: min(a.wall, b.wall), monotonic: min(a.monotonic, b.monotonic))
    }

    /// The later one, clock by clock.
    package static func later(_ a: Deadline, _ b: Deadline) -> Deadline {
        Deadline(wall: max(a.wall, b.wall), monotonic: max(a.monotonic, b.monotonic))
    }
}

extension Duration {
    /// Whole milliseconds; what is too large for them is the largest number there is.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, isOver) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return isOver ? .max : sum
    }
}
