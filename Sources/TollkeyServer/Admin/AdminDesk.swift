import Logging
import TollkeyCore

/// Answers an operator's requests. Called on threads of the admin listener.
struct AdminDesk: Sendable {
    let visitors: AdminGuard
    let logger: Logger
    let actions: AdminActions
    /// How the proxy stands; asks every event loop, and where it is told to the ledger.
    let status: @Sendable (_ asksLedger: Bool) -> ServerStatus
    /// Event loops that do not answer within a bound.
    let silentLoops: @Sendable () -> [Int]

    func answer(_ request: AdminRequest, _ peer: Admission.Peer?) -> AdminAnswer {
        if let refusal = visitors.refusal(request) { return refusal }
        switch request.method {
        case "GET", "HEAD": return look(request)
        case "POST": return act(request, peer)
        default:
            var answer = AdminAnswer.problem(
                .notAllowed, "Only GET, HEAD and POST are known here.", status: 405)
            answer.fields.append(("Allow", "GET, HEAD, POST"))
            return answer
        }
    }

    private func look(_ request: AdminRequest) -> AdminAnswer {
        switch request.path {
        case []: return .page(PackageResources.page_html, "text/html; charset=utf-8")
        case ["page.css"]: return .page(PackageResources.page_css, "text/css; charset=utf-8")
        case ["page.js"]: return .page(PackageResources.page_js, "text/javascript; charset=utf-8")
        case ["live"]:
            let silent = silentLoops()
            guard !silent.isEmpty else { return .text(200, "ok") }
            return .text(503, silent.map { "event loop \($0) does not answer" }.joined(separator: "\n"))
        case ["ready"]:
            let notReady = status(false).notReady
            return notReady.isEmpty ? .text(200, "ready") : .text(503, notReady.joined(separator: "\n"))
        case ["status"]: return .json(200, status(true).json)
        case ["metrics"]:
            return AdminAnswer(
                200, "text/plain; version=0.0.4; charset=utf-8", Array(status(true).metrics.utf8))
        default:
            if AdminActions.names.contains(request.path.first ?? "") {
                var answer = AdminAnswer.problem(
                    .notAllowed, "This changes something: it wants a POST.", status: 405)
                answer.fields.append(("Allow", "POST"))
                return answer
            }
            return .problem(.noRoute, "There is /, /live, /ready, /status and /metrics here.")
        }
    }

    private func act(_ request: AdminRequest, _ peer: Admission.Peer?) -> AdminAnswer {
        guard let action = request.path.first, AdminActions.names.contains(action) else {
            return .problem(
                .noRoute, "There is POST \(AdminActions.names.map { "/\($0)" }.joined(separator: ", ")) here."
            )
        }
        guard let actor = visitors.actor(request, peer: peer) else {
            logger.warning(
                "action refused",
                metadata: ["action": "\(action)", "peer": "\(peer.map { "uid \($0.uid)" } ?? "tcp")"])
            return .problem(
                .forbiddenPeer,
                "Changing things takes the admin unix socket, as a user who may, or an admin token.")
        }
        let answer = actions.perform(action, request, by: actor)
        logger.notice(
            "action",
            metadata: [
                "action": "\(request.path.prefix(2).joined(separator: " "))", "actor": "\(actor.text)",
                "status": "\(answer.status)", "words": "\(answer.words)",
            ])
        return answer
    }
}

extension AdminAnswer {
    /// Ours alone may run in it, and it may ask nobody but us.
    fileprivate static func page(_ bytes: [UInt8], _ type: String) -> AdminAnswer {
        var answer = AdminAnswer(200, type, bytes)
        answer.fields = [
            (
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
                    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
        ]
        return answer
    }
}
