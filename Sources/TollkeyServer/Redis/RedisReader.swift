import CHiredis

/// Takes bytes as they come and gives replies, by hiredis' reader.
final class RedisReader {
    enum Step {
        case reply(RedisReply)
        case waits
        /// No RESP, or beyond a bound.
        case malformed
    }

    private let reader: UnsafeMutablePointer<redisReader>

    /// Elements of one array.
    static let elementsMax = 65_536

    /// Nil when there is no memory.
    init?() {
        guard let functions = Self.functions, let reader = redisReaderCreateWithFunctions(functions) else {
            return nil
        }
        self.reader = reader
    }

    deinit { redisReaderFree(reader) }

    /// False when there is no memory.
    func feed(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
                == REDIS_OK
        }
    }

    func next() -> Step {
        var made: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &made) == REDIS_OK else { return .malformed }
        guard let made else { return .waits }
        defer { freeReplyObject(made) }
        return RedisReply(made.assumingMemoryBound(to: redisReply.self)).map { .reply($0) } ?? .malformed
    }

    /// Whether some of what was fed belongs to no reply yet.
    var hasRest: Bool { reader.pointee.len > reader.pointee.pos }

    /// How hiredis itself makes replies, but for long arrays: it would take the announced length at its word, and
    /// memory for it, before the first element is there.
    // SAFETY: made once, on first use, and only read afterwards.
    nonisolated(unsafe) private static let functions: UnsafeMutablePointer<redisReplyObjectFunctions>? = {
        guard let own = own else { return nil }
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        functions.initialize(to: own)
        functions.pointee.createArray = { task, count in
            guard let create = RedisReader.own?.createArray,
                (0...RedisReader.elementsMax).contains(Int(count))
            else { return nil }
            return create(task, count)
        }
        return functions
    }()

    private static let own: redisReplyObjectFunctions? = {
        guard let reader = redisReaderCreate() else { return nil }
        defer { redisReaderFree(reader) }
        return reader.pointee.fn?.pointee
    }()
}
