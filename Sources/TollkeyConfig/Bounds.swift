import TollkeyCore

/// What a configuration may ask for at most and at least, where `TollkeyCore` does not say so already.
package enum Bounds {
    // The file itself.
    package static let fileBytes = 1 << 20
    /// Maps and lists inside each other.
    package static let depth = 32
    /// Scalars, lists and maps in one file.
    package static let nodes = 200_000
    /// Problems told in full; the rest are counted.
    package static let problems = 1_000
    /// Characters of a key that a message repeats.
    package static let nameLength = 64

    // Lists and maps.
    package static let hosts = 1_000
    package static let origins = 1_000
    package static let environments = 64
    package static let addresses = 64
    package static let secrets = 100
    /// Header fields in each of `inject` and `defaults`, names in `pass`.
    package static let headers = 64
    package static let allow = 1_000
    package static let categories = CategorySettings.perProviderMax
    /// Patterns and limits of one category.
    package static let categoryPatterns = CategorySettings.patternsMax
    package static let categoryLimits = CategorySettings.limitsMax
    package static let variants = 16
    package static let stateKeys = 8
    package static let values = 32
    package static let credentials = 16
    /// Fields of a form or a query, headers of a call, claims of a JWT.
    package static let callFields = 64
    /// Values in a JSON content, and how deep they nest.
    package static let jsonNodes = 256
    package static let jsonDepth = 8
    /// Further values read from a credential's answer.
    package static let readValues = 16
    package static let refusals = 16
    /// What one answer is asked for.
    package static let expectations = 16
    package static let scopes = 64
    package static let scopeCalls = 64
    package static let otpCalls = 64
    package static let peers = 1_000
    package static let requestIDPlaces = 8

    // Text, in bytes.
    package static let textBytes = 4_096
    package static let headerNameBytes = 128
    package static let templateBytes = 4_096
    package static let secretBytes = Secret.bytesMax
    /// Less could be guessed: 16 bytes are 128 bits, if they come from dice.
    package static let stateKeyBytesMin = 32
    package static let adminTokenBytesMin = 16
    package static let fieldNameBytes = 128
    /// A place in an answer, and its levels.
    package static let placeBytes = 256
    package static let placeSteps = 16
    /// A scope's name, the name of an operation, a text that an answer is compared with.
    package static let wordBytes = 256
    package static let routeBytes = 256
    /// `sockaddr_un.sun_path` on Linux holds 108 bytes with the NUL at the end.
    package static let unixPathBytes = 107

    // Numbers.
    package static let listenPort = 0...65_535
    package static let port = 1...65_535
    package static let threads = 1...Settings.threadsMax
    /// uid and gid; 2^32 - 1 means "none" to the kernel.
    package static let peer = 0...4_294_967_294
    package static let clientConnections = 1...1_000_000
    package static let clientHeaders = 1...ClientLimits.headersMax
    package static let poolConnections = 1...100_000
    package static let poolIdle = 0...100_000
    package static let poolWaiting = 0...1_000_000
    /// Calls in one category's line.
    package static let categoryWaiting = 0...1_000_000
    /// Redis has 16 unless its own configuration says more.
    package static let redisDatabase = 0...65_535

    package static let status = 200...599
    /// Random bytes in a value.
    package static let random = 1...256

    // Sizes in bytes.
    package static let target = 256...ClientLimits.headRange.upperBound
    package static let bodyMax = 0...1 << 40
    package static let bodyReplay = 0...64 << 20

    // Durations.
    package static let timeout = Duration.milliseconds(1)...Duration.seconds(86_400)
    package static let drain = Duration.zero...Duration.seconds(3_600)
    package static let poolWait = Duration.zero...Duration.seconds(600)
    package static let credentialWait = Duration.zero...Duration.seconds(600)
    /// Ten years.
    package static let lifetime = Duration.seconds(1)...Duration.seconds(10 * 365 * 86_400)
    package static let renewBefore = Duration.zero...lifetime.upperBound
    /// In one category's line. None at all turns `Prefer: wait` away too.
    package static let categoryWait = Duration.zero...Duration.seconds(3_600)
    package static let retryAfterMax = LimitSettings.windowRange
    package static let auditKeep = Duration.seconds(3_600)...lifetime.upperBound
    package static let otpLifetime = Duration.seconds(1)...Duration.seconds(86_400)
}
