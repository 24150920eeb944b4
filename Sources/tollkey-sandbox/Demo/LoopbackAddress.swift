import ArgumentParser
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`: where the demo's proxy listens.
struct LoopbackAddress: ExpressibleByArgument, CustomStringConvertible, Sendable {
    static let usual = LoopbackAddress(host: "127.0.0.1", port: 8_080)

    /// Without brackets.
    let host: String
    let port: Int

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"),
            let port = Int(argument[argument.index(after: colon)...]), (1...65_535).contains(port)
        else { return nil }
        switch argument[..<colon] {
        case "127.0.0.1", "localhost": self.init(host: "127.0.0.1", port: port)
        case "[::1]": self.init(host: "::1", port: port)
        default: return nil
        }
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Where the proxy's operator looks: 9180 for 8080. nil beyond the last port.
    var forOperators: LoopbackAddress? {
        port + 1_100 > 65_535 ? nil : LoopbackAddress(host: host, port: port + 1_100)
    }

    enum Verdict: Sendable {
        case free
        case taken
        case unusable(String)
    }

    /// Asks the system by listening there for a moment.
    func isFree() async -> Verdict {
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        do {
            try await bootstrap.bind(host: host, port: port).get().close().get()
            return .free
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            return .taken
        } catch {
            return .unusable("\(error)")
        }
    }
}
