import TollkeyCore
import TollkeyServer

/// `/status` as a person reads it in a terminal.
struct StatusView {
    private let status: JSONValue

    init?(_ content: [UInt8]) {
        guard let status = try? JSONValue(content, bounds: .own), status["version"] != nil else { return nil }
        self.status = status
    }

    var isReady: Bool { status["ready"]?.flag == true }

    func text(_ ink: Ink) -> String {
        var lines: [String] = [headline(ink)]
        for reason in status["not_ready"]?.elements ?? [] {
            lines.append("  " + ink.paint(Self.plain(reason.text ?? ""), .bad))
        }
        let odd = (status["providers"]?.elements ?? []).filter(Self.wantsLook)
        if !odd.isEmpty {
            let names =
                odd.prefix(5).map { Self.plain($0["name"]?.text ?? "") } + (odd.count > 5 ? ["…"] : [])
            let all = status["providers"]?.elements.count ?? 0
            lines.append(
                ink.paint(
                    "\(odd.count) of \(all) providers want a look: \(names.joined(separator: ", "))", .odd))
        }
        lines += notes(ink)
        lines += credentials(ink)
        lines += quotas(ink)
        lines += providers(ink)
        lines += problems(ink)
        return lines.joined(separator: "\n") + "\n"
    }

    private func headline(_ ink: Ink) -> String {
        let word =
            status["state"]?.text == "draining"
            ? ink.paint("draining", .odd) : isReady ? ink.paint("ready", .good) : ink.paint("not ready", .bad)
        let up = Self.span(since(status["started"]) ?? 0)
        let clients = status["clients"]
        return
            "\(word)  tollkey \(Self.plain(status["version"]?.text ?? "?")), pid \(status["pid"]?.text ?? "?"), up \(up), "
            + "\(clients?["active"]?.text ?? "0") active and \(clients?["idle"]?.text ?? "0") idle connections"
    }

    /// What is out of the ordinary about the process as a whole.
    private func notes(_ ink: Ink) -> [String] {
        var lines: [String] = []
        if let last = status["configuration"]?["last_reload"], last["outcome"]?.text == "refused" {
            lines.append(ink.paint("The last reload was refused \(ago(last["at"])):", .bad))
            for line in (last["problems"]?.text ?? "").split(separator: "\n") {
                lines.append("  \(Self.plain(String(line)))")
            }
        }
        if let ledger = status["ledger"], let state = ledger["state"]?.text, state != "ok" {
            let words = ledger["words"]?.text ?? ""
            lines.append(
                ink.paint(
                    "Limits: the \(ledger["kind"]?.text ?? "") ledger is \(state) \(ago(ledger["since"]))",
                    .bad)
                    + (words.isEmpty ? "" : ": \(Self.plain(words))"))
        }
        if let dropped = status["log"]?["lines_dropped"]?.number, dropped > 0 {
            lines.append(ink.paint("\(Int(dropped)) log lines were dropped.", .odd))
        }
        return lines
    }

    /// It fails, is paused, or a credential of it is in trouble.
    private static func wantsLook(_ provider: JSONValue) -> Bool {
        provider["upstream"]?["state"]?.text == "failing"
            || (provider["categories"]?.elements ?? []).contains { $0["pause"]?.number != nil }
            || (provider["credentials"]?.elements ?? []).contains {
                $0["usable"]?.flag != true || $0["trouble"]?["words"] != nil
            }
    }

    // MARK: Tables

    private func credentials(_ ink: Ink) -> [String] {
        var table = Table(["CREDENTIAL", "STATE", "EXPIRES IN", "RENEWS IN", "LAST RENEWAL", ""])
        for provider in status["providers"]?.elements ?? [] {
            for credential in provider["credentials"]?.elements ?? [] {
                let isUsable = credential["usable"]?.flag == true
                let state = Self.plain(credential["state"]?.text ?? "?")
                let trouble = credential["trouble"]
                let isKey = credential["kind"]?.text == "key"
                let tone: Ink.Tone = !isUsable ? .bad : trouble?["words"] == nil ? .good : .odd
                table.add([
                    Table.Cell(Self.name(provider, credential)), Table.Cell(isKey ? "given" : state, tone),
                    Table.Cell(isKey ? "-" : Self.span(credential["expires_in"])),
                    Table.Cell(Self.span(credential["renews_in"])),
                    Table.Cell(renewal(credential["last_renewal"])),
                    Table.Cell(words(of: trouble), .bad),
                ])
            }
        }
        return table.lines(ink)
    }

    private func quotas(_ ink: Ink) -> [String] {
        var table = Table(["LIMIT", "", "LEFT", "", "FIRST FREED IN", "WAITING", "REJECTED", ""])
        for provider in status["providers"]?.elements ?? [] {
            for category in provider["categories"]?.elements ?? [] {
                let pause =
                    category["pause"]?.number.map { "paused by the provider for \(Self.span($0))" } ?? ""
                let limits = category["limits"]?.elements ?? []
                for limit in limits {
                    let all = limit["limit"]?.number ?? 0
                    let left = limit["remaining"]?.number ?? 0
                    let share = all > 0 ? left / all : 1
                    let tone: Ink.Tone = share <= 0 ? .bad : share < 0.1 ? .odd : .plain
                    table.add([
                        Table.Cell(Self.name(provider, category)), Table.Cell(limit["text"]?.text ?? ""),
                        Table.Cell(String(Int(left)), tone), Table.Cell(Self.bar(share), tone),
                        Table.Cell(left < all ? Self.span(limit["resets_in"]) : "-"),
                        Table.Cell(category["waiting"]?.text ?? "0"),
                        Table.Cell(category["rejected"]?.text ?? "0"), Table.Cell(pause, .bad),
                    ])
                }
                if limits.isEmpty, !pause.isEmpty {
                    let empty = (0..<6).map { _ in Table.Cell("") }
                    table.add(
                        [Table.Cell(Self.name(provider, category))] + empty + [Table.Cell(pause, .bad)])
                }
            }
        }
        return table.lines(ink)
    }

