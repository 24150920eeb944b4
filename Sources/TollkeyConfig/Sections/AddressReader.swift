import TollkeyCore

/// `listen`, `admin` and `listen_beyond_loopback`: every socket of the proxy's own.
struct AddressReader {
    /// nil when absent or wrong.
    private(set) var listeners: [ListenAddress]?
    private(set) var admin: [ListenAddress]?
    /// Whether what the file says could be read, so that conclusions may be drawn from it.
    private(set) var areGood = true

    private let reading: Reading
    private var isBeyondLoopback = false
    /// Where each address was first; nil for what holds without being said.
    private var lines: [String: (key: String, line: Int?)] = [:]

    init(_ top: inout MapReader, reading: Reading) {
        self.reading = reading
        let problemsBefore = reading.problemCount
        let format = Format<ListenAddress>.text { text throws(Misfit) in try ListenAddress(parsing: text) }
        let found = top.value("listen", .list(of: format, least: 1, max: Settings.listenersMax))
        top.set(&isBeyondLoopback, "listen_beyond_loopback", .flag)
        listeners = take(found, "listen", "spends your credentials")
        areGood = reading.problemCount == problemsBefore
        if found == nil {
            for identity in Settings().listeners.compactMap(\.identity) { lines[identity] = ("listen", nil) }
        }
        let admins = top.value("admin", .list(of: format, least: 1, max: AdminSettings.listenersMax))
        admin = take(admins, "admin", "reads which providers you use and how")
    }

    private mutating func take(
        _ found: Placed<[Placed<ListenAddress>]>?, _ key: String, _ danger: String
    ) -> [ListenAddress]? {
        for listener in found?.value ?? [] {
            if let identity = listener.value.identity {
                if let first = lines[identity] {
                    let line = first.line.map { "on line \($0)" } ?? "by default"
                    let there = first.key == key ? "first" : "and \"\(first.key)\""
                    reading.report(
                        listener.position,
                        "\"\(key)\" has this address twice, \(there) \(line); keep one of them")
                } else {
                    lines[identity] = (key, listener.position.line)
                }
            }
            if !isBeyondLoopback, !listener.value.isLoopback {
                reading.report(
                    listener.position,
                    """
                    "\(key)" has an address that other machines can reach, over plain HTTP: whoever reaches it \
                    \(danger); listen on 127.0.0.1 or a unix socket, or, if something in front keeps others out, \
                    write "listen_beyond_loopback: true"
                    """)
            }
        }
        return found?.value.map(\.value)
    }
}
