import Testing
import TollkeyConfig
import TollkeyCore

struct ShippedCategoriesTests {
    private func piaxis(_ lines: String) throws -> [CategorySettings] {
        try provider("use: piaxis\n\(lines)").categories
    }

    @Test func `Piaxis has the limits of its table, with either credential`() throws {
        let key = try piaxis("secrets: {api_key: \"${env:KEY}\"}")
        #expect(key.map(\.name) == ["authentication", "payments", "escrow", "reads"])
        #expect(
            key.map { $0.limits.map(\.text) } == [["100/hour"], ["1000/hour"], ["500/hour"], ["5000/hour"]])
        #expect(try piaxis("variant: oauth\nsecrets: {client_id: \"${env:KEY}\"}") == key)
    }

    @Test(arguments: [
        ("GET /api/authorize", "authentication"), ("POST /api/oauth/token", "authentication"),
        ("POST /api/oauth/refresh", "authentication"), ("POST /api/auth/request-otp", "authentication"),
        ("POST /api/payments/create", "payments"), ("POST /api/payments", "payments"),
        ("DELETE /api/payments/p1", "payments"), ("GET /api/payments/p1", "reads"),
        ("HEAD /api/payments/p1", "reads"), ("POST /api/escrow/release", "escrow"),
        ("GET /api/escrow/e1", "reads"), ("HEAD /api/escrow/e1", "reads"), ("GET /api/profile", "reads"),
        ("POST /api/webhooks", "reads"), ("GET /", "reads"),
    ])
    func `a call to Piaxis counts where its table has it`(_ call: String, _ category: String) throws {
        let all = try piaxis("secrets: {api_key: \"${env:KEY}\"}")
        let parts = call.split(separator: " ").map { Array($0.utf8) }
        let (method, path) = (parts[0], parts[1])
        let match = CategoryTable(all).match(method: method.span, path: path.span)
        #expect(match.map { all[$0.category].name } == category)
    }

    @Test(arguments: ["tezpay", "pixlpay", "tuku", "jpay"])
    func `where no limits are published there are none`(_ name: String) throws {
        let text = try #require(ShippedProviders.text(of: name))
        #expect(!String(decoding: text, as: UTF8.self).contains("categories:"))
    }
}
