import Glibc
import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

/// Lends a client, and closes it.
func withCalls(_ body: (CallClient) async throws -> Void) async throws {
    let client = try CallClient()
    defer { client.close() }
    try await body(client)
}

/// Every secret of the calls below holds it, and every answer may; no fault does.
let canary = "c4n4ry-51deb00c"

extension OutgoingCall {
    /// A token call at a plain address, with a secret wherever there can be one.
    static func plain(_ port: Int, host: String = "127.0.0.1") -> OutgoingCall {
        let url = UpstreamURL(scheme: .http, host: host, port: port, basePath: "")
        var call = OutgoingCall(method: "POST", url: url, target: Secret("/oauth/token?key=\(canary)"))
        call.fields = [
            Field(name: "Content-Type", value: Secret("application/x-www-form-urlencoded")),
            Field(name: "Authorization", value: Secret("Basic \(canary)")),
        ]
        call.content = Secret("grant_type=refresh_token&refresh_token=\(canary)")
        return call
    }

    /// The same over TLS at `localhost`, trusting the authority in the file `ca`.
    static func secure(_ port: Int, ca: String?) -> OutgoingCall {
        var call = plain(port, host: "localhost")
        call.url.scheme = .https
        call.tls.ca = ca
        return call
    }

    func with(_ change: (inout OutgoingCall) -> Void) -> OutgoingCall {
        var call = self
        change(&call)
        return call
    }
}

extension OutgoingCall.Field {
    /// What the sandbox's Piaxis wants to see.
    static let piaxisKey = OutgoingCall.Field(
        name: "api-key", value: Secret(SandboxCredentials().piaxisAPIKey))
}

/// The fault that the call must have come to.
func fault(
    of result: Result<CallAnswer, CallFault>, _ kind: CallFault.Kind? = nil,
    at location: SourceLocation = #_sourceLocation
) throws -> CallFault {
    var found: CallFault?
    if case .failure(let fault) = result { found = fault }
    let fault = try #require(found, "there is an answer", sourceLocation: location)
    if let kind { #expect(fault.kind == kind, "\(fault)", sourceLocation: location) }
    var dumped = ""
    dump(fault, to: &dumped)
    for text in ["\(fault)", String(reflecting: fault), dumped] {
        #expect(!text.contains("c4n4ry") && !text.contains("oauth/token"), sourceLocation: location)
    }
    return fault
}

extension Secret {
    var text: String { reveal { String(decoding: $0, as: UTF8.self) } }
}

/// Performs `call` aside, while the test plays the server.
func aside(_ client: CallClient, _ call: OutgoingCall) throws -> Aside<Result<CallAnswer, CallFault>> {
    try Aside { client.perform(call) }
}
