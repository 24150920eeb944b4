import Testing
import TollkeyConfig
import TollkeyCore
import TollkeySandbox

extension EndToEnd {
    /// The description counts as the provider does, whose answers name the limit that a call was counted under.
    struct PiaxisCategoriesTests {
        private static let calls = [
            ("GET", "/api/authorize"), ("POST", "/api/oauth/token"), ("POST", "/api/oauth/refresh"),
            ("POST", "/api/auth/request-otp"), ("POST", "/api/auth/verify-otp"), ("GET", "/api/auth/other"),
            ("POST", "/api/payments/create"), ("POST", "/api/payments"), ("PUT", "/api/payments/p1"),
            ("GET", "/api/payments/p1"), ("GET", "/api/payments"), ("HEAD", "/api/payments/p1"),
            ("POST", "/api/escrow/create"), ("POST", "/api/escrow/release"), ("DELETE", "/api/escrow/e1"),
            ("GET", "/api/escrow/e1"), ("HEAD", "/api/escrow/e1"), ("GET", "/api/profile"),
            ("POST", "/api/webhooks"), ("GET", "/"),
        ]

        @Test func `Piaxis counts a call in the category that its description names`() async throws {
            let text = "providers: { piaxis: { use: piaxis, secrets: { api_key: \"${env:K}\" } } }"
            let settings = try ConfigurationReader(file: "proxy.yaml") { _ in .success(Secret("k")) }
                .read(Array(text.utf8)).get()
            let categories = settings.providers[0].categories
            let table = CategoryTable(categories)
            try await withRig { rig in
                for (method, path) in Self.calls {
                    let (verb, place) = (Array(method.utf8), Array(path.utf8))
                    let match = table.match(method: verb.span, path: place.span)
                    let limit = try #require(match.flatMap { categories[$0.category].limits.first })
                    let key = "api-key: \(rig.credentials.piaxisAPIKey)\r\n"
                    let reply = try await rig.call(.piaxis, method, path, key)
                    #expect(reply.header("X-RateLimit-Limit") == "\(limit.count)", "\(method) \(path)")
                }
            }
        }
    }
}
