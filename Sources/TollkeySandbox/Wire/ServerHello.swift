import NIOCore

/// Reads a server's first TLS flight, because the TLS library does not tell whether a handshake resumed.
enum ServerHello {
    private static let changeCipherRecord: UInt8 = 20
    private static let handshakeRecord: UInt8 = 22
    private static let serverHello: UInt8 = 2
    private static let helloRetryRandomStart: [UInt8] = [0xcf, 0x21, 0xad, 0x74]
    private static let versionExtension: UInt16 = 43
    private static let preSharedKeyExtension: UInt16 = 41
    private static let randomBytes = 32

    /// TLS 1.3: the hello chose a pre-shared key (RFC 8446 §4.2.11). TLS 1.2: the server changes to
    /// encryption in its first flight, which a full handshake does in its second (RFC 5246 §7.3).
    static func isResumption(_ flight: ByteBuffer) -> Bool {
        var flight = flight
        var messages = ByteBuffer()
        var changesCipher = false
        while let kind = flight.readInteger(as: UInt8.self), flight.readInteger(as: UInt16.self) != nil,
            var record = flight.readLengthPrefixedSlice(as: UInt16.self)
        {
            if kind == changeCipherRecord { changesCipher = true }
            guard kind == handshakeRecord, !changesCipher else { continue }
            messages.writeBuffer(&record)
        }
        guard let kinds = extensionKinds(in: &messages) else { return false }
        return kinds.contains(versionExtension) ? kinds.contains(preSharedKeyExtension) : changesCipher
    }

    /// The extensions of the hello; nil when there is none, or one that only asks the client for another try.
    private static func extensionKinds(in messages: inout ByteBuffer) -> Set<UInt16>? {
        guard messages.readInteger(as: UInt8.self) == serverHello, messages.readBytes(length: 3) != nil,
            messages.readInteger(as: UInt16.self) != nil,
            let random = messages.readBytes(length: randomBytes), !random.starts(with: helloRetryRandomStart),
            messages.readLengthPrefixedSlice(as: UInt8.self) != nil, messages.readBytes(length: 3) != nil
        else { return nil }
        var extensions = messages.readLengthPrefixedSlice(as: UInt16.self) ?? ByteBuffer()
        var kinds: Set<UInt16> = []
        while let kind = extensions.readInteger(as: UInt16.self),
            extensions.readLengthPrefixedSlice(as: UInt16.self) != nil
        {
            kinds.insert(kind)
        }
        return kinds
    }
}
