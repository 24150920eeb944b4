import CLinux
import Glibc
import Synchronization
import TollkeyCore

/// Log lines on their way out, written by a thread of its own: whoever logs never waits for whoever reads.
///
/// Lines wait up to `gatherTime`, so that many are written at once. What nobody takes in time is dropped and counted.
package final class LogSink: Sendable {
    private struct State {
        var lines: [UInt8] = []
        var dropped: UInt64 = 0
        /// Of them, those that the log says nothing of yet.
        var untold: UInt64 = 0
        var isClosed = false
    }
    private let state = Mutex(State())
    private let descriptor: Int32
    private let wakeUp: Gate
    private let closing: Gate
    private let ended: Gate

    /// Of lines that are not written.
    package static let bytesMax = 4 << 20
    private static let gatherTime: Duration = .milliseconds(20)

    /// `descriptor` stays the caller's.
    package init(_ descriptor: Int32 = 2) throws(StartFailure) {
        self.descriptor = descriptor
        do throws(SystemError) {
            wakeUp = try Gate()
            closing = try Gate()
            ended = try Gate()
        } catch { throw StartFailure(error.description) }
        guard Threads.start("log", { [self] in run() }) else {
            throw StartFailure("the system has no thread to give")
        }
    }

    /// Whole lines, with their ends.
    package func append(_ lines: UnsafeRawBufferPointer) {
        let isFirst = state.withLock { state in
            guard state.lines.count + lines.count <= Self.bytesMax, !state.isClosed else {
                state.dropped += 1
                state.untold += 1
                return false
            }
            let isFirst = state.lines.isEmpty
            state.lines.append(contentsOf: lines)
            return isFirst
        }
        if isFirst { wakeUp.open() }
    }

    package func append(_ line: String) {
        var line = line
        line.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    package var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Returns once everything is written, or `patience` is over. What comes later is dropped.
    package func close(patience: Duration = .seconds(2)) {
        closing.open()
        wakeUp.open()
        _ = ended.wait(for: 1, timeout: patience)
    }

    // MARK: The thread

    private func run() {
        var isClosing = false
        while true {
            if !isClosing {
                _ = wakeUp.wait(for: 1, timeout: nil)
                isClosing = closing.wait(for: 1, timeout: Self.gatherTime)
            }
            let (lines, untold) = state.withLock { state in
                defer { (state.lines, state.untold) = ([], 0) }
                if isClosing, state.lines.isEmpty { state.isClosed = true }
                return (state.lines, state.untold)
            }
            if lines.isEmpty, isClosing { return ended.open() }
            write(lines)
            if untold > 0 {
                let time = LogTime.text(Clock.system.wall())
                let words = "\"level\":\"error\",\"message\":\"log lines dropped\",\"count\":\(untold)"
                write(Array("{\"time\":\"\(time)\",\(words)}\n".utf8))
            }
        }
    }

    /// Waits for as long as it takes: that is what this thread is for.
    private func write(_ lines: [UInt8]) {
        var rest = lines[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if errno != EINTR {
                // Nobody reads any more.
                return state.withLock { $0.dropped += UInt64(rest.count { $0 == 10 }) }
            }
        }
    }
}
