import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// What was counted outlives the process, however it ends, and holds for all that share the state.
    struct QuotaRestartTests {
        @Test func `a restart forgets nothing, and gives back what was held`() throws {
            let stage = try QuotaStage()
            let category = try CategorySettings.limited(10, per: .seconds(60))
            for passed in [4, 4, 2, 0] {
                let proxy = try stage.proxy(category)
                #expect(try stage.passed(4, proxy) == passed)
                proxy.stop()
                stage.clock.advance(by: .seconds(1))
            }
            stage.clock.advance(by: .seconds(56))
            let proxy = try stage.proxy(category)
            defer { proxy.stop() }
            // The first four were sent a minute ago.
            #expect(try stage.passed(20, proxy) == 4)
        }

        @Test func `a crash forgets nothing, and loses what was held until it counts no more`() throws {
            let stage = try QuotaStage()
            let category = try CategorySettings.limited(10, per: .seconds(60))
            // Not ended before the test is: nobody gives back its lease.
            let crashed = try stage.proxy(category)
            defer { crashed.stop() }
            #expect(try stage.passed(4, crashed) == 4)
            let proxy = try stage.proxy(category)
            defer { proxy.stop() }
            let left = try stage.passed(20, proxy)
            #expect((5...6).contains(left))
            #expect(stage.upstream.count <= 10)
            stage.clock.advance(by: .seconds(59))
            #expect(try stage.passed(20, proxy) == 0)
            stage.clock.advance(by: .seconds(10))
            proxy.server.wake()
            let again = try stage.passed(20, proxy)
            #expect((9...10).contains(again))
        }

        @Test func `two proxies on one state directory share the limit`() throws {
            let stage = try QuotaStage()
            let category = try CategorySettings.limited(100, per: .seconds(60))
            let proxies = try (0..<2).map { _ in try stage.proxy(category) }
            defer { for proxy in proxies { proxy.stop() } }
            for _ in 0..<3 {
                let before = stage.upstream.count
                let runs = try proxies.map { proxy in try Aside { try stage.passed(200, proxy) } }
                let passed = try runs.map { try $0.value() }.reduce(0, +)
                #expect((98...100).contains(passed), "\(passed)")
                #expect(stage.upstream.count == before + passed)
                stage.clock.advance(by: .seconds(80))
                for proxy in proxies { proxy.server.wake() }
            }
        }

        @Test func `the same provider elsewhere is another account`() throws {
            let stage = try QuotaStage()
            let other = try CountingUpstream()
            defer { other.close() }
            let category = try CategorySettings.limited(1, per: .seconds(60))
            let first = try stage.proxy(category)
            #expect(try stage.passed(2, first) == 1)
            first.stop()
            var provider = ProviderSettings.plain(other.port)
            provider.categories = [category]
            let second = try stage.proxy(provider)
            defer { second.stop() }
            #expect(try stage.passed(2, second) == 1)
        }

        // MARK: Reload

        @Test func `a reload that changes a limit keeps what was counted`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.limited(3, per: .seconds(60)))
            defer { proxy.stop() }
            #expect(try stage.passed(5, proxy) == 3)
            try proxy.server.reload(stage.settings(stage.provider(.limited(5, per: .seconds(60)))))
            #expect(try stage.passed(5, proxy) == 2)
            try proxy.server.reload(stage.settings(stage.provider(.limited(2, per: .seconds(60)))))
            #expect(try stage.passed(5, proxy) == 0)
            try proxy.passCounted(.seconds(60))
            #expect(try stage.passed(5, proxy) == 2)
        }

        @Test func `a reload adds limits and takes them away, and the others go on`() throws {
            let stage = try QuotaStage()
            let a = try CategorySettings.limited(2, per: .seconds(60), "/a/**", name: "a")
            let b = try CategorySettings.limited(1, per: .seconds(60), "/b/**", name: "b")
            let proxy = try stage.proxy(ProviderSettings.plain(stage.upstream.port))
            defer { proxy.stop() }
            #expect(try stage.passed(3, proxy, "/a") == 3)
            try proxy.server.reload(stage.settings(stage.provider(a)))
            #expect(try stage.passed(3, proxy, "/a") == 2)
            #expect(try stage.passed(3, proxy, "/b") == 3)
            try proxy.server.reload(stage.settings(stage.provider(a, b)))
            #expect(try stage.passed(3, proxy, "/a") == 0)
            #expect(try stage.passed(3, proxy, "/b") == 1)
            try proxy.server.reload(stage.settings(stage.provider(b)))
            #expect(try stage.passed(3, proxy, "/a") == 3)
            #expect(try stage.passed(3, proxy, "/b") == 0)
            try proxy.server.reload(stage.settings(stage.provider(a, b)))
            #expect(try stage.passed(3, proxy, "/a") == 0, "taken away meanwhile, and not forgotten")
        }

        @Test func `calls in line are served through a reload`() throws {
            let stage = try QuotaStage()
            let proxy = try stage.proxy(.waiting(1, per: .seconds(10)))
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            let client = try proxy.connect(sending: get("/waiting"))
            try proxy.settle()
            try proxy.server.reload(
                stage.settings(stage.provider(.waiting(1, per: .seconds(10)) { $0.waiting = 9 })))
            try proxy.passCounted(.seconds(10))
            #expect(try client.answer().status == 200)
        }

        @Test(arguments: ["none", "foreign", "newer"])
        func `a ledger that cannot be used is told at the start`(_ how: String) throws {
            let stage = try QuotaStage()
            let database = stage.folder.path + "/quota.db"
            let category = try CategorySettings.limited(1, per: .seconds(60))
            try stage.proxy(category).stop()
            let words: String
            switch how {
            case "foreign":
                Files.remove(stage.folder.path)
                try Files.makeFolder(stage.folder.path)
                try RawDatabase.run("CREATE TABLE clock (a)", in: database)
                words = "another program's database"
            case "newer":
                try RawDatabase.run("PRAGMA user_version = 9", in: database)
                words = "later version"
            default:
                words = ""
            }
            do {
                try stage.proxy(category).stop()
                #expect(how == "none")
            } catch let error as StartFailure {
                #expect(
                    error.description.contains("quota.db") && error.description.contains(words), "\(error)")
                #expect(how != "none", "\(error)")
            }
        }
    }
}
