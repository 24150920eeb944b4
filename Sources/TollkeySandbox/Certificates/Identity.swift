/// What a TLS server or client shows: its certificate chain, leaf first, and the key, both PEM.
///
/// The keys live as long as one run and are trusted by nobody else, so they need no `Secret` type.
package struct Identity: Sendable {
    package let chain: String
    package let key: String
}
