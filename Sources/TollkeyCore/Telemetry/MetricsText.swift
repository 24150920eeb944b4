/// Metrics as Prometheus reads them: its text format, version 0.0.4.
package struct MetricsText: Sendable {
    package private(set) var text = ""
    private var last: Metric?

    package init() {}

    /// Samples of one metric stand together: all of them before those of the next one.
    package mutating func add(_ metric: Metric, _ labels: [String] = [], _ value: Double) {
        begin(metric)
        append(metric.row.name, metric.row.labels, labels, Self.number(value))
    }

    package mutating func add(_ metric: Metric, _ labels: [String] = [], _ value: UInt64) {
        begin(metric)
        append(metric.row.name, metric.row.labels, labels, String(value))
    }

    package mutating func add(_ metric: Metric, _ labels: [String] = [], _ histogram: Histogram) {
        begin(metric)
        let names = metric.row.labels + ["le"]
        var sum: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            sum &+= count
            let bound = index < Histogram.bounds.count ? Self.number(Histogram.bounds[index]) : "+Inf"
            append("\(metric.row.name)_bucket", names, labels + [bound], String(sum))
        }
        append("\(metric.row.name)_sum", metric.row.labels, labels, Self.number(histogram.seconds))
        append("\(metric.row.name)_count", metric.row.labels, labels, String(sum))
    }

    private mutating func begin(_ metric: Metric) {
        guard metric != last else { return }
        last = metric
        text += "# HELP \(metric.row.name) \(metric.row.help)\n"
        text += "# TYPE \(metric.row.name) \(metric.row.type.rawValue)\n"
    }

    private mutating func append(_ name: String, _ names: [String], _ values: [String], _ number: String) {
        text += name
        if !names.isEmpty {
            let pairs = zip(names, values).map { "\($0)=\"\(Self.escaped($1))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(number)\n"
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 == 10 })
        else { return value }
        var escaped = ""
        for c in value {
            switch c {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.append(c)
            }
        }
        return escaped
    }

    private static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value.isNaN { return "NaN" }
        if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
}
