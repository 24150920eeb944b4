/// What `RateLimit` and `RateLimit-Policy` say (draft-ietf-httpapi-ratelimit-headers): a list of policies by name,
/// `"hour";r=40;t=30` and `"hour";q=100;w=3600`. Its seventh version had a dictionary: `limit=100, remaining=40, reset=30`.
struct StructuredRates {
    /// The names of policies whose quotas are not of calls: bytes of content and calls at once have quotas too.
    private var others: [Range<Int>] = []
    /// The strictest of all that `RateLimit` lists.
    private var strictest: RateWindow?
    private var dictionary = RateWindow()
    private var policies = 0
    private var members = 0

    /// Members that are read of all lines together, those of either field.
    static let membersMax = 32

    /// All lines of policies have to be read before those of `RateLimit`.
    mutating func readPolicies(_ line: Range<Int>, _ head: Span<UInt8>) {
        var names: [Range<Int>] = []
        do throws(StructuredScanner.Malformed) {
            var scanner = StructuredScanner(line)
            while policies < Self.membersMax, let member = try scanner.member(head) {
                policies += 1
                let isOfCalls = try isOfCalls(&scanner, head)
                if case .text(let name) = member.value, !isOfCalls { names.append(name) }
            }
        } catch { return }
        others += names
    }

    private func isOfCalls(
        _ scanner: inout StructuredScanner, _ head: Span<UInt8>
    ) throws(StructuredScanner.Malformed) -> Bool {
        var isOfCalls = true
        while let parameter = try scanner.parameter(head) {
            guard head.extracting(parameter.key).equalsIgnoringCase("qu"),
                case .text(let unit) = parameter.value
            else { continue }
            let text = head.extracting(unit)
            isOfCalls = text.equalsIgnoringCase("requests") || text.equalsIgnoringCase("request")
        }
        return isOfCalls
    }

    mutating func readCurrent(_ line: Range<Int>, _ head: Span<UInt8>) {
        var (strictest, dictionary) = (strictest, dictionary)
        do throws(StructuredScanner.Malformed) {
            var scanner = StructuredScanner(line)
            while members < Self.membersMax, let member = try scanner.member(head) {
                members += 1
                if let key = member.key {
                    note(member.value, of: key, in: &dictionary, head)
                    while try scanner.parameter(head) != nil {}
                } else if let window = try window(member.value, &scanner, head),
                    strictest.map({ window.isStricter(than: $0) }) ?? true
                {
                    strictest = window
                }
            }
        } catch { return }
        (self.strictest, self.dictionary) = (strictest, dictionary)
    }

    private func note(
        _ value: StructuredScanner.Value, of key: Range<Int>, in window: inout RateWindow, _ head: Span<UInt8>
    ) {
        guard case .number(let number) = value else { return }
        let key = head.extracting(key)
        let text = head.extracting(number)
        if key.equalsIgnoringCase("remaining"), let count = PlainNumber.count(text) {
            window.tighten(remaining: count)
        } else if key.equalsIgnoringCase("reset"), let span = RateTime.seconds(text) {
            window.tighten(resetIn: span)
        }
    }

    /// nil when it is not about calls, or says nothing.
    private func window(
        _ value: StructuredScanner.Value, _ scanner: inout StructuredScanner, _ head: Span<UInt8>
    ) throws(StructuredScanner.Malformed) -> RateWindow? {
        var window = RateWindow()
        while let parameter = try scanner.parameter(head) {
            guard case .number(let number) = parameter.value else { continue }
            let key = head.extracting(parameter.key)
            let text = head.extracting(number)
            if key.equalsIgnoringCase("r") {
                window.remaining = PlainNumber.count(text)
            } else if key.equalsIgnoringCase("t") {
                window.resetIn = RateTime.seconds(text)
            }
        }
        guard case .text(let name) = value, window != RateWindow() else { return nil }
        return others.contains { Self.isSame($0, name, head) } ? nil : window
    }

    private static func isSame(_ one: Range<Int>, _ other: Range<Int>, _ head: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        var i = 0
        while i < one.count, head[one.lowerBound + i] == head[other.lowerBound + i] { i += 1 }
        return i == one.count
    }

    /// Of the windows that are listed the strictest.
    var window: RateWindow { strictest.map { RateWindow.stricter($0, dictionary) } ?? dictionary }
}
