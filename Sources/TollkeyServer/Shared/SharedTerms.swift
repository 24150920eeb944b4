/// The times by which replicas share records. What is argued from them stands at `SharedStore`.
package struct SharedTerms: Sendable {
    /// A lock ends by itself after this long: longer than `callWithin`, a call (`ProviderCalls.timeout`) and keeping
    /// its answer take together.
    package var lockLife: Duration = .seconds(75)
    /// What must be done once is begun so long after the lock was taken, or not at all.
    package var callWithin: Duration = .seconds(30)
    /// After Redis has lost data, or may have: nothing is marked for so long. Longer than `callWithin`, and than
    /// several looks.
    package var grace: Duration = .seconds(40)
    /// Between two looks at what others have written.
    package var lookInterval: Duration = .seconds(3)
    /// Between two tries for a lock that another replica has.
    package var lockInterval: Duration = .milliseconds(100)

    package init() {}
}
