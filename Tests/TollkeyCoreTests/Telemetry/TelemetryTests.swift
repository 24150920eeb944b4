import Testing
import TollkeyCore

struct TelemetryTests {
    @Test(
        arguments: [
            (0, 0), (1_000_000, 0), (1_000_001, 1), (2_500_000, 1), (59_999_999_999, 14),
            (60_000_000_000, 14),
            (60_000_000_001, 15), (.max, 15),
        ] as [(Int64, Int)])
    func `a bucket takes its bound and nothing beyond`(_ nanoseconds: Int64, _ bucket: Int) {
        var histogram = Histogram()
        histogram.observe(TimeSpan(nanoseconds: nanoseconds))
        #expect(histogram.counts[bucket] == 1 && histogram.count == 1)
    }

    @Test func `a histogram is written with sums that rise`() {
        var histogram = Histogram()
        for span in [500_000, 3_000_000, 70_000_000_000] as [Int64] {
            histogram.observe(TimeSpan(nanoseconds: span))
        }
        var text = MetricsText()
        text.add(.requestSeconds, ["a"], histogram)
        #expect(text.text.contains(#"tollkey_request_seconds_bucket{provider="a",le="0.001"} 1"#))
        #expect(text.text.contains(#"tollkey_request_seconds_bucket{provider="a",le="60"} 2"#))
        #expect(text.text.contains(#"tollkey_request_seconds_bucket{provider="a",le="+Inf"} 3"#))
        #expect(text.text.contains(#"tollkey_request_seconds_sum{provider="a"} 70.0035"#))
    }

    @Test func `a label's value cannot end its line`() {
        var text = MetricsText()
        text.add(.problems, ["a\"b\\c\nd", "x"], UInt64(1))
        #expect(text.text.hasSuffix(#"{provider="a\"b\\c\nd",kind="x"} 1"# + "\n"))
    }

    @Test func `the last minute forgets what is older`() {
        var counts = RecentCounts()
        for second in 0..<120 {
            counts.count(
                isFailed: second.isMultiple(of: 2),
                at: MonotonicTime(nanoseconds: Int64(second) * 1_000_000_000))
        }
        let now = MonotonicTime(nanoseconds: 119_000_000_000)
        #expect(counts.total(at: now) == (60, 30))
        #expect(counts.total(at: now + TimeSpan(nanoseconds: 31_000_000_000)) == (20, 10))
        #expect(counts.total(at: now + TimeSpan(nanoseconds: 200_000_000_000)) == (0, 0))
    }

    @Test func `counts of several event loops add up, each in its time`() {
        var (a, b) = (RecentCounts(), RecentCounts())
        a.count(isFailed: false, at: MonotonicTime(nanoseconds: 5_000_000_000))
        b.count(isFailed: true, at: MonotonicTime(nanoseconds: 6_000_000_000))
        b.count(isFailed: true, at: MonotonicTime(nanoseconds: 65_000_000_000))
        a.add(b)
        #expect(a.total(at: MonotonicTime(nanoseconds: 65_000_000_000)) == (1, 1))
    }

    @Test func `a provider fails from its first fault on, until it answers`() {
        var health = UpstreamHealth()
        health.succeeded(at: 100)
        health.failed("upstream-timeout", "late", at: 200)
        health.failed("upstream-broke", "broke", at: 300)
        #expect(health.isFailing && health.since == 200 && health.lastFault?.kind == "upstream-broke")
        health.succeeded(at: 400)
        #expect(!health.isFailing && health.since == 400)
    }

    @Test func `problems are kept by kind and provider, newest first, for an hour`() {
        var book = ProblemBook()
        for time in [1_000, 2_000, 3_000] as [Int64] {
            book.note("upstream-timeout", provider: "a", side: .upstream, words: "late \(time)", at: time)
        }
        book.note("no-route", provider: "", side: .client, words: "nowhere", at: 2_500)
        let recent = book.recent(at: 3_000)
        #expect(recent.map(\.kind) == ["upstream-timeout", "no-route"])
        #expect(
            recent.first?.count == 3 && recent.first?.first == 1_000 && recent.first?.words == "late 3000")
        #expect(book.recent(at: 2_500 + ProblemBook.ageMax).map(\.kind) == ["upstream-timeout"])
    }

    @Test func `no more kinds of trouble are kept than the bound`() {
        var book = ProblemBook()
        for number in 0...ProblemBook.entriesMax {
            book.note("k", provider: "\(number)", side: .upstream, words: "", at: Int64(number))
        }
        let recent = book.recent(at: 0)
        #expect(recent.count == ProblemBook.entriesMax)
        #expect(!recent.contains { $0.provider == "0" })
    }

    // MARK: Lines

    private func line(_ fill: (borrowing CallLine) -> Void, _ record: CallRecord = CallRecord()) -> String {
        let out = Buffer(capacity: 64)
        var time = LogTime()
        time.read(1_800_000_000_007) { text in
            let line = CallLine(into: out, time: text, isWarning: false)
            fill(line)
            line.end(record)
        }
        return out.read { bytes in bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
    }

    @Test func `a line is JSON whatever a path holds`() throws {
        let path = (1...255).map { UInt8($0) }
        let text = line { $0.text("path", path.span) }
        let value = try JSONValue(Array(text.utf8.dropLast()))
        #expect(value["path"]?.text?.unicodeScalars.map { UInt8($0.value) } == path)
        #expect(value["time"]?.text == "2027-01-15T08:00:00.007Z")
    }

    @Test func `spans are written to the microsecond`() {
        let text = line { line in
            line.seconds("a", TimeSpan(nanoseconds: 1_000_001_999))
            line.seconds("b", TimeSpan(nanoseconds: 0))
            line.seconds("c", TimeSpan(nanoseconds: -5))
        }
        #expect(text.contains(#""a":1.000001,"b":0.000000,"c":0.000000"#))
    }

    @Test(arguments: [0, 9, 10, 99, 100, 1_234_567_890, -1, .max, .min])
    func `numbers are written in decimal`(_ number: Int) {
        let out = Buffer(capacity: 1)
        out.append(decimal: number)
        #expect(
            out.read { bytes in bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } } == "\(number)"
        )
    }
}
