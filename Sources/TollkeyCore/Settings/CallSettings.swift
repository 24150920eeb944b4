/// A call that the proxy makes by itself: for a token, a probe, an OTP.
package struct CallSettings: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// On the provider's upstream; joined to its base path.
        case upstream(path: Template)
        /// On a host of its own. `url` has no base path.
        case elsewhere(url: UpstreamURL, path: Template)
    }

    package enum Content: Sendable, Equatable {
        case none
        case form([NamedTemplate])
        case json(JSONTemplate)
    }

    /// User and password of `Authorization: Basic` (RFC 7617).
    package struct Basic: Sendable, Equatable {
        package var user: Template
        package var password: Template
        package init(user: Template, password: Template) {
            self.user = user
            self.password = password
        }
    }

    package var method: String
    package var place: Place
    package var query: [NamedTemplate] = []
    package var headers: [InjectedHeader] = []
    package var content = Content.none
    package var basic: Basic?
    /// Whether the provider's injected headers go with it, as with a call that is forwarded.
    package var isAuthenticated = false

    package init(method: String, place: Place) {
        self.method = method
        self.place = place
    }
}

/// Where something stands in an answer.
package enum AnswerPlace: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        case member(String)
        /// Counted from 0.
        case element(Int)
    }
    case json([Step])
    /// A header field, by its name in lower case.
    case header(String)
    /// The content as a whole, as text.
    case content
}

/// Something that says when a token dies.
package enum ExpirySignal: Sendable, Hashable {
    /// A number of seconds from now, also as text.
    case seconds(AnswerPlace)
    case milliseconds(AnswerPlace)
    /// RFC 3339, an HTTP date (RFC 9110 §5.6.7), or seconds or milliseconds since 1970.
    case date(AnswerPlace)
}

/// What is taken out of the answer to a token call.
package struct ReadSettings: Sendable, Equatable {
    package struct Value: Sendable, Equatable {
        package var name: String
        package var place: AnswerPlace
        package init(name: String, place: AnswerPlace) {
            self.name = name
            self.place = place
        }
    }

    package var token: AnswerPlace
    package var refreshToken: AnswerPlace?
    /// Of the token. All that are present count, besides a JWT's own `exp`; the earliest wins.
    package var expiry: [ExpirySignal] = []
    package var refreshExpiry: [ExpirySignal] = []
    /// Further values of the same answer, for `${credential.value}`.
    package var values: [Value] = []

    package init(token: AnswerPlace) { self.token = token }
}

/// What an answer must say besides its status.
package struct Expectation: Sendable, Equatable {
    package var place: AnswerPlace
    /// As text; a number or a flag as JSON writes it.
    package var value: String
    package init(place: AnswerPlace, value: String) {
        self.place = place
        self.value = value
    }
}
