import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// What may come from somebody who only says that it is a Redis server.
    struct RedisReplyTests {
        /// What a command comes to, when the server answers `bytes` and hangs up.
        private func outcome(of bytes: [UInt8], isCut: Bool = true) throws -> Result<RedisReply, RedisFailure>
        {
            let upstream = try RawUpstream()
            var outcome: Result<RedisReply, RedisFailure>?
            try withClient(.at(upstream)) { client in
                let call = try Aside { () -> Result<RedisReply, RedisFailure> in
                    Result { () throws(RedisFailure) in try client.perform(["GET", "a"]) }
                }
                let server = try upstream.welcome()
                _ = try server.through("$1\r\na\r\n")
                // The client may hang up before it has all.
                try? server.send(bytes)
                if isCut { server.finish() }
                outcome = try call.value()
            }
            return try #require(outcome)
        }

        private func outcome(of text: String, isCut: Bool = true) throws -> Result<RedisReply, RedisFailure> {
            try outcome(of: Array(text.utf8), isCut: isCut)
        }

        @Test func `a reply of 1 MiB is taken, one byte more is not`() throws {
            let head = "$1048564\r\n"
            let most = 1_048_564
            #expect(head.utf8.count + most + 2 == 1 << 20)
            let content = [UInt8](repeating: 7, count: most)
            let reply = try outcome(of: Array(head.utf8) + content + [13, 10], isCut: false).get()
            #expect(reply == .bytes(content))
            let more = try outcome(of: Array("$1048565\r\n".utf8) + content + [7, 13, 10], isCut: false)
            try expectFailure(.malformed, mayHaveRun: true, says: "more than 1 MiB") { try more.get() }
        }

        @Test(arguments: [
            "*65537\r\n", "*2147483647\r\n", "*1073741825\r\n", "*4294967297\r\n", "*-2\r\n", "$-2\r\n",
            "$9223372036854775807\r\n", ":12a\r\n", "hello\r\n", "HTTP/1.1 200 OK\r\n", "_\r\n", "%1\r\n",
        ])
        func `what is no reply is not waited for`(_ text: String) throws {
            let outcome = try outcome(of: text, isCut: text.first == "$")
            let failure = try #require(throws: RedisFailure.self) { try outcome.get() }
            #expect(failure.kind == (text.hasPrefix("$9") ? .unreachable : .malformed), "\(failure)")
            #expect(failure.mayHaveRun)
        }

        @Test func `arrays in arrays are taken until they are too deep`() throws {
            let deep = String(repeating: "*1\r\n", count: 7) + ":1\r\n"
            var reply = try outcome(of: deep).get()
            for _ in 0..<7 {
                guard case .array(let elements) = reply else { throw RawConnection.Failure.late }
                reply = try #require(elements.first)
            }
            #expect(reply == .integer(1))
            let deeper = try outcome(of: String(repeating: "*1\r\n", count: 20) + ":1\r\n", isCut: false)
            try expectFailure(.malformed, mayHaveRun: true) { try deeper.get() }
        }

        @Test func `an error within an array is a reply`() throws {
            let reply = try outcome(of: "*2\r\n-WRONGTYPE no\r\n:1\r\n").get()
            guard case .array(let elements) = reply, case .error(let no)? = elements.first else {
                throw RawConnection.Failure.late
            }
            #expect(no.code == "WRONGTYPE" && no.scriptText == nil && elements.last == .integer(1))
        }

        @Test(arguments: ["", "$5\r\nhel", "*2\r\n:1\r\n", "+O"])
        func `a reply that is cut is none`(_ text: String) throws {
            let outcome = try outcome(of: text)
            try expectFailure(.unreachable, mayHaveRun: true, says: "ended the connection") {
                try outcome.get()
            }
        }

        @Test func `whoever says more than it was asked is not asked again`() throws {
            let outcome = try outcome(of: ":1\r\n:2\r\n", isCut: false)
            try expectFailure(.malformed, mayHaveRun: true) { try outcome.get() }
        }

        @Test(arguments: ["-\r\n", "- \r\n", "-\u{7f}\u{1b}[31m x\r\n", "-lower case\r\n"])
        func `an error without a proper first word is an error`(_ text: String) throws {
            let outcome = try outcome(of: text)
            #expect(try expectFailure(.command) { try outcome.get() }.code == "ERR")
        }

        @Test func `a reply that comes byte by byte is one reply`() throws {
            let upstream = try RawUpstream()
            try withClient(.at(upstream)) { client in
                let call = try Aside { try client.perform(["GET", "a"]) }
                let server = try upstream.welcome()
                _ = try server.through("$1\r\na\r\n")
                try server.sendByteByByte("*2\r\n$2\r\n\r\n\r\n:-7\r\n")
                #expect(try call.value() == .array([.bytes("\r\n"), .integer(-7)]))
            }
        }

        @Test func `a server that sends a byte now and then is given up all the same`() throws {
            let upstream = try RawUpstream()
            try withClient(.at(upstream), command: .milliseconds(50)) { client in
                let call = try Aside { try client.perform(["GET", "a"]) }
                let server = try upstream.welcome()
                _ = try server.through("$1\r\na\r\n")
                try server.send("$1000000\r\n")
                while !server.hasHungUp { _ = server.sendWithoutWaiting([7]) }
                let failure = try #require(throws: RedisFailure.self) { try call.value() }
                #expect(failure.mayHaveRun && [.timedOut, .malformed].contains(failure.kind), "\(failure)")
            }
        }
    }
}
