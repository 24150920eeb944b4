package import TollkeyCore

/// Where a record is kept: its address and, bound into its seal, what it may be used for.
///
/// Names are not secret: they are in the database as they are.
package struct RecordPlace: Sendable, Hashable {
    package let kind: String
    package let provider: String
    package let name: String

    package init(kind: String, provider: String, name: String) {
        self.kind = kind
        self.provider = provider
        self.name = name
    }

    var parts: [String] { [kind, provider, name] }
}

/// What was kept, and which writing it is.
package struct StoredRecord: Sendable, Equatable {
    /// Larger with each writing anywhere in the store, so that none is ever taken for another.
    package let version: Int64
    package let content: Secret
}