    private func providers(_ ink: Ink) -> [String] {
        var table = Table(["PROVIDER", "UPSTREAM", "", "CALLS", "FAILED", "LAST MINUTE", "CONNECTIONS", ""])
        for provider in status["providers"]?.elements ?? [] {
            let upstream = provider["upstream"]
            let calls = provider["calls"]
            let isFailing = upstream?["state"]?.text == "failing"
            let fault = upstream?["last_failure"]
            let state = upstream?["state"]?.text ?? ""
            let tone: Ink.Tone = isFailing ? .bad : state == "ok" ? .good : .faint
            let words = isFailing ? "\(Self.plain(fault?["words"]?.text ?? "")) \(ago(fault?["at"]))" : ""
            let connections = "\(upstream?["active"]?.text ?? "0")+\(upstream?["idle"]?.text ?? "0")"
            table.add([
                Table.Cell(Self.plain(provider["name"]?.text ?? "")),
                Table.Cell(Self.plain(upstream?["url"]?.text ?? "")), Table.Cell(state, tone),
                Table.Cell(calls?["total"]?.text ?? "0"), Table.Cell(calls?["failed"]?.text ?? "0"),
                Table.Cell(calls?["last_minute"]?.text ?? "0"), Table.Cell(connections),
                Table.Cell(words, .bad),
            ])
        }
        return table.lines(ink)
    }

    private func problems(_ ink: Ink) -> [String] {
        var table = Table(["PROBLEM", "WHOSE", "PROVIDER", "TIMES", "LAST", ""])
        for problem in (status["problems"]?.elements ?? []).prefix(Self.problemsShown) {
            table.add([
                Table.Cell(problem["kind"]?.text ?? ""), Table.Cell(problem["side"]?.text ?? ""),
                Table.Cell(Self.plain(problem["provider"]?.text ?? "")),
                Table.Cell(problem["count"]?.text ?? ""),
                Table.Cell(ago(problem["last"])), Table.Cell(Self.plain(problem["words"]?.text ?? "")),
            ])
        }
        return table.lines(ink)
    }

    private static let problemsShown = 10

    // MARK: Words

    private func words(of trouble: JSONValue?) -> String {
        guard let words = trouble?["words"]?.text else { return "" }
        let retry = trouble?["retry_in"]?.number.map { ", next try in \(Self.span($0))" } ?? ""
        return Self.plain(words) + retry
    }

    private func renewal(_ last: JSONValue?) -> String {
        guard let outcome = last?["outcome"]?.text else { return "-" }
        return "\(outcome) \(ago(last?["at"]))"
    }

    private func since(_ time: JSONValue?) -> Double? {
        guard let now = status["now"]?.text.flatMap(Dates.milliseconds(rfc3339:)),
            let then = time?.text.flatMap(Dates.milliseconds(rfc3339:))
        else { return nil }
        return Double(max(0, now - then)) / 1_000
    }

    private func ago(_ time: JSONValue?) -> String { since(time).map { "\(Self.span($0)) ago" } ?? "" }

    private static func name(_ provider: JSONValue, _ part: JSONValue) -> String {
        plain("\(provider["name"]?.text ?? "")/\(part["name"]?.text ?? "")")
    }

    private static func span(_ value: JSONValue?) -> String { value?.number.map { span($0) } ?? "-" }

    /// Short ones to a tenth of a second.
    private static func span(_ seconds: Double) -> String {
        seconds > 0 && seconds < 10
            ? "\((seconds * 10).rounded() / 10) s"
            : Duration.seconds(Int64(max(0, min(seconds, 1e15)))).inWords
    }

    private static func bar(_ share: Double) -> String {
        let full = Int((min(1, max(0, share)) * 10).rounded(.up))
        return String(repeating: "█", count: full) + String(repeating: "░", count: 10 - full)
    }

    /// A provider's words must not write to the terminal.
    private static func plain(_ text: String) -> String {
        String(
            text.unicodeScalars.map {
                $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? " " : Character($0)
            })
    }
}

/// Columns under each other; nothing when there are no rows.
struct Table {
    struct Cell {
        let text: String
        let tone: Ink.Tone
        init(_ text: String, _ tone: Ink.Tone = .plain) {
            self.text = text
            self.tone = tone
        }
    }

    private let titles: [String]
    private var rows: [[Cell]] = []

    init(_ titles: [String]) { self.titles = titles }

    mutating func add(_ row: [Cell]) { rows.append(row) }

    func lines(_ ink: Ink) -> [String] {
        guard !rows.isEmpty else { return [] }
        let widths = titles.indices.map { column in
            max(titles[column].count, rows.map { $0[column].text.count }.max() ?? 0)
        }
        func line(_ cells: [Cell]) -> String {
            var line = ""
            for (index, cell) in cells.enumerated() {
                let isLast = cells[(index + 1)...].allSatisfy(\.text.isEmpty)
                line += ink.paint(cell.text, cell.tone)
                if isLast { break }
                line += String(repeating: " ", count: widths[index] - cell.text.count + 2)
            }
            return line
        }
        return ["", ink.paint(line(titles.map { Cell($0) }), .faint)] + rows.map(line)
    }
}
