import Glibc
import TollkeyCore

/// The person at the other end, or the program that stands in for one.
enum Terminal {
    static let lineBytesMax = 16 << 10

    static func isOne(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Whether standard output is a person's, who has not said otherwise (no-color.org).
    static var isColoured: Bool { isOne(1) && getenv("NO_COLOR") == nil }

    /// `text` in the place of what is shown, cut where the window ends.
    static func screen(_ text: String) -> String {
        var size = winsize()
        let isKnown = ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 1
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let shown = lines.prefix(isKnown ? Int(size.ws_row) - 1 : lines.count).joined(separator: "\n")
        // Home, clear, and no wrapping while it is written.
        return "\u{1b}[H\u{1b}[2J\u{1b}[?7l\(shown)\u{1b}[?7h\n"
    }

    /// Asks on standard error, which leaves standard output to what was asked for.
    static func ask(_ question: String) {
        if isOne(0) { StandardError.write(question) }
    }

    /// The next line of standard input; nil at its end, and when it is longer than `bytesMax`.
    static func line(bytesMax: Int = lineBytesMax) -> [UInt8]? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count <= bytesMax {
            guard read(0, &byte, 1) == 1 else { return bytes.isEmpty ? nil : bytes }
            if byte == 10 { return bytes.last == 13 ? bytes.dropLast() : bytes }
            bytes.append(byte)
        }
        return nil
    }

    /// As `line`, without showing it while it is typed, and without spaces. nil also for Ctrl-C.
    static func hiddenLine(bytesMax: Int) -> Secret? {
        guard isOne(0) else { return line(bytesMax: bytesMax).map { Secret($0.filter { $0 > 0x20 }) } }
        var before = termios()
        guard tcgetattr(0, &before) == 0 else { return nil }
        var hidden = before
        // Signals too: one that ended the process would leave the terminal mute.
        hidden.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(0, TCSAFLUSH, &hidden) == 0 else { return nil }
        defer {
            tcsetattr(0, TCSAFLUSH, &before)
            StandardError.write("\n")
        }
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(0, &byte, 1) == 1 {
            switch byte {
            case 10, 13: return Secret(bytes)
            case interrupt, endOfText: return nil
            case backspace, delete: _ = bytes.popLast()
            case 0x21...: if bytes.count <= bytesMax { bytes.append(byte) }
            default: break
            }
        }
        return nil
    }

    private static let interrupt: UInt8 = 3
    private static let endOfText: UInt8 = 4
    private static let backspace: UInt8 = 8
    private static let delete: UInt8 = 127

    /// Whether the person says yes. Where nobody can be asked, giving the command was saying it.
    static func agrees(to warning: String) -> Bool {
        guard isOne(0) else { return true }
        StandardError.write("\(warning)\nGo on? [y/N] ")
        let answer = String(decoding: line(bytesMax: 16) ?? [], as: UTF8.self).lowercased()
        return answer == "y" || answer == "yes"
    }
}
