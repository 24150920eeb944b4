import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// 64 MiB each way: all of it arrives, and none of it is kept.
    struct LargeContentTests {
        private static let total = 64 << 20
        private static let growthMax = 64 << 20

        /// A pattern without a short period, so that a piece that is lost, doubled or moved shows.
        private static func pattern(_ range: Range<Int>) -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: range.count) { bytes, count in
                for i in range {
                    bytes[i - range.lowerBound] = UInt8(truncatingIfNeeded: i ^ i >> 8 ^ i >> 16)
                }
                count = range.count
            }
        }

        private static func sendPattern(_ connection: RawConnection) throws {
            for start in stride(from: 0, to: total, by: 64 << 10) {
                try connection.send(pattern(start..<start + (64 << 10)))
            }
        }

        /// How many bytes came as they should; reads `piece` bytes at a time.
        private static func receivePattern(_ connection: RawConnection, piece: Int = 64 << 10) throws -> Int {
            var count = 0
            while count < total {
                let bytes = try connection.some(upTo: min(piece, total - count))
                if bytes.isEmpty { return count }
                guard bytes.elementsEqual(pattern(count..<count + bytes.count)) else { return count }
                count += bytes.count
            }
            return count
        }

        @Test func `a large upload arrives as it was sent, in bounded memory`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let before = try ProcessFacts.residentBytes()
            let client = try proxy.connect(
                sending: "PUT /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(Self.total)\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.head()
            let upload = try Aside { try Self.sendPattern(client) }
            #expect(try Self.receivePattern(provider, piece: 8 << 10) == Self.total)
            try upload.value()
            try provider.send(ok())
            #expect(try client.answer().text == "hello")
            #expect(try ProcessFacts.residentBytes() - before < Self.growthMax)
        }

        @Test func `a large download arrives as it was sent, in bounded memory`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let before = try ProcessFacts.residentBytes()
            let client = try proxy.connect(receiveBytes: 64 << 10)
            try client.send(get("/"))
            let provider = try upstream.accept()
            _ = try provider.request()
            try provider.send("HTTP/1.1 200 OK\r\nContent-Length: \(Self.total)\r\n\r\n")
            let download = try Aside { try Self.sendPattern(provider) }
            _ = try client.head()
            #expect(try Self.receivePattern(client, piece: 8 << 10) == Self.total)
            try download.value()
            #expect(try ProcessFacts.residentBytes() - before < Self.growthMax)
        }

        @Test func `what a client does not read, the proxy does not take`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let before = try ProcessFacts.residentBytes()
                let path = "/sandbox/bytes/\(Self.total)"
                var clients: [RawConnection] = []
                for _ in 0..<4 {
                    let client = try proxy.connect(receiveBytes: 64 << 10)
                    try client.send(get(path))
                    _ = try client.head()
                    clients.append(client)
                }
                // While another call takes as much, the ones that are not read get every chance to pile up.
                let busy = try proxy.connect(sending: get(path + "?chunked"))
                try expectFiller(busy.answer().body)
                #expect(try ProcessFacts.residentBytes() - before < 2 * Self.growthMax)
                try expectFiller(clients[0].exactly(Self.total))
            }
        }

        @Test func `what a provider does not read, the proxy does not take`() throws {
            let upstream = try RawUpstream()
            let proxy = try Proxy(.plain(upstream.port))
            defer { proxy.stop() }
            let before = try ProcessFacts.residentBytes()
            let client = try proxy.connect(
                sending: "PUT /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(Self.total)\r\n\r\n")
            let provider = try upstream.accept()
            _ = try provider.head()
            let piece = [UInt8](repeating: 1, count: 256 << 10)
            var sent = 0
            // Until nothing more is taken though everything else was done twice.
            while sent < Self.total {
                let taken = client.sendWithoutWaiting(piece)
                if taken == 0 { break }
                sent += taken
                try proxy.settle()
            }
            #expect(sent < Self.total / 2)
            #expect(try ProcessFacts.residentBytes() - before < Self.growthMax)
        }

        @Test func `a large upload over TLS is counted by the sandbox`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let before = try ProcessFacts.residentBytes()
                let client = try proxy.connect(
                    sending:
                        "POST /acme/sandbox/sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                let chunk = Array("100000\r\n".utf8) + [UInt8](repeating: 120, count: 1 << 20) + [13, 10]
                for _ in 0..<Self.total >> 20 { try client.send(chunk) }
                try client.send("0\r\n\r\n")
                #expect(try client.answer().text == "{\"received\":\(Self.total)}")
                #expect(try ProcessFacts.residentBytes() - before < Self.growthMax)
                #expect(try #require(stage.requests.first).bodyPrefix.allSatisfy { $0 == 120 })
            }
        }

        private func expectFiller(_ bytes: [UInt8]) throws {
            #expect(bytes.count == Self.total)
            #expect(bytes.allSatisfy { $0 == UInt8(ascii: "t") })
        }
    }
}
