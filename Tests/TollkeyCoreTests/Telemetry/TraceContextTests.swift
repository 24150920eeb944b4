import Testing
import TollkeyCore

/// W3C Trace Context, level 1.
struct TraceContextTests {
    private let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func parsed(_ text: String) -> TraceContext? { TraceContext(bytes(text).span) }

    private func read(_ fields: String...) throws -> TraceContext? {
        let all = "GET / HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        let head = try request(all)
        return TraceContext.read(head.fields, bytes(all).span)
    }

    @Test func `what the specification shows is read, and written again`() throws {
        let context = try #require(parsed(example))
        #expect(context.traceHigh == 0x0af7_6519_16cd_43dd && context.traceLow == 0x8448_eb21_1c80_319c)
        #expect(context.span == 0xb7ad_6b71_6920_3331 && context.isSampled && !context.beganHere)
        #expect(written { context.write(into: $0) } == example)
        #expect(context.traceText == "0af7651916cd43dd8448eb211c80319c")
        #expect(context.spanText == "b7ad6b7169203331")
    }

    /// §3.2.2.5: the lowest bit is known, the others are not passed on.
    @Test(arguments: [("00", "00"), ("01", "01"), ("02", "00"), ("ff", "01"), ("fe", "00")])
    func `one flag is known`(_ flags: String, _ written: String) throws {
        let context = try #require(parsed(example.dropLast(2) + flags))
        #expect(TollkeyCoreTests.written { context.write(into: $0) } == example.dropLast(2) + written)
    }

    /// §4.3, "versioning".
    @Test(arguments: [
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-\u{20ac}",
    ])
    func `a later version is read as far as it is known, and goes on as version 00`(_ text: String) throws {
        let context = try #require(parsed(text))
        #expect(written { context.write(into: $0) } == example)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333 -01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331.01",
        " 0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "000-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ])
    func `anything else is none`(_ text: String) {
        #expect(parsed(text) == nil)
    }

    @Test func `half an id of zeros is an id`() {
        #expect(parsed("00-00000000000000000000000000000001-0000000000000001-00")?.traceLow == 1)
        #expect(parsed("00-00000000000000010000000000000000-0000000000000001-00")?.traceHigh == 1)
    }

    @Test func `a request says it in one field, of whatever case`() throws {
        let context = parsed(example)
        #expect(try read("traceparent: \(example)") == context)
        #expect(try read("X: y", "TraceParent:\t\(example) ", "tracestate: a=1") == context)
        #expect(try read() == nil)
        #expect(try read("X-Parent-0: \(example)", "tracestate: a=1") == nil)
    }

    @Test func `two fields say nothing, whatever they are`() throws {
        #expect(try read("traceparent: \(example)", "traceparent: \(example)") == nil)
        #expect(try read("traceparent: \(example)", "X: y", "Traceparent: x") == nil)
        #expect(try read("traceparent: x", "traceparent: \(example)") == nil)
    }

    @Test func `a root and its children are of one trace`() {
        let root = TraceContext.root(1, 2, span: 3, isSampled: true)
        #expect(root.beganHere && root.isSampled && root.spanText == "0000000000000003")
        #expect(root.traceText == "00000000000000010000000000000002")
        let child = root.child(span: 4)
        #expect(child.span == 4 && child.traceText == root.traceText && child.beganHere && child.isSampled)
        #expect(parsed(example)?.child(span: 4).beganHere == false)
    }

    @Test func `ids are never zero`() {
        let root = TraceContext.root(0, 0, span: 0, isSampled: false)
        #expect(parsed(written { root.write(into: $0) }) != nil)
        #expect(root.child(span: 0).span != 0)
        #expect(TraceContext.root(0, 7, span: 1, isSampled: false).traceLow == 7)
        #expect(TraceContext.root(7, 0, span: 1, isSampled: false).traceLow == 0)
    }

    @Test func `bytes that nobody chose end in nothing or in what is written alike`() {
        var dice = Dice(seed: 17)
        for _ in 0..<20_000 {
            var text = bytes(example)
            for _ in 0..<Int.random(in: 1...2, using: &dice) {
                text[Int.random(in: 0..<55, using: &dice)] = UInt8.random(in: 0x20...0x7e, using: &dice)
            }
            guard let context = TraceContext(text.span) else { continue }
            let out = bytes(written { context.write(into: $0) })
            #expect(out[3..<52] == text[3..<52])
        }
    }
}

struct TraceStarterTests {
    private let client = TraceContext(
        bytes("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").span)
    private let unsampled = TraceContext(
        bytes("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").span)

    @Test func `with a client's traceparent its flag decides`() throws {
        var all = TraceStarter(share: 1, seed: (1, 2, 3, 4))
        var none = TraceStarter(share: 0, seed: (1, 2, 3, 4))
        #expect(all.begin(unsampled) == nil)
        let begun = none.begin(client)
        let context = try #require(begun)
        #expect(context.traceText == client?.traceText && context.span != client?.span && !context.beganHere)
    }

    @Test(arguments: [0, 0.1, 0.5, 1])
    func `without one, the share is traced`(_ share: Double) {
        var starter = TraceStarter(share: share, seed: (5, 6, 7, 8))
        let count = (0..<10_000).count { _ in starter.begin(nil) != nil }
        #expect(abs(Double(count) - share * 10_000) < 200)
        if share == 0 || share == 1 { #expect(count == Int(share * 10_000)) }
    }

    @Test func `no two ids are the same, also from a seed of zeros`() {
        var starter = TraceStarter(share: 1, seed: (0, 0, 0, 0))
        var seen: Set<String> = []
        for _ in 0..<1_000 {
            guard let context = starter.begin(nil) else { continue }
            seen.insert(context.traceText)
            seen.insert(context.spanText)
            seen.insert(starter.child(of: context).spanText)
        }
        #expect(seen.count == 3_000)
    }

    /// From the authors' reference implementation in C.
    @Test func `the numbers are those of the generator`() throws {
        var starter = TraceStarter(share: 1, seed: (1, 2, 3, 4))
        let begun = starter.begin(nil)
        let context = try #require(begun)
        #expect(context.traceHigh == 11_520 && context.traceLow == 0 && context.span == 1_509_978_240)
    }
}
