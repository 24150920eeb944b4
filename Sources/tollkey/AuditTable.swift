import TollkeyCore
import TollkeyServer

/// Entries of the audit trail as lines: aligned for people, JSON for programs.
enum AuditTable {
    static func rows(_ lines: [AuditReport.Line], isColoured: Bool) -> [String] {
        let rows = lines.map(cells)
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return zip(lines, rows).map { line, row in
            var text = ""
            for (column, cell) in row.enumerated() {
                let gap = column < 5 ? String(repeating: " ", count: widths[column] - cell.count + 2) : ""
                text += (column == 2 && isColoured ? coloured(cell, line) : cell) + gap
            }
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
    }

    private static func cells(_ line: AuditReport.Line) -> [String] {
        let mark = line.isRight ? "" : "ALTERED "
        guard let entry = line.entry else {
            return [
                "-", "-", "-", "-", "-", "\(mark)entry \(line.link.number) cannot be read by this version",
            ]
        }
        let event = entry.event
        let names = [event.provider, event.credential].filter { !$0.isEmpty }.joined(separator: "/")
        return [
            TimeFormat.rfc3339.text(entry.time), event.kind.rawValue, event.outcome.rawValue,
            names.isEmpty ? "-" : names, event.actor.text, mark + event.words,
        ]
    }

    private static func coloured(_ cell: String, _ line: AuditReport.Line) -> String {
        let colour =
            switch line.entry?.event.outcome {
            case .done: 32
            case .begun, .unknown: 33
            case .failed, .refused, nil: 31
            }
        return "\u{1b}[\(colour)m\(cell)\u{1b}[0m"
    }

    static func json(_ line: AuditReport.Line) -> String {
        var members = ["\"number\":\(line.link.number)", "\"link\":\(JSON.quoted(line.link.words))"]
        if let entry = line.entry {
            let event = entry.event
            members.append("\"time\":\(JSON.quoted(time(entry.time)))")
            let texts = [
                ("kind", event.kind.rawValue), ("outcome", event.outcome.rawValue),
                ("provider", event.provider), ("credential", event.credential), ("actor", event.actor.text),
                ("words", event.words),
            ]
            members += texts.filter { !$0.1.isEmpty }.map { "\"\($0.0)\":\(JSON.quoted($0.1))" }
        }
        members.append("\"altered\":\(!line.isRight)")
        return "{\(members.joined(separator: ","))}"
    }

    /// To the millisecond.
    private static func time(_ milliseconds: Int64) -> String {
        let part = String((milliseconds % 1_000 + 1_000) % 1_000 + 1_000).dropFirst()
        return "\(TimeFormat.rfc3339.text(milliseconds).dropLast()).\(part)Z"
    }
}
