import Testing
import TollkeyCore

struct MetricsPageTests {
    @Test func `the reference of metrics has a row for each, with its type and labels, and none besides`()
        throws
    {
        let text = String(decoding: try file("docs/metrics.md"), as: UTF8.self)
        let lines = text.split(separator: "\n").filter {
            $0.hasPrefix("| `tollkey_") || $0.hasPrefix("| `process_")
        }
        let rows = lines.map { line in
            line.split(separator: "|").prefix(3).map { cell in
                String(cell.filter { $0 != " " && $0 != "`" })
            }
        }
        let metrics = Metric.allCases.map(\.row).map {
            [$0.name, $0.type.rawValue, $0.labels.joined(separator: ",")]
        }
        #expect(Set(rows) == Set(metrics))
        #expect(rows.count == metrics.count)
    }
}
