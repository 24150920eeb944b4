/// Why the state cannot be used, or not in this way: what is wrong and what to do, for a person.
package struct StateFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, CaseIterable {
        /// The directory, or a file in it, cannot be made or read, or is open to others.
        case directory
        /// The state key is missing, unfit, or readable by others.
        case key
        /// The state is sealed with a key that is not among those given.
        case wrongKey
        /// What is there is not ours.
        case foreign
        /// A later version of Tollkey has written it.
        case newer
        /// It is ours and has been cut, altered or mixed up.
        case damaged
        /// Another process holds what is needed, for longer than is waited for.
        case busy
        /// Somebody else has written since the version that was to be replaced.
        case superseded
        /// What all replicas must know of first cannot be shared now: Redis is away, or has just come back.
        case unshared
        /// A bound of ours.
        case tooLarge
        /// The system refuses: no room, an input or output error.
        case system
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
