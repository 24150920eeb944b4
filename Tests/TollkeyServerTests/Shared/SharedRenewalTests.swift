import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Renewals of two replicas, one of which stalls while the other goes on. The sandbox fails the test by itself when
    /// a refresh token is spent twice.
    struct SharedRenewalTests {
        /// Two replicas and what they renew: a credential that was obtained by A, and that B has taken over.
        private struct Pair {
            let stage: CredentialStage
            let redis: RedisServer
            let client: CallClient
            let provider: ProviderSettings
            let a: StallingStore
            let b: StallingStore
            /// Of what B renews by itself.
            let place: RecordPlace

            func renew(
                _ store: StallingStore, known: KeptCredential? = nil, isForced: Bool = true,
                quotas: ProviderQuotas? = nil
            ) -> Renewal.Outcome {
                let calls = ProviderCalls(
                    provider: provider, secrets: provider.secrets, client: client, clock: stage.clock.clock,
                    quotas: quotas)
                return Renewal(
                    credential: provider.credentials[0], calls: calls, store: store, bootID: "this boot"
                ).perform(known: known, isForced: isForced)
            }

            /// What B comes to when A's lock has run out.
            func overtake() -> String {
                do { try redis.endLock(place) } catch { return "\(error)" }
                return renew(b).words
            }

            var refreshes: Int { stage.sandbox.record.count(of: .refresh, to: .jpay) }
        }

        /// `needsPerson`: only a person could log in anew.
        private func withPair(
            needsPerson: Bool = false, grace: Duration = .zero, _ body: (Pair) async throws -> Void
        ) async throws {
            try await withCredentialStage { stage in
                let redis = try RedisServer.start()
                defer { redis.kill() }
                let client = try CallClient()
                defer { client.close() }
                var provider = try stage.jpay.providers[0]
                let a = StallingStore(try Replica(redis, clock: stage.clock, grace: grace))
                let b = StallingStore(try Replica(redis, clock: stage.clock, grace: grace))
                let obtaining = Pair(
                    stage: stage, redis: redis, client: client, provider: provider, a: a, b: b,
                    place: .access("jpay"))
                #expect(obtaining.renew(a).words == "obtain")
                #expect(obtaining.renew(b, isForced: false).words == "adopted")
                if needsPerson, let call = provider.credentials[0].obtain {
                    // The same account, into which a person logs in.
                    provider.credentials[0].login = LoginSettings(authorize: call.place, exchange: call)
                    provider.credentials[0].obtain = nil
                }
                try await body(
                    Pair(
                        stage: stage, redis: redis, client: client, provider: provider, a: a, b: b,
                        place: .access("jpay")))
            }
        }

        @Test func `replicas take turns with one chain of refresh tokens`() async throws {
            try await withPair { pair in
                for _ in 0..<3 {
                    #expect(pair.renew(pair.a).words == "refresh")
                    #expect(pair.renew(pair.b).words == "refresh")
                }
                #expect(pair.stage.sandbox.record.count(of: .login, to: .jpay) == 1)
            }
        }

        @Test func `a holder that stalls before its mark spends nothing`() async throws {
            try await withPair { pair in
                pair.a.beforeMark.arm { #expect(pair.overtake() == "refresh") }
                #expect(pair.renew(pair.a).words.hasPrefix("the state cannot be used"))
                #expect(pair.refreshes == 1)
                #expect(pair.renew(pair.a, isForced: false).words == "adopted")
            }
        }

        @Test(arguments: [false, true])
        func `behind its mark it alone may spend the token`(needsPerson: Bool) async throws {
            try await withPair(needsPerson: needsPerson) { pair in
                let words = needsPerson ? "another replica has begun to spend" : "obtain"
                pair.a.afterMark.arm { #expect(pair.overtake().hasPrefix(words)) }
                #expect(pair.renew(pair.a).words == (needsPerson ? "refresh" : "adopted"))
                #expect(pair.refreshes == 1)
                #expect(pair.renew(pair.b).words == "refresh", "with what is kept now")
            }
        }

        @Test(arguments: [false, true])
        func `a holder that wakes up too late does not send`(needsPerson: Bool) async throws {
            try await withPair(needsPerson: needsPerson) { pair in
                let words = needsPerson ? "another replica has begun to spend" : "obtain"
                pair.a.afterMark.arm {
                    #expect(pair.overtake().hasPrefix(words))
                    pair.stage.clock.advance(by: .seconds(31))
                }
                _ = pair.renew(pair.a).words
                #expect(pair.refreshes == 0)
                #expect(pair.renew(pair.b).words == "refresh", "it has never been spent, or there is another")
            }
        }

        @Test func `one that wakes up too late to send gives its permit back`() async throws {
            try await withPair { pair in
                var limited = pair.provider
                limited.categories = [try .limited(1, per: .seconds(86_400))]
                let quotas = try ProviderQuotas.passing(
                    limited, in: pair.stage.jpay, clock: pair.stage.clock.clock)
                pair.a.afterMark.arm { pair.stage.clock.advance(by: .seconds(31)) }
                #expect(pair.renew(pair.a, quotas: quotas).words.contains("took too long"))
                let before = pair.stage.sandbox.record.requests(of: .jpay).count
                let words = pair.renew(pair.a, quotas: quotas).words
                #expect(["refresh", "obtain"].contains(words), "\(words)")
                #expect(pair.stage.sandbox.record.requests(of: .jpay).count == before + 1)
            }
        }

        @Test(arguments: [false, true])
        func `an answer that is kept late does not replace a later one`(needsPerson: Bool) async throws {
            try await withPair(needsPerson: needsPerson) { pair in
                let words = needsPerson ? "another replica has begun to spend" : "obtain"
                pair.a.beforeSave.arm { #expect(pair.overtake().hasPrefix(words)) }
                #expect(pair.renew(pair.a).words == (needsPerson ? "refresh" : "adopted"))
                #expect(pair.renew(pair.b).words == "refresh")
            }
        }

        @Test func `after a crash behind the mark the same machine goes on, where only a person else could`()
            async throws
        {
            try await withPair(needsPerson: true) { pair in
                // Nothing arrives at the provider, and nobody knows that.
                #expect(pair.stage.sandbox.arm(.reset, on: .jpay, path: "/api/v1/auth/refresh"))
                _ = pair.renew(pair.a).words
                #expect(pair.renew(pair.b).words.hasPrefix("another replica has begun to spend"))
                #expect(pair.refreshes <= 1)
                #expect(pair.renew(pair.a).words == "refresh")
                #expect(pair.renew(pair.b, isForced: false).words == "adopted")
            }
        }

        @Test func `without Redis no refresh token is spent, and what needs none is obtained`() async throws {
            try await withPair { pair in
                pair.redis.kill()
                #expect(pair.renew(pair.a).words == "obtain")
                #expect(pair.refreshes == 0)
                try pair.redis.restart()
                pair.stage.clock.advance(by: .seconds(2))
                _ = pair.a.look(at: [pair.place])
                #expect(pair.renew(pair.b, isForced: false).words == "adopted")
                #expect(pair.renew(pair.b).words == "refresh", "with what A has obtained meanwhile")
            }
            try await withPair(needsPerson: true) { pair in
                pair.redis.kill()
                let words = pair.renew(pair.a).words
                #expect(
                    words.hasPrefix("the refresh token is not spent without the other replicas: Redis at"))
                #expect(pair.refreshes == 0)
            }
        }

        @Test func `when Redis dies under the holder, what it has brought is kept here and there`()
            async throws
        {
            try await withPair(needsPerson: true) { pair in
                pair.a.afterMark.arm { pair.redis.kill() }
                #expect(pair.renew(pair.a).words == "refresh")
                try pair.redis.restart()
                pair.stage.clock.advance(by: .seconds(2))
                // The older copy first.
                _ = pair.b.look(at: [pair.place])
                _ = pair.a.look(at: [pair.place])
                #expect(pair.renew(pair.b).words == "refresh", "with what A has kept")
            }
        }

        @Test func `a mark that Redis has lost is back before anybody else may spend the token`() async throws
        {
            try await withPair(needsPerson: true, grace: .seconds(3_600)) { pair in
                try pair.redis.settleRecords()
                pair.a.afterMark.arm {
                    do { try pair.redis.restart() } catch { Issue.record(error) }
                    let words = pair.renew(pair.b).words
                    #expect(words.contains("others may put back what is later"), "\(words)")
                }
                #expect(pair.renew(pair.a).words == "refresh")
                _ = pair.a.look(at: [pair.place])
                try pair.redis.settleRecords()
                #expect(pair.renew(pair.b).words == "refresh")
            }
        }
    }
}

extension Renewal.Outcome {
    /// How it was had, or why not.
    fileprivate var words: String {
        switch self {
        case .obtained(let kept, let how, _): kept.isSaved ? how.rawValue : "lost"
        case .adopted: "adopted"
        case .failed(let fault): fault.words
        }
    }
}
