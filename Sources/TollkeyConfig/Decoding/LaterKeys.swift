/// Keys that the vocabulary has a place for and this version does not perform. Accepting them silently would
/// promise limits and credentials that nobody keeps.
enum LaterKeys {
    static let top: Set<String> = ["admin", "state", "state_key", "shared"]
    static let provider: Set<String> = ["credentials", "categories", "idempotency", "egress_proxy"]
}
