import CSQLite
import Glibc
import Synchronization

/// The system's files as SQLite sees them (an `sqlite3_vfs`), until a crash: from a given step on nothing is written any
/// more, and what had not been synced may be lost.
///
/// A step is a write, a truncation, a sync or a removal. Reading and locking are not: they leave nothing behind.
final class CrashingFileSystem: Sendable {
    /// What a crash takes with it.
    enum Loss: CaseIterable {
        /// The process was killed: whatever it wrote is there.
        case nothing
        /// The power failed: only what was synced is there.
        case allUnsynced
        /// The power failed while the disk was writing: some of what was not synced is there, some of that in part, in
        /// no order. The step that failed may have been under way.
        case someUnsynced
    }

    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
        case remove
    }

    /// A file since it was last safe.
    struct Tracked {
        /// nil: there is none.
        var durable: [UInt8]?
        var pending: [Change] = []
        var openCount = 0
    }

    struct State {
        var files: [String: Tracked] = [:]
        var steps = 0
        var crashStep: Int?
        var hasCrashed: Bool { crashStep.map { steps >= $0 } ?? false }
    }

    /// What SQLite knows it by.
    let name: String
    let state = Mutex(State())
    /// SAFETY: set in `init` and removed in `deinit`; SQLite reads it in between.
    nonisolated(unsafe) private let registration: UnsafeMutablePointer<sqlite3_vfs>
    /// SAFETY: SQLite's own, which lives as long as the process.
    nonisolated(unsafe) let system: UnsafeMutablePointer<sqlite3_vfs>

    private static let count = Atomic(0)

    /// Crashes at the step of that number, the first being 1; nil never does.
    init(crashStep: Int?) {
        name = "crashing-\(Self.count.add(1, ordering: .relaxed).newValue)"
        system = sqlite3_vfs_find(nil)
        registration = .allocate(capacity: 1)
        registration.initialize(to: system.pointee)
        registration.pointee.zName = UnsafePointer(strdup(name))
        registration.pointee.szOsFile = Int32(MemoryLayout<WatchedFile>.stride) + system.pointee.szOsFile
        registration.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
        registration.pointee.xOpen = { vfs, path, file, flags, outFlags in
            CrashingFileSystem.of(vfs).open(path, file, flags, outFlags)
        }
        registration.pointee.xDelete = { vfs, path, isDurable in
            CrashingFileSystem.of(vfs).remove(path, isDurable: isDurable != 0)
        }
        state.withLock { $0.crashStep = crashStep }
        sqlite3_vfs_register(registration, 0)
    }

    deinit {
        sqlite3_vfs_unregister(registration)
        free(UnsafeMutablePointer(mutating: registration.pointee.zName))
        registration.deallocate()
    }

    private static func of(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> CrashingFileSystem {
        Unmanaged.fromOpaque(vfs!.pointee.pAppData).takeUnretainedValue()
    }

    var hasCrashed: Bool { state.withLock { $0.hasCrashed } }

    /// Counts a step; false when it does not happen any more. `note` is called with the file's record, also for the one
    /// step that the crash interrupts.
    func step(_ path: String, _ note: (inout Tracked) -> Void) -> Bool {
        state.withLock { state in
            guard !state.hasCrashed else { return false }
            state.steps += 1
            note(&state.files[path, default: Tracked(durable: nil)])
            return !state.hasCrashed
        }
    }

    private func remove(_ path: UnsafePointer<CChar>?, isDurable: Bool) -> Int32 {
        let goesOn = step(String(cString: path!)) { $0.pending.append(.remove) }
        guard goesOn else { return SQLITE_IOERR }
        let code = system.pointee.xDelete(system, path, isDurable ? 1 : 0)
        if code == SQLITE_OK, isDurable { state.withLock { $0.files[String(cString: path!)]?.sync() } }
        return code
    }

    /// Copies a folder as it is found after the crash. Nobody may have its files open any more.
    func settle(_ folder: String, losing loss: Loss, into copy: String) throws {
        let (tracked, steps) = state.withLock { ($0.files, $0.steps) }
        if let open = tracked.first(where: { $0.value.openCount > 0 }) { throw StillOpen(path: open.key) }
        try Files.copy(folder, to: copy) { !$0.hasSuffix("-shm") }
        var dice = Dice(seed: UInt64(steps))
        for (path, file) in tracked.sorted(by: { $0.key < $1.key }) where path.hasPrefix(folder) {
            let place = copy + path.dropFirst(folder.count)
            switch loss {
            case .nothing: continue
            case .allUnsynced: try put(file.durable, at: place)
            case .someUnsynced: try put(file.surviving(&dice), at: place)
            }
        }
    }

    struct StillOpen: Error { let path: String }

    private func put(_ bytes: [UInt8]?, at path: String) throws {
        guard let bytes else {
            unlink(path)
            return
        }
        try Files.write(bytes, to: path)
    }
}

extension CrashingFileSystem.Tracked {
    mutating func sync() {
        for change in pending { Self.apply(change, to: &durable) }
        pending = []
    }

    /// What chance leaves.
    func surviving(_ dice: inout Dice) -> [UInt8]? {
        var bytes = durable
        for change in pending {
            switch (dice.roll(4), change) {
            case (0, _): continue
            case (1, .write(let offset, let written)):
                // Disks write sectors.
                let part = dice.roll(written.count / 512 + 1) * 512
                Self.apply(.write(offset: offset, bytes: Array(written.prefix(part))), to: &bytes)
            default: Self.apply(change, to: &bytes)
            }
        }
        return bytes
    }

    private static func apply(_ change: CrashingFileSystem.Change, to bytes: inout [UInt8]?) {
        var content = bytes ?? []
        bytes = nil
        switch change {
        case .remove: return
        case .truncate(let count):
            if content.count > count { content.removeLast(content.count - count) }
        case .write(let offset, let written):
            let end = offset + written.count
            if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
            content.replaceSubrange(offset..<end, with: written)
        }
        bytes = content
    }
}

/// The same throws for the same seed (SplitMix64).
struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// 0..<sides
    mutating func roll(_ sides: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ mixed >> 31) % UInt64(sides))
    }
}
