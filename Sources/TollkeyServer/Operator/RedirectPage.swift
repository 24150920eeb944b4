/// What the browser that brings a redirect is shown.
enum RedirectPage {
    case thanks
    case denied(String)
    case foreign
    case empty
    case notFound
    case notGET
    case forbiddenHost
    case malformed

    private var status: String {
        switch self {
        case .thanks, .denied: "200 OK"
        case .foreign, .empty, .malformed: "400 Bad Request"
        case .notFound: "404 Not Found"
        case .notGET: "405 Method Not Allowed"
        case .forbiddenHost: "403 Forbidden"
        }
    }

    private var words: String {
        switch self {
        case .thanks: "You can close this window. The terminal says how the login goes on."
        case .denied(let code): "The provider gave no access (\(code)). You can close this window."
        case .foreign:
            "This is no answer to the login that is under way. Use the link that the terminal shows."
        case .empty: "The answer holds no code. Use the link that the terminal shows once more."
        case .notFound: "There is nothing here."
        case .notGET: "Only GET is answered here."
        case .forbiddenHost: "This name is not known here."
        case .malformed: "This is no request."
        }
    }

    /// The whole answer, which ends the connection. The page's own address holds the code: nothing may keep it or pass
    /// it on.
    var bytes: [UInt8] {
        let page = """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>Tollkey</title><p>\(words)</p></html>

            """
        let head = [
            "HTTP/1.1 \(status)", "Content-Type: text/html; charset=utf-8",
            "Content-Length: \(page.utf8.count)", "Cache-Control: no-store", "Referrer-Policy: no-referrer",
            "Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff",
            "Connection: close",
        ]
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + page).utf8)
    }
}
