import Glibc
import TollkeyCore
import TollkeyServer

/// Takes log lines as standard error would, for a test to read.
final class LogFile: Sendable {
    let sink: LogSink
    let control = LogControl()
    private let folder: TemporaryFolder
    private let descriptor: Int32

    init() throws {
        folder = try TemporaryFolder()
        descriptor = open("\(folder.path)/log", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        sink = try LogSink(descriptor)
    }

    deinit { close(descriptor) }

    /// All that was logged; nothing can be from here on.
    func lines() throws -> [JSONValue] {
        sink.close()
        let content = try SmallFile("\(folder.path)/log", bytesMax: 16 << 20).bytes
        return try content.split(separator: 10).map { try JSONValue(Array($0)) }
    }

    func text() throws -> String {
        sink.close()
        return String(decoding: try SmallFile("\(folder.path)/log", bytesMax: 16 << 20).bytes, as: UTF8.self)
    }
}
