#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Colour for a terminal, and none for anything else.
struct Ink: Sendable {
    let isOn: Bool

    /// https://no-color.org: any value that is not empty turns it off.
    static func forStandardOutput() -> Ink {
        func value(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return Ink(isOn: isatty(1) == 1 && value("NO_COLOR").isEmpty && value("TERM") != "dumb")
    }

    func bold(_ text: String) -> String { dress(text, "1") }
    func faint(_ text: String) -> String { dress(text, "2") }
    func green(_ text: String) -> String { dress(text, "32") }
    func yellow(_ text: String) -> String { dress(text, "33") }
    func red(_ text: String) -> String { dress(text, "31") }

    private func dress(_ text: String, _ code: String) -> String {
        isOn && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
