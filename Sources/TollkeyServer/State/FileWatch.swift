import CLinux
import Glibc
import Synchronization

/// Notices that files may have changed: inotify(7) on the directories that lead to them.
///
/// Directories, not files: so that a file that is exchanged by renaming, that does not exist yet, or that lies behind
/// links that are turned (as Kubernetes does with `..data`) is noticed too. It tells that something happened, not what:
/// look at the files after `drain`.
package final class FileWatch: Sendable {
    /// Readable when something has happened; -1 when the system offers no such thing, and files must be looked at from
    /// time to time instead.
    package let descriptor: Int32
    private let state = Mutex(State())

    private struct State {
        var paths: [String] = []
        var watches: Set<Int32> = []
        var isComplete = true
    }

    package static let directoriesMax = 1_000
    private static let events = UInt32(
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF
            | IN_MOVE_SELF)

    /// `instance` is an inotify descriptor, which this then owns; -1 for none.
    package init(instance: Int32 = inotify_init1(tollkey_IN_CLOEXEC | tollkey_IN_NONBLOCK)) {
        descriptor = instance
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Whether every change is noticed: false without inotify, and when a directory could not be watched.
    package var isComplete: Bool { state.withLock { descriptor >= 0 && $0.isComplete } }

    /// Watches these files, and no others any more. They need not exist.
    package func replace(paths: [String]) {
        state.withLock { state in
            state.paths = paths
            arm(&state)
        }
    }

    /// Whether something has happened since it was last asked.
    package func drain() -> Bool {
        guard descriptor >= 0 else { return false }
        return state.withLock { state in
            var hasHappened = false
            withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 8) { buffer in
                while true {
                    let count = read(descriptor, buffer.baseAddress, buffer.count)
                    guard count > 0 else { break }
                    hasHappened =
                        Self.tells(UnsafeRawBufferPointer(rebasing: buffer.prefix(count))) || hasHappened
                }
            }
            // Links may lead elsewhere now, and a directory may have come or been exchanged. Before the caller looks, so
            // that nothing comes between.
            if hasHappened { arm(&state) }
            return hasHappened
        }
    }

    /// Whether there is more among the events than the end of watches.
    private static func tells(_ events: UnsafeRawBufferPointer) -> Bool {
        let headCount = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + headCount <= events.count {
            let event = events.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            if event.mask & UInt32(IN_IGNORED) == 0 { return true }
            offset += headCount + Int(event.len)
        }
        return false
    }

    /// Watches the directories that lead to the paths at present.
    private func arm(_ state: inout State) {
        guard descriptor >= 0 else { return }
        let directories = state.paths.reduce(into: Set<String>()) { $0.formUnion(Self.directories(to: $1)) }
        state.isComplete = directories.count <= Self.directoriesMax
        var watches: Set<Int32> = []
        for directory in directories.sorted().prefix(Self.directoriesMax) {
            let watch = inotify_add_watch(descriptor, directory, Self.events | tollkey_IN_ONLYDIR)
            if watch >= 0 { watches.insert(watch) } else { state.isComplete = false }
        }
        for watch in state.watches.subtracting(watches) { inotify_rm_watch(descriptor, watch) }
        state.watches = watches
    }

    /// Where a change can make `path` another file: the directory of the file, of every link on the way, and, where
    /// the way ends too early, of what is missing.
    static func directories(to path: String) -> Set<String> {
        var found: Set<String> = []
        var here = path.hasPrefix("/") ? "" : workingDirectory()
        var ahead = steps(of: path)
        var links = 0
        while let step = ahead.popLast() {
            if step == ".." {
                here = String(here[..<(here.lastIndex(of: "/") ?? here.startIndex)])
                continue
            }
            let next = "\(here)/\(step)"
            var status = stat()
            guard lstat(next, &status) == 0 else { return found.union([here.isEmpty ? "/" : here]) }
            if status.st_mode & S_IFMT == S_IFLNK {
                found.insert(here.isEmpty ? "/" : here)
                links += 1
                guard links <= linksMax, let target = readLink(next) else { return found }
                if target.hasPrefix("/") { here = "" }
                ahead += steps(of: target)
            } else if ahead.isEmpty {
                found.insert(here.isEmpty ? "/" : here)
            } else {
                here = next
            }
        }
        return found
    }

    /// As many as the system follows.
    private static let linksMax = 40

    /// The names on a path, the first one last.
    private static func steps(of path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
    }

    private static func readLink(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &target, target.count)
        guard count > 0 else { return nil }
        return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func workingDirectory() -> String {
        guard let path = realpath(".", nil) else { return "" }
        defer { free(path) }
        let text = String(cString: path)
        return text == "/" ? "" : text
    }
}
