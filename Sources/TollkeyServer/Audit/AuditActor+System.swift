import Glibc
package import TollkeyCore

extension AuditActor {
    /// Who gives the command that this process is.
    package static func process() -> AuditActor {
        let id = getuid()
        // Who logged in at the machine, whoever they have become since (sudo, su); set by PAM, for good.
        let text = (try? SmallFile("/proc/self/loginuid", bytesMax: 16)).map {
            String(decoding: $0.bytes, as: UTF8.self)
        }
        let login = text.flatMap { UInt32($0.filter(\.isNumber)) }.flatMap { $0 == .max ? nil : $0 }
        return .user(id, name: userName(id), login: login.map { ($0, userName($0)) })
    }

    /// Who is at the other end of a unix socket.
    package static func peer(_ id: UInt32) -> AuditActor { .user(id, name: userName(id)) }

    private static func userName(_ id: uid_t) -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4_096)
        return buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress,
                getpwuid_r(id, &entry, start, buffer.count, &found) == 0, found != nil,
                let name = entry.pw_name
            else { return nil }
            return String(cString: name)
        }
    }
}
