/// Keys that the vocabulary has a place for and this version does not perform. Accepting them silently would
/// promise limits that nobody keeps.
enum LaterKeys {
    static let top: Set<String> = ["admin", "shared", "shared_fallback"]
    static let provider: Set<String> = ["categories", "idempotency", "egress_proxy"]
}
