package import Logging
package import TollkeyCore

extension Settings {
    /// Opens the state, or begins one; shared with other replicas where that is configured.
    package func openState(clock: Clock, logger: Logger? = nil) throws(StateFailure) -> any RecordStore {
        let directory = state ?? Server.defaultState
        let local = try StateStore(directory: directory, keys: stateKeys)
        if local.isFresh { logger?.notice("new state", metadata: ["directory": "\(directory)"]) }
        // Without a state key nothing is obtained, and a key that the state has made is nobody else's.
        guard let shared, !stateKeys.isEmpty else { return local }
        let client: RedisClient
        do throws(SystemError) { client = try RedisClient(shared, name: "tollkey-tokens") } catch {
            throw StateFailure(.system, error.description)
        }
        return try SharedStore(
            beside: local, client, prefix: shared.prefix, keys: stateKeys, clock: clock, logger: logger)
    }
}
