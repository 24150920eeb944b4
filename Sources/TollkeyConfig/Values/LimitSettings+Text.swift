package import TollkeyCore

extension LimitSettings {
    /// The forms that may be written, for messages.
    static let forms = "1000/hour, 20/second, 60/minute, 10000/day or 5/90s"

    private static let windows: [(name: String, length: Duration)] = [
        ("second", .seconds(1)), ("minute", .seconds(60)), ("hour", .seconds(3_600)),
        ("day", .seconds(86_400)),
    ]

    /// Parses `N/second`, `N/minute`, `N/hour`, `N/day` or `N/90s` with any duration.
    package init(parsing text: String) throws(Misfit) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = parts[0].utf8
        guard parts.count == 2, !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != 0x30
        else { throw Misfit("must be calls and a window, such as \(Self.forms)") }
        let range = Self.countRange
        guard let count = Int(parts[0]), range.contains(count) else {
            throw Misfit(
                digits.elementsEqual("0".utf8)
                    ? "lets no call through; to refuse calls, leave them out of \"allow\""
                    : "must be \(range.lowerBound) to \(range.upperBound) calls, and a window")
        }
        self.init(count: count, window: try Self.window(String(parts[1])))
    }

    private static func window(_ text: String) throws(Misfit) -> Duration {
        if let window = windows.first(where: { $0.name == text }) { return window.length }
        guard let first = text.utf8.first, (0x30...0x39).contains(first) else {
            let names = windows.map(\.name)
            if let hours = Quantity.hours(text), hours > 24 {
                throw Misfit("has an unknown window; write \"/\(hours)h\"")
            }
            let near = names.first { !text.isEmpty && $0.hasPrefix(text) } ?? NearMiss.of(text, among: names)
            let hint = near.map { "; did you mean \"/\($0)\"?" } ?? "; write \(forms)"
            throw Misfit("has an unknown window\(hint)")
        }
        let window: Duration
        do throws(Misfit) {
            window = try Quantity.duration(text)
        } catch {
            throw Misfit("has a window that \(error.message)")
        }
        guard windowRange.contains(window) else {
            throw Misfit(
                """
                has a window that must be from \(Quantity.duration(windowRange.lowerBound)) to \
                \(Quantity.duration(windowRange.upperBound))
                """)
        }
        return window
    }
}
