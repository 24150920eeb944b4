import Glibc
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Calls that stand in line for a permit.
    struct QuotaLineTests {
        /// A client whose call stands in line.
        private func stand(_ proxy: Proxy, _ path: String, _ fields: String = "", from host: String? = nil)
            throws
            -> RawConnection
        {
            let client: RawConnection
            if let host { client = try .toPort(proxy.port, from: host) } else { client = try proxy.connect() }
            try client.send(get(path, fields))
            try proxy.settle()
            return client
        }

        @Test func `calls in line pass as permits come, in their order`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy, "/0") == 1)
            let clients = try (1...4).map { try stand(proxy, "/\($0)") }
            for (index, client) in clients.enumerated() {
                #expect(clients.allSatisfy { $0.isQuiet })
                try proxy.passCounted(.seconds(10))
                #expect(try client.answer().status == 200)
                #expect(stage.upstream.count == index + 2)
            }
            #expect(stage.upstream.paths == ["/0", "/1", "/2", "/3", "/4"])
        }

        @Test func `who could not pass within wait_max is refused at once`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)) { $0.waitMax = .seconds(9) })
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            let answer = try proxy.answer(to: get("/"))
            try expectProblem(answer, 429, "rate-limited", mayHaveBeenProcessed: false)
            #expect(answer.values(of: "Retry-After") == ["10"])
            try proxy.passCounted(.seconds(1))
            let client = try stand(proxy, "/")
            #expect(client.isQuiet)
        }

        @Test func `who has waited for wait_max in vain is refused`() throws {
            let stage = try QuotaStage()
            let category = try CategorySettings.waiting(1, per: .seconds(10)) { $0.waitMax = .seconds(15) }
            let proxy = try stage.proxy(category)
            defer { proxy.stop() }
            // Draws on the same limit.
            let other = try stage.proxy(category)
            defer { other.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            try proxy.passCounted(.seconds(1))
            let client = try stand(proxy, "/1")
            try other.passCounted(.seconds(9))
            #expect(try stage.passed(1, other) == 1)
            try proxy.passCounted(.seconds(6))
            let answer = try client.answer()
            try expectProblem(answer, 429, "rate-limited", mayHaveBeenProcessed: false)
            #expect(stage.upstream.count == 2)
        }

        @Test func `who could not pass in time behind those in line is refused at once`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(4)) { $0.waitMax = .seconds(6) })
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            let first = try stand(proxy, "/1")
            let answer = try proxy.answer(to: get("/2"))
            try expectProblem(answer, 429, "rate-limited", mayHaveBeenProcessed: false)
            try proxy.passCounted(.seconds(4))
            #expect(try first.answer().status == 200)
        }

        @Test func `Prefer: wait asks for a place in line, and may give up earlier`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.limited(1, per: .seconds(10)) { $0.waitMax = .seconds(12) })
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            #expect(try proxy.answer(to: get("/")).status == 429)
            #expect(try proxy.answer(to: get("/", "Prefer: wait=9\r\n")).status == 429)
            let client = try stand(proxy, "/", "Prefer: respond-async, wait=11\r\n")
            #expect(client.isQuiet)
            // No longer than wait_max, whatever it says.
            let greedy = try stand(proxy, "/", "Prefer: wait=1000\r\n")
            try proxy.passCounted(.seconds(10))
            #expect(try client.answer().status == 200)
            try proxy.passCounted(.seconds(2))
            #expect(try greedy.answer().status == 429)
            try proxy.passCounted(.seconds(8))
            #expect(try stage.passed(1, proxy) == 1)
        }

        @Test func `where calls wait, Prefer: wait=0 does not`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            #expect(try proxy.answer(to: get("/", "Prefer: wait=0\r\n")).status == 429)
        }

        @Test func `a caller that hangs up is forgotten, and its permit goes to the next`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy, "/0") == 1)
            let gone = try (1...3).map { try stand(proxy, "/gone/\($0)") }
            let left = try stand(proxy, "/left")
            for client in gone { client.reset() }
            try proxy.settle()
            try proxy.passCounted(.seconds(10))
            #expect(try left.answer().status == 200)
            #expect(stage.upstream.paths == ["/0", "/left"])
        }

        @Test func `so many calls may stand in line and no more`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)) { $0.waiting = 2 })
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            let clients = try (1...2).map { try stand(proxy, "/\($0)") }
            let answer = try proxy.answer(to: get("/3"))
            let problem = try expectProblem(answer, 429, "rate-limited", mayHaveBeenProcessed: false)
            #expect(problem.detail.contains("2 calls wait"))
            #expect(answer.values(of: "Retry-After") == ["10"])
            #expect(clients.allSatisfy { $0.isQuiet })
        }

        @Test func `a flood of one caller's does not hold up another`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)) { $0.waiting = 4 })
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy, "/0") == 1)
            let flood = try (1...4).map { try stand(proxy, "/flood/\($0)") }
            let other = try stand(proxy, "/other", from: "127.0.0.2")
            // The newest of the flood has made room.
            #expect(try flood[3].answer().status == 429)
            for client in [flood[0], other, flood[1]] {
                try proxy.passCounted(.seconds(10))
                #expect(try client.answer().status == 200)
            }
            #expect(stage.upstream.paths == ["/0", "/flood/1", "/other", "/flood/2"])
        }

        @Test func `those in line are told when the proxy drains`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)))
            #expect(try stage.passed(1, proxy) == 1)
            let clients = try (1...3).map { try stand(proxy, "/\($0)") }
            proxy.server.drain(timeout: .seconds(10))
            for client in clients {
                let answer = try client.answer()
                try expectProblem(answer, 503, "draining", mayHaveBeenProcessed: false)
                #expect(answer.closes)
            }
            #expect(stage.upstream.count == 1)
        }

        @Test func `content that comes while its call stands in line is sent with it`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            let content = String(repeating: "x", count: 200_000)
            let client = try proxy.connect()
            let upload = try Aside { try client.send(post("/", content)) }
            try proxy.settle()
            try proxy.passCounted(.seconds(10))
            try upload.value()
            #expect(try client.answer().status == 200)
            #expect(stage.upstream.requests.last?.body.count == content.utf8.count)
        }
    }
}

extension RawConnection {
    /// From another address of this machine.
    static func toPort(_ port: Int, from host: String) throws -> RawConnection {
        let own = try RawAddress(host: host, port: 0)
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let connection = RawConnection(descriptor: socket(own.family, type, 0))
        let peer = try RawAddress(host: "127.0.0.1", port: port)
        guard own.withPointer({ bind(connection.descriptor, $0, $1) }) == 0,
            peer.withPointer({ Glibc.connect(connection.descriptor, $0, $1) }) == 0
        else { throw Failure.system("connect", errno) }
        connection.sendAtOnce()
        return connection
    }
}
