import TollkeyCore

/// A property that has to hold of every input, whatever it is. `make fuzz` looks for an input of which it does not;
/// tests hold it against the inputs that are kept in `fuzz/corpus`.
struct FuzzTarget: Sendable {
    /// Also that of its folder in `fuzz/corpus`.
    let name: String
    let check: @Sendable ([UInt8]) throws(Broken) -> Void

    /// All that need nothing but the core.
    static let core = [
        FuzzTarget(name: "request", check: checkRequest),
        FuzzTarget(name: "answer", check: checkAnswer),
        FuzzTarget(name: "chunks", check: checkChunks),
        FuzzTarget(name: "route", check: checkRoute),
        FuzzTarget(name: "token", check: checkToken),
        FuzzTarget(name: "rates", check: checkRates),
        FuzzTarget(name: "times", check: checkTimes),
        FuzzTarget(name: "records", check: checkRecords),
        FuzzTarget(name: "lines", check: checkLines),
        FuzzTarget(name: "request-id", check: checkRequestID),
        FuzzTarget(name: "trace", check: checkTrace),
    ]
}

/// What does not hold.
struct Broken: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func must(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(Broken) {
    if !holds { throw Broken(otherwise()) }
}

extension Dice {
    /// The same throws for the same input, which need not hold them then.
    init(_ input: [UInt8]) {
        self.init(seed: input.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
    }
}

extension [UInt8] {
    /// What stands before the first `separator`, and what behind it; nil without one.
    func divided(by separator: String) -> (before: [UInt8], behind: [UInt8])? {
        let mark = Array(separator.utf8)
        guard let start = firstStart(of: mark) else { return nil }
        return (Array(self[..<start]), Array(self[(start + mark.count)...]))
    }

    func firstStart(of mark: [UInt8], from first: Int = 0) -> Int? {
        guard count >= mark.count + first else { return nil }
        return (first...count - mark.count).first { self[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}
