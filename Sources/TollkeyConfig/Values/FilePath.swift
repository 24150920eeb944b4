/// Paths in the file: relative ones begin at the configuration's own folder, wherever the process was
/// started.
enum FilePath {
    static func parse(_ path: String, in directory: String?) throws(Misfit) -> String {
        guard !path.isEmpty else { throw Misfit("is empty; name a file") }
        guard path.utf8.count <= Bounds.textBytes else { throw Misfit("is too long for a path") }
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw Misfit("has a control character in it; name a file")
        }
        return resolved(path, in: directory)
    }

    static func resolved(_ path: String, in directory: String?) -> String {
        guard path.utf8.first != UInt8(ascii: "/"), let directory, !directory.isEmpty else { return path }
        return directory.utf8.last == UInt8(ascii: "/") ? directory + path : "\(directory)/\(path)"
    }
}
