import Synchronization

/// New keys that were made here and that the state could not take, by provider.
package final class UnsavedRotations: Sendable {
    private let held = Mutex<[String: RotationFlow.Unsaved]>([:])

    package init() {}

    subscript(provider: String) -> RotationFlow.Unsaved? {
        get { held.withLock { $0[provider] } }
        set { held.withLock { $0[provider] = newValue } }
    }

    /// Whose they are.
    var providers: [String] { held.withLock { $0.keys.sorted() } }
}
