import Glibc
package import TollkeyCore

/// Waits on loopback for the browser that a login sends back (RFC 8252 §7.3).
package final class RedirectListener: Sendable {
    /// What the provider is told.
    package let uri: String
    private let sockets: [ListeningSocket]
    private let path: [UInt8]

    /// How long a person may take.
    package static let timeout: Duration = .seconds(300)
    /// Of one request.
    package static let requestBytesMax = 16 << 10
    /// Answered before it is given up: somebody is guessing.
    package static let requestsMax = 100
    static let visitorsMax = 16
    /// How long one of them may take to ask.
    static let visitTimeout: Duration = .seconds(10)

    /// Listens where the `configured` redirect leads, else at `port`, else at a free one.
    package init(_ configured: String?, port: Int? = nil) throws(OperatorFailure) {
        guard let configured else {
            let socket = try Self.listen("127.0.0.1", port ?? 0)
            sockets = [socket]
            path = Array("/callback".utf8)
            uri = "http://127.0.0.1:\(socket.boundPort)/callback"
            return
        }
        guard let parts = RedirectURI(configured), parts.canListen else {
            throw OperatorFailure(
                "The login leads back to \(configured), which is not this machine: use --paste, and give it the address"
                    + " that the browser shows in the end.")
        }
        guard port == nil || port == parts.port else {
            throw OperatorFailure(
                "The configuration's 'redirect_uri' names port \(parts.port); leave --port out.")
        }
        uri = configured
        path = Array(parts.path.utf8)
        let first = try Self.listen(parts.host, parts.port)
        // A browser may take either address for this name.
        let second =
            parts.host == "localhost" ? try? ListeningSocket(.tcp(host: "::1", port: parts.port)) : nil
        sockets = [first] + [second].compactMap { $0 }
    }

    deinit { for socket in sockets { Glibc.close(socket.descriptor) } }

    private static func listen(_ host: String, _ port: Int) throws(OperatorFailure) -> ListeningSocket {
        do throws(StartFailure) { return try ListeningSocket(.tcp(host: host, port: port)) } catch {
            throw OperatorFailure("The redirect cannot be waited for: \(error.description).")
        }
    }

    /// The code of the redirect that `judge` takes for ours. Whatever else comes is answered and waited past.
    package func wait(
        timeout: Duration = RedirectListener.timeout, judge: (ArraySlice<UInt8>) -> RedirectVerdict
    ) throws(OperatorFailure) -> Secret {
        let end = MonotonicTime.system() + TimeSpan(timeout)
        var visitors: [RedirectVisitor] = []
        defer { for visitor in visitors { visitor.leave() } }
        var requests = 0
        while requests < Self.requestsMax {
            let now = MonotonicTime.system()
            guard now < end else {
                throw OperatorFailure(
                    "Nobody came back from the login within \(timeout.inWords); begin anew.")
            }
            let isFull = visitors.count >= Self.visitorsMax
            let ready = Self.readable(
                visitors.map(\.descriptor) + (isFull ? [] : sockets.map(\.descriptor)), until: end, now)
            var staying: [RedirectVisitor] = []
            var verdict: RedirectVerdict?
            for var visitor in visitors {
                guard ready.contains(visitor.descriptor) else {
                    if now < visitor.end { staying.append(visitor) } else { visitor.leave() }
                    continue
                }
                switch visitor.read(path: path) {
                case .waits: staying.append(visitor)
                case .gone: visitor.leave()
                case .asksElse(let page):
                    requests += 1
                    visitor.leave(with: page)
                case .brings(let query):
                    requests += 1
                    let found = judge(query)
                    visitor.leave(with: found.page)
                    if found.isFinal { verdict = verdict ?? found }
                }
            }
            visitors = staying
            switch verdict {
            case .code(let code): return code
            case .denied(let code): throw LoginFlow.denied(code)
            case .foreign, .empty, nil: break
            }
            for socket in sockets where ready.contains(socket.descriptor) {
                if let visitor = RedirectVisitor(from: socket, end: now + TimeSpan(Self.visitTimeout)) {
                    visitors.append(visitor)
                }
            }
        }
        throw OperatorFailure(
            "\(Self.requestsMax) requests came that were no answer to the login; begin anew, and see who sends them."
        )
    }

    /// Those that can be read without waiting. Waits for one, for a second at most.
    private static func readable(
        _ descriptors: [Int32], until end: MonotonicTime, _ now: MonotonicTime
    ) -> Set<Int32> {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let left = (end.nanoseconds - now.nanoseconds) / 1_000_000 + 1
        poll(&entries, nfds_t(entries.count), Int32(min(1_000, left)))
        return Set(entries.filter { $0.revents != 0 }.map(\.fd))
    }
}

extension RedirectVerdict {
    fileprivate var page: RedirectPage {
        switch self {
        case .code: .thanks
        case .denied(let code): .denied(code)
        case .foreign: .foreign
        case .empty: .empty
        }
    }

    /// Whether the login is over with it.
    fileprivate var isFinal: Bool {
        switch self {
        case .code, .denied: true
        case .foreign, .empty: false
        }
    }
}
