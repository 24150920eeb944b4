/// Text with places to fill: what headers, paths, bodies and signatures are made of.
package typealias Template = [TemplatePart]

/// A piece of a template. The configuration's reader has sorted out what each `${name}` means.
package enum TemplatePart: Sendable, Equatable {
    case text(String)
    /// One of the provider's secrets.
    case secret(String)
    /// What a credential has obtained: its token, by the credential's name, or `NAME.VALUE` for another value of the
    /// same answer.
    case credential(String)
    /// One of the provider's `values`.
    case value(String)
    /// A part of the request that is being forwarded.
    case request(RequestPart)
    /// Given by the step that makes the call: a refresh token, an authorization code, an OTP.
    case input(String)
}

/// What a template may take from a request, as the provider will see it.
package enum RequestPart: Sendable, Hashable {
    case method
    /// With the upstream's base path, without the query.
    case path
    /// Without the `?`; empty when there is none.
    case query
    /// Path and query.
    case target
    /// Scheme, host and target.
    case url
    case host
    /// The content, decoded. Makes the proxy hold the content until its end.
    case body
    /// A field of a JSON content, as text. Makes the proxy hold the content until its end.
    case field([AnswerPlace.Step])
    /// The value of a header field that the client sent, by its name in lower case; empty when it sent none.
    case header(String)
}

/// A name and what it is given: a form field, a query parameter, a JWT's claim.
package struct NamedTemplate: Sendable, Equatable {
    package var name: String
    package var value: Template
    package init(name: String, value: Template) {
        self.name = name
        self.value = value
    }
}

/// JSON with templates for its texts.
package indirect enum JSONTemplate: Sendable, Equatable {
    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: JSONTemplate
        package init(name: String, value: JSONTemplate) {
            self.name = name
            self.value = value
        }
    }
    case object([Member])
    case array([JSONTemplate])
    case text(Template)
    /// A number, `true`, `false` or `null`, as it is written.
    case literal(String)
}
