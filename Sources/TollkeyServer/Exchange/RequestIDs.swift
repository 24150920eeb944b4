/// Names for requests: unlike each other in this process, and very likely anywhere.
struct RequestIDs {
    private let origin = String(UInt64.random(in: .min ... .max), radix: 16)
    private var count: UInt64 = 0

    mutating func next() -> String {
        count += 1
        return "\(origin)-\(count)"
    }
}
