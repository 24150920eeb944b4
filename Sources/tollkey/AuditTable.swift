import TollkeyCore
import TollkeyServer

/// Entries of the audit trail as lines: aligned for people, JSON for programs.
enum AuditTable {
    static func lines(_ lines: [AuditReport.Line], _ ink: Ink) -> [String] {
        var table = Table(["TIME", "EVENT", "OUTCOME", "ABOUT", "WHO", "WORDS"])
        for line in lines { table.add(cells(line)) }
        return Array(table.lines(ink).dropFirst())
    }

    private static func cells(_ line: AuditReport.Line) -> [Table.Cell] {
        let mark = line.isRight ? "" : "ALTERED "
        guard let entry = line.entry else {
            let words = "\(mark)entry \(line.link.number) cannot be read by this version"
            return (0..<5).map { _ in Table.Cell("-") } + [Table.Cell(words, .bad)]
        }
        let event = entry.event
        let names = [event.provider, event.credential].filter { !$0.isEmpty }.joined(separator: "/")
        let tone: Ink.Tone =
            switch event.outcome {
            case .done: .good
            case .begun, .unknown: .odd
            case .failed, .refused: .bad
            }
        return [
            Table.Cell(TimeFormat.rfc3339.text(entry.time)), Table.Cell(event.kind.rawValue),
            Table.Cell(event.outcome.rawValue, tone), Table.Cell(names.isEmpty ? "-" : names),
            Table.Cell(event.actor.text), Table.Cell(mark + event.words, line.isRight ? .plain : .bad),
        ]
    }

    static func json(_ line: AuditReport.Line) -> String {
        var members = ["\"number\":\(line.link.number)", "\"link\":\(JSON.quoted(line.link.words))"]
        if let entry = line.entry {
            let event = entry.event
            members.append("\"time\":\(JSON.quoted(LogTime.text(entry.time)))")
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
}
