import TollkeySandbox

/// One call as an application makes it: no secret in it.
struct DemoCall: Sendable {
    let provider: Provider
    var method = "GET"
    /// As in the provider's own documentation.
    let path: String
    /// JSON.
    var body: String?
    /// What the application says in Host; the proxy's address unless it lies.
    var host: String?

    /// With the provider's route in front: all that an application changes.
    var target: String { "/\(provider.rawValue)\(path)" }

    func headers(to address: LoopbackAddress) -> [(name: String, value: String)] {
        var headers = [("Host", host ?? address.description), ("User-Agent", "shop/1.0")]
        if let body {
            headers.append(("Content-Type", "application/json"))
            headers.append(("Content-Length", String(body.utf8.count)))
        }
        return headers
    }

    /// For a shell. `-d` makes it a POST.
    func curl(to address: LoopbackAddress) -> String {
        let content = body.map { " -H 'Content-Type: application/json' -d '\($0)'" } ?? ""
        return "curl -i 'http://\(address)\(target)'\(content)"
    }

    /// One per provider.
    static let all = [
        DemoCall(
            provider: .piaxis, method: "POST", path: "/api/payments/create",
            body: #"{"amount":"19.99","currency":"USD"}"#),
        DemoCall(
            provider: .tezpay, method: "POST", path: "/api/v1/tezpay/process-payment",
            body: #"{"merchant_reference":"order-1"}"#),
        DemoCall(provider: .pixlpay, path: "/products"),
        DemoCall(
            provider: .tuku, method: "POST", path: "/api/transactions/create",
            body: #"{"amount":1500,"currency":"KES"}"#),
        DemoCall(
            provider: .jpay, method: "POST", path: "/payments/collections/checkouts",
            body: #"{"amount":250}"#),
    ]

    /// For nobody: the proxy itself answers it.
    static let nowhere = DemoCall(provider: .piaxis, path: "-no-such-provider")

    /// As a page in a browser sends it that has made its own name resolve to this machine.
    static let rebound = DemoCall(provider: .pixlpay, path: "/products", host: "evil.example")
}
