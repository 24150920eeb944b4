import TollkeyCore

/// One event loop's lines about requests.
struct CallLog {
    private let sink: LogSink?
    private let control: LogControl
    private let line = Buffer(capacity: 2 << 10)
    private var time = LogTime()
    /// What is due of the share of lines that are written.
    private var share = 0.0
    private var second: Int64 = 0
    private var failures = 0
    private var suppressed = 0

    /// Where requests are not logged, those that failed are, so many in each second.
    static let failuresPerSecond = 10

    /// `sink`: nil logs nothing.
    init(_ sink: LogSink?, _ control: LogControl) {
        self.sink = sink
        self.control = control
    }

    /// Writes a line about `record`, if it gets one. `fill` adds what only the exchange knows.
    mutating func write(_ record: CallRecord, wall: Int64, _ fill: (borrowing CallLine) -> Void) {
        guard let sink, isWanted(record, wall) else { return }
        line.clear()
        time.read(wall) { text in
            let isWarning = record.isFailed
            let writer = CallLine(into: line, time: text, isWarning: isWarning)
            fill(writer)
            if suppressed > 0, control.settings.access == false {
                writer.number("suppressed", suppressed)
            }
            writer.end(record)
        }
        suppressed = 0
        sink.append(line.readable)
    }

    private mutating func isWanted(_ record: CallRecord, _ wall: Int64) -> Bool {
        let settings = control.settings
        guard settings.level <= (record.isFailed ? .warning : .info) else { return false }
        if settings.access {
            if record.isFailed || record.failure != nil || record.status == 429 || settings.sample >= 1 {
                return true
            }
            share += settings.sample
            guard share >= 1 else { return false }
            share -= 1
            return true
        }
        guard record.isFailed else { return false }
        let second = wall / 1_000
        if second != self.second { (self.second, failures) = (second, 0) }
        failures += 1
        if failures > Self.failuresPerSecond { suppressed += 1 }
        return failures <= Self.failuresPerSecond
    }
}
