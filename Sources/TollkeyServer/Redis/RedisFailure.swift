/// Why a command has no reply, or has one that says no.
package struct RedisFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// No address, no connection, or one that broke off.
        case unreachable
        /// Not the server that was meant, or not TLS on both sides.
        case tls
        /// It does not let us in, or not do this: password, user, permission, database.
        case refused
        /// No connection, or no reply, within the time for it.
        case timedOut
        /// It is there and serves nobody for now: it loads its data, has lost its primary, runs somebody's script, or
        /// cannot write to its disk.
        case busy
        /// It is a replica, as after a failover.
        case readOnly
        /// It has no memory for what would be written.
        case outOfMemory
        /// It is one of a cluster, and another one has the key.
        case elsewhere
        /// What it sent is no RESP, or beyond a bound of ours; or what we were to send is.
        case malformed
        /// A script of ours ended with an error.
        case script
        /// It says no to the command itself.
        case command
        /// The client was closed.
        case closed
    }

    package let kind: Kind
    /// False: certainly nothing of it was performed.
    package let mayHaveRun: Bool
    /// The first word of the server's no; nil when it did not say one.
    package let code: String?
    /// For people. Names the server and reasons; never a password, a key, an argument or a reply.
    package let description: String

    package init(_ kind: Kind, mayHaveRun: Bool = false, code: String? = nil, _ description: String) {
        self.kind = kind
        self.mayHaveRun = mayHaveRun
        self.code = code
        self.description = description
    }

    /// The same for a command that was not sent because of it.
    var beforeSending: RedisFailure { RedisFailure(kind, code: code, description) }

    static let closed = RedisFailure(.closed, "the connection to Redis was closed here")
    static let noMemory = RedisFailure(.unreachable, "there is no memory for a connection to Redis")
}

extension RedisErrorReply {
    /// What the server's no means, for one command by itself.
    func failure(from peer: String, isScript: Bool) -> RedisFailure {
        let kind = kind ?? (isScript ? .script : .command)
        // What a script had written before its error stays. Redis gives the other reasons for a no before the first
        // write only, but for a permission.
        let mayHaveRun = isScript && (kind == .script || kind == .refused && scriptText != nil)
        return RedisFailure(
            kind, mayHaveRun: mayHaveRun, code: code, "Redis at \(peer) \(words(kind)) (\(code))")
    }

    /// Whether a connection that has heard this is of no use any more: the next one may reach another server, or this
    /// one in a better state.
    var endsConnection: Bool {
        switch code {
        case "NOAUTH", "DENIED", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "MOVED", "ASK": true
        default: false
        }
    }

    private var kind: RedisFailure.Kind? {
        switch code {
        case "NOAUTH", "WRONGPASS", "NOPERM", "DENIED": .refused
        case "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MISCONF", "NOREPLICAS": .busy
        case "READONLY": .readOnly
        case "OOM": .outOfMemory
        case "MOVED", "ASK", "CROSSSLOT": .elsewhere
        default: nil
        }
    }

    private func words(_ kind: RedisFailure.Kind) -> String {
        switch (kind, code) {
        case (.refused, "NOAUTH"): "wants a password"
        case (.refused, "WRONGPASS"): "refuses the user or the password"
        case (.refused, "NOPERM"): "does not allow this user what is needed"
        case (.refused, "DENIED"):
            "lets nobody in from other machines: it is in protected mode, without a password"
        case (.busy, "LOADING"): "is loading its data"
        case (.busy, "BUSY"): "is busy with a script that takes too long"
        case (.busy, "MASTERDOWN"): "is a replica that has lost its primary"
        case (.busy, "MISCONF"): "takes no writes, because it cannot write to its disk"
        case (.busy, "NOREPLICAS"): "takes no writes, because too few replicas follow it"
        case (.readOnly, _): "is a replica and takes no writes"
        case (.outOfMemory, _): "has reached its maxmemory"
        case (.elsewhere, _): "is one of a cluster, which is not supported"
        case (.script, _): scriptText.map { "ended a script: \($0)" } ?? "ended a script"
        default: "refuses"
        }
    }
}
