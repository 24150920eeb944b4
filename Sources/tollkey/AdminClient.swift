import CLinux
import Glibc
import TollkeyCore
import TollkeyServer

/// Asks a running daemon, over its admin listener: one request, one answer.
struct AdminClient {
    let address: ListenAddress

    struct Answer {
        let status: Int
        let content: [UInt8]
    }

    struct Fault: Error {
        let words: String
    }

    /// For the whole exchange.
    private static let seconds = 15
    private static let answerBytesMax = 64 << 20

    func get(_ path: String) throws(Fault) -> Answer {
        let descriptor = try connect()
        defer { close(descriptor) }
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        guard send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            throw Fault(words: "\(address.text) does not take the request")
        }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &room, room.count, 0)
            if count == 0 { break }
            guard count > 0, bytes.count + count <= Self.answerBytesMax else {
                throw Fault(words: "\(address.text) broke off in the middle of its answer")
            }
            bytes += room.prefix(count)
        }
        return try read(bytes)
    }

    private func connect() throws(Fault) -> Int32 {
        let descriptor: Int32
        let result: Int32
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        switch address {
        case .unix(let path):
            descriptor = socket(AF_UNIX, type, 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            limit(descriptor)
            result = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
            var found: UnsafeMutablePointer<addrinfo>?
            let literal = host == "localhost" || host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
            guard getaddrinfo(literal, String(port), &hints, &found) == 0, let entry = found?.pointee else {
                throw Fault(words: "\(address.text) is no address")
            }
            defer { freeaddrinfo(found) }
            descriptor = socket(entry.ai_family, type, 0)
            limit(descriptor)
            result = Glibc.connect(descriptor, entry.ai_addr, entry.ai_addrlen)
        }
        guard result == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw Fault(words: "nobody answers at \(address.text) (\(reason)); is the daemon running?")
        }
        return descriptor
    }

    private func limit(_ descriptor: Int32) {
        var time = timeval(tv_sec: Self.seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private func read(_ bytes: [UInt8]) throws(Fault) -> Answer {
        var head = ResponseHead()
        let isComplete = try? head.read(bytes.span)
        guard isComplete == true else {
            throw Fault(words: "what listens at \(address.text) is no Tollkey")
        }
        return Answer(status: head.status, content: Array(bytes[head.end...]))
    }
}
