package import TollkeyCore

/// What a provider answered to a call of ours, complete. Any part of it may be a token.
package struct CallAnswer: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        /// In lower case.
        package var name: String
        package var value: Secret
        package init(name: String, value: Secret) {
            self.name = name
            self.value = value
        }
    }

    /// 200…999; interim answers are passed over.
    package var status: Int
    /// In the order of their arrival. Trailers are left out.
    package var fields: [Field]
    package var content: Secret

    package init(status: Int, fields: [Field] = [], content: Secret = Secret("")) {
        self.status = status
        self.fields = fields
        self.content = content
    }

    /// The first value of the field, whose name is given in lower case.
    package func value(of name: String) -> Secret? { fields.first { $0.name == name }?.value }
}
