import NIOHTTP1

/// What a provider's people do to credentials, and what a person with a browser does for one.
extension Sandbox {
    /// Makes every token that was issued so far worthless, refresh tokens too; static credentials stay good.
    package func revokeTokens(of provider: Provider) { plays[provider]?.revokeIssued() }

    /// Makes the access tokens that were issued so far worthless; refresh tokens stay good.
    package func revokeAccess(of provider: Provider) { plays[provider]?.revokeAccess() }

    /// Makes one more static token: of Pixlpay with scopes, an API key of Piaxis or of Acme.
    /// - Parameter scopes: nil for all
    /// - Returns: false when the provider has none such, has that one, or has enough
    @discardableResult
    package func add(token: String, to provider: Provider, scopes: [String]? = nil) -> Bool {
        plays[provider]?.add(token: token, scopes: scopes) ?? false
    }

    /// Takes a static token back, one of `SandboxCredentials` too.
    @discardableResult
    package func revoke(token: String, of provider: Provider) -> Bool {
        plays[provider]?.revoke(token: token) ?? false
    }

    /// A person opens `url` in a browser and says yes.
    /// - Returns: where the browser is sent; nil when it shows a refusal, or nobody is there
    package func visit(_ url: String) -> String? {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let port = parts[2].split(separator: ":").last.flatMap({ Int($0) }),
            let stage = stages.first(where: { $0.port == port })?.stage
        else { return nil }
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "/\(parts[3])", headers: ["Host": String(parts[2])])
        let call = Call(head: head, body: [], bodyBytes: 0, basePath: stage.basePath)
        return stage.perform(call, connection: 0).headers.first(name: "location")
    }
}
