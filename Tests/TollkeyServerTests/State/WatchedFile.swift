import CSQLite
import Glibc
import Synchronization

/// An open file of a `CrashingFileSystem`: the head that SQLite demands, and ours. The system's own follows in memory.
struct WatchedFile {
    let head: sqlite3_file
    let entry: Unmanaged<OpenFile>
}

/// Which file it is, and the system's own file that does the work.
final class OpenFile {
    let owner: CrashingFileSystem
    let path: String
    let inner: UnsafeMutablePointer<sqlite3_file>

    init(_ owner: CrashingFileSystem, _ path: String, _ inner: UnsafeMutablePointer<sqlite3_file>) {
        self.owner = owner
        self.path = path
        self.inner = inner
    }

    var calls: sqlite3_io_methods { inner.pointee.pMethods.pointee }

    static func of(_ file: UnsafeMutablePointer<sqlite3_file>?) -> OpenFile {
        UnsafeMutableRawPointer(file!).assumingMemoryBound(to: WatchedFile.self).pointee.entry
            .takeUnretainedValue()
    }

    func write(_ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
        let written = Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        let goesOn = owner.step(path) { $0.pending.append(.write(offset: Int(offset), bytes: written)) }
        return goesOn ? calls.xWrite(inner, bytes, count, offset) : SQLITE_IOERR
    }

    func truncate(_ count: Int64) -> Int32 {
        let goesOn = owner.step(path) { $0.pending.append(.truncate(Int(count))) }
        return goesOn ? calls.xTruncate(inner, count) : SQLITE_IOERR
    }

    /// The system's sync is left out: it is the shim that says what is safe.
    func sync() -> Int32 {
        guard owner.step(path, { _ in }) else { return SQLITE_IOERR }
        owner.state.withLock { $0.files[path]?.sync() }
        return SQLITE_OK
    }

    func close() -> Int32 {
        owner.state.withLock { state in
            state.files[path]?.openCount -= 1
            // It may be renamed from now on, and is looked at anew when it is opened again.
            if let file = state.files[path], file.openCount == 0, file.pending.isEmpty {
                state.files[path] = nil
            }
        }
        return calls.xClose(inner)
    }

    /// SAFETY: written once, here, and then only read.
    nonisolated(unsafe) static let methods: UnsafePointer<sqlite3_io_methods> = {
        var methods = sqlite3_io_methods()
        // Without xFetch and xUnfetch: all writing goes through xWrite.
        methods.iVersion = 2
        methods.xClose = { file in
            let entry = UnsafeMutableRawPointer(file!).assumingMemoryBound(to: WatchedFile.self).pointee.entry
            defer { entry.release() }
            return entry.takeUnretainedValue().close()
        }
        methods.xWrite = { file, bytes, count, offset in OpenFile.of(file).write(bytes, count, offset) }
        methods.xTruncate = { file, count in OpenFile.of(file).truncate(count) }
        methods.xSync = { file, _ in OpenFile.of(file).sync() }

        methods.xRead = { file, bytes, count, offset in
            let file = OpenFile.of(file)
            return file.calls.xRead(file.inner, bytes, count, offset)
        }
        methods.xFileSize = { file, size in
            let file = OpenFile.of(file)
            return file.calls.xFileSize(file.inner, size)
        }
        methods.xLock = { file, level in
            let file = OpenFile.of(file)
            return file.calls.xLock(file.inner, level)
        }
        methods.xUnlock = { file, level in
            let file = OpenFile.of(file)
            return file.calls.xUnlock(file.inner, level)
        }
        methods.xCheckReservedLock = { file, result in
            let file = OpenFile.of(file)
            return file.calls.xCheckReservedLock(file.inner, result)
        }
        methods.xFileControl = { file, operation, argument in
            let file = OpenFile.of(file)
            return file.calls.xFileControl(file.inner, operation, argument)
        }
        methods.xSectorSize = { file in
            let file = OpenFile.of(file)
            return file.calls.xSectorSize(file.inner)
        }
        methods.xDeviceCharacteristics = { file in
            let file = OpenFile.of(file)
            return file.calls.xDeviceCharacteristics(file.inner)
        }
        methods.xShmMap = { file, region, size, extends, memory in
            let file = OpenFile.of(file)
            return file.calls.xShmMap(file.inner, region, size, extends, memory)
        }
        methods.xShmLock = { file, offset, count, flags in
            let file = OpenFile.of(file)
            return file.calls.xShmLock(file.inner, offset, count, flags)
        }
        methods.xShmBarrier = { file in
            let file = OpenFile.of(file)
            file.calls.xShmBarrier(file.inner)
        }
        methods.xShmUnmap = { file, removes in
            let file = OpenFile.of(file)
            return file.calls.xShmUnmap(file.inner, removes)
        }
        let place = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        place.initialize(to: methods)
        return UnsafePointer(place)
    }()
}

extension CrashingFileSystem {
    /// Opens the system's file behind a watched one; a file's content before is what is durable of it.
    func open(
        _ path: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        let place = UnsafeMutableRawPointer(file!)
        let inner = (place + MemoryLayout<WatchedFile>.stride).assumingMemoryBound(to: sqlite3_file.self)
        let name = path.map { String(cString: $0) } ?? ""
        let isKnown = state.withLock { $0.files[name] != nil }
        let before = isKnown ? nil : try? Files.bytes(name)
        let code =
            state.withLock { $0.hasCrashed }
            ? SQLITE_CANTOPEN
            : system.pointee.xOpen(
                system, path, inner, flags, outFlags)
        guard code == SQLITE_OK else {
            file!.pointee.pMethods = nil
            return code
        }
        state.withLock { state in
            if state.files[name] == nil { state.files[name] = Tracked(durable: before) }
            state.files[name]?.openCount += 1
        }
        place.assumingMemoryBound(to: WatchedFile.self).initialize(
            to: WatchedFile(
                head: sqlite3_file(pMethods: OpenFile.methods),
                entry: .passRetained(OpenFile(self, name, inner))))
        return code
    }
}
