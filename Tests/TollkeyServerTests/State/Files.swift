import Glibc

/// Files as a whole.
enum Files {
    static func bytes(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw RawConnection.Failure.system("open", errno) }
        defer { close(descriptor) }
        var status = stat()
        fstat(descriptor, &status)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = read(descriptor, &bytes, bytes.count)
        guard count == bytes.count else { throw RawConnection.Failure.system("read", errno) }
        return bytes
    }

    /// Puts `bytes` where the file's were; its mode and its place stay.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw RawConnection.Failure.system("open", errno) }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw RawConnection.Failure.system("write", errno)
        }
    }

    static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 else { throw RawConnection.Failure.system("mkdir", errno) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func mode(_ path: String) -> mode_t { status(path).st_mode & 0o7777 }

    static func status(_ path: String) -> stat {
        var status = stat()
        lstat(path, &status)
        return status
    }

    /// The paths of all that is in `folder`, and in folders in it.
    static func all(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            let name = String(decoding: bytes, as: UTF8.self)
            if name == "." || name == ".." { continue }
            let path = "\(folder)/\(name)"
            found.append(path)
            if status(path).st_mode & S_IFMT == S_IFDIR { found += all(in: path) }
        }
        return found.sorted()
    }

    /// Copies a folder, which must not exist yet, with those of its files that are wanted.
    static func copy(_ folder: String, to copy: String, where isWanted: (String) -> Bool = { _ in true })
        throws
    {
        mkdir(copy, mode(folder))
        for path in all(in: folder) where isWanted(path) {
            let place = copy + path.dropFirst(folder.count)
            if status(path).st_mode & S_IFMT == S_IFDIR {
                mkdir(place, mode(path))
            } else {
                try write(bytes(path), to: place, mode: mode(path))
            }
        }
    }

    static func remove(_ path: String) {
        for inner in all(in: path).reversed() {
            if unlink(inner) != 0 { rmdir(inner) }
        }
        if unlink(path) != 0 { rmdir(path) }
    }
}
