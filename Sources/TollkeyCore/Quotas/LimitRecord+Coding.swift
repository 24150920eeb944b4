/// A record as bytes: whole numbers of seven bits a byte, the lowest first, behind a version.
///
/// Not sealed, but checked when it is read: what does not fit is refused as a whole.
extension CategoryRecord {
    private static let version: UInt64 = 1

    package func encode() -> [UInt8] {
        var out = NumberWriter()
        out.write(Self.version)
        out.write(signed: pauseEnd)
        out.write(UInt64(limits.count))
        for limit in limits {
            out.write(signed: limit.window)
            out.write(signed: limit.now)
            out.write(signed: limit.newestBegan)
            out.write(UInt64(limit.leases.count))
            for lease in limit.leases {
                out.write(lease.holder)
                out.write(UInt64(lease.held))
                out.write(signed: lease.end)
                out.write(UInt64(lease.used))
                out.write(signed: lease.turn)
                out.write(UInt64(lease.charged))
            }
            out.write(UInt64(limit.uses.count))
            var before: Int64 = 0
            for use in limit.uses {
                out.write(signed: use.time &- before)
                out.write(UInt64(use.count))
                before = use.time
            }
        }
        return out.bytes
    }

    /// nil when these are no record's bytes.
    package init?(decoding bytes: [UInt8]) {
        var input = NumberReader(bytes)
        guard input.number() == Self.version, let pauseEnd = input.time(),
            let count = input.count(max: Self.limitsMax)
        else { return nil }
        self.init()
        self.pauseEnd = pauseEnd
        for _ in 0..<count {
            guard let limit = LimitRecord(&input) else { return nil }
            limits.append(limit)
        }
        guard input.isAtEnd else { return nil }
    }
}

extension LimitRecord {
    fileprivate init?(_ input: inout NumberReader) {
        guard let window = input.time(), let now = input.time(), let newestBegan = input.time(),
            let leaseCount = input.count(max: Self.holdersMax)
        else { return nil }
        self.init(window: window)
        self.now = now
        self.newestBegan = newestBegan
        for _ in 0..<leaseCount {
            guard let holder = input.number(), let held = input.count(max: Self.countMax),
                let end = input.time(), let used = input.count(max: Int.max >> 1), let turn = input.signed(),
                let charged = input.count(max: Self.countMax)
            else { return nil }
            leases.append(
                Lease(holder: holder, held: held, end: end, used: used, turn: turn, charged: charged))
        }
        guard let useCount = input.count(max: 4 * Self.usesMax) else { return nil }
        var before: Int64 = 0
        for _ in 0..<useCount {
            guard let step = input.time(), let count = input.count(max: Self.countMax) else { return nil }
            let (time, overflow) = before.addingReportingOverflow(step)
            guard !overflow, time.magnitude < Self.timeMax, uses.isEmpty || step >= 0 else { return nil }
            uses.append(Use(time: time, count: count))
            before = time
        }
    }

    /// More than any limit and its holders can come to, and little enough to be added up without overflow.
    private static let countMax = 1 << 40
    /// Microseconds; times and windows can be added to it without overflow.
    fileprivate static let timeMax: UInt64 = 1 << 60
}

private struct NumberWriter {
    var bytes: [UInt8] = []

    mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Small numbers of either sign become small ones without.
    mutating func write(signed number: Int64) { write(UInt64(bitPattern: (number << 1) ^ (number >> 63))) }
}

private struct NumberReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = UInt64(bytes[position])
            position += 1
            value |= (byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    mutating func signed() -> Int64? {
        number().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    mutating func time() -> Int64? { signed().flatMap { $0.magnitude < LimitRecord.timeMax ? $0 : nil } }

    mutating func count(max: Int) -> Int? {
        number().flatMap { $0 <= UInt64(max) ? Int($0) : nil }
    }
}
