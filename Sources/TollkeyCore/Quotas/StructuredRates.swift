/// What `RateLimit` and `RateLimit-Policy` say (draft-ietf-httpapi-ratelimit-headers): a list of policies by name,
/// `"hour";r=40;t=30` and `"hour";q=100;w=3600`. Its seventh version had a dictionary: `limit=100, remaining=40, reset=30`.
struct StructuredRates {
    private struct Policy {
        /// Where its name stands in the head; nil without one, as up to the sixth version.
        let name: Range<Int>?
        let quota: Int
        /// Whether the quota is of calls. Bytes of content and calls at once have quotas too.
        let isOfCalls: Bool
    }

    private var policies: [Policy] = []
    /// The strictest of all that `RateLimit` lists.
    private var strictest: RateWindow?
    private var dictionary = RateWindow()
    private var members = 0

    /// Members that are read of all lines together, those of either field.
    static let membersMax = 32

    /// All lines of policies have to be read before those of `RateLimit`.
    mutating func readPolicies(_ line: Range<Int>, _ head: Span<UInt8>) {
        let held = policies
        do throws(StructuredScanner.Malformed) {
            var scanner = StructuredScanner(line)
            while policies.count < Self.membersMax, let member = try scanner.member(head) {
                if let policy = try policy(member.value, &scanner, head) { policies.append(policy) }
            }
        } catch { policies = held }
    }

    private func policy(
        _ value: StructuredScanner.Value, _ scanner: inout StructuredScanner, _ head: Span<UInt8>
    ) throws(StructuredScanner.Malformed) -> Policy? {
        var name: Range<Int>?
        var quota: Int?
        var isOfCalls = true
        switch value {
        case .text(let text): name = text
        case .number(let number): quota = PlainNumber.count(head.extracting(number))
        case .other: break
        }
        while let parameter = try scanner.parameter(head) {
            let key = head.extracting(parameter.key)
            if key.equalsIgnoringCase("q"), case .number(let number) = parameter.value {
                quota = PlainNumber.count(head.extracting(number))
            } else if key.equalsIgnoringCase("qu"), case .text(let unit) = parameter.value {
                let unit = head.extracting(unit)
                isOfCalls = unit.equalsIgnoringCase("requests") || unit.equalsIgnoringCase("request")
            }
        }
        return quota.map { Policy(name: name, quota: $0, isOfCalls: isOfCalls) }
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
        if key.equalsIgnoringCase("limit"), let count = PlainNumber.count(text) {
            window.tighten(limit: count)
        } else if key.equalsIgnoringCase("remaining"), let count = PlainNumber.count(text) {
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
        if let policy = policy(named: name, head) {
            guard policy.isOfCalls else { return nil }
            window.limit = policy.quota
        }
        return window
    }

    private func policy(named name: Range<Int>, _ head: Span<UInt8>) -> Policy? {
        for policy in policies {
            guard let other = policy.name, other.count == name.count else { continue }
            var i = 0
            while i < name.count, head[name.lowerBound + i] == head[other.lowerBound + i] { i += 1 }
            if i == name.count { return policy }
        }
        return nil
    }

    /// Of the windows that are listed the strictest; without any the smallest quota.
    var window: RateWindow {
        let window = strictest.map { RateWindow.stricter($0, dictionary) } ?? dictionary
        guard window == RateWindow() else { return window }
        return RateWindow(limit: policies.filter(\.isOfCalls).map(\.quota).min())
    }
}
