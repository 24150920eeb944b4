/// Keys that the vocabulary has a place for and this version does not perform. Accepting them silently would
/// promise what nobody keeps.
enum LaterKeys {
    static let provider: Set<String> = ["idempotency", "egress_proxy"]
}
