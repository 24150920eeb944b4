import Glibc

/// What the system says of this process.
enum ProcessFacts {
    /// Bytes of memory in use (VmRSS).
    static func residentBytes() throws -> Int {
        let text = try contents(of: "/proc/self/status")
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first,
            let count = Int(kilobytes)
        else { throw RawConnection.Failure.malformed("/proc/self/status") }
        return count << 10
    }

    /// Open descriptors of sockets and of what event loops are made of: what each refers to, sorted. Files are left
    /// out, since other tests may read some at the same time.
    static func descriptors() -> [String] {
        var names: [String] = []
        guard let folder = opendir("/proc/self/fd") else { return names }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let number = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            var target = [CChar](repeating: 0, count: 256)
            let path = "/proc/self/fd/" + String(decoding: number, as: UTF8.self)
            let count = max(0, readlink(path, &target, target.count))
            let text = String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("socket:") || text.hasPrefix("anon_inode:") { names.append(text) }
        }
        return names.sorted()
    }

    /// How many threads have this name.
    static func threads(named name: String) -> Int {
        var count = 0
        guard let folder = opendir("/proc/self/task") else { return 0 }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let number = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            let path = "/proc/self/task/\(String(decoding: number, as: UTF8.self))/comm"
            if (try? contents(of: path)) == name + "\n" { count += 1 }
        }
        return count
    }

    private static func contents(of path: String) throws -> String {
        guard let stream = fopen(path, "re") else { throw RawConnection.Failure.system("fopen", errno) }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = fread(&bytes, 1, bytes.count, stream)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
