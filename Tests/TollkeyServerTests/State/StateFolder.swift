import Glibc
import TollkeyCore
import TollkeyServer

/// A folder in memory, where there is such a thing, that goes with its last owner; the state is in a folder inside it.
final class StateFolder: Sendable {
    let root: String
    var path: String { root + "/state" }
    var database: String { path + "/tollkey.db" }
    var key: String { path + "/key" }

    init() throws {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/tollkey-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw RawConnection.Failure.system("mkdtemp", errno) }
        root = String(cString: made)
    }

    deinit { Files.remove(root) }

    static let someKey = Secret("a state key of thirty-two bytes and more")

    func open(_ keys: [Secret] = [someKey], fileSystem: String? = nil) throws(StateFailure) -> StateStore {
        try StateStore(directory: path, keys: keys, fileSystem: fileSystem)
    }

    /// What kind of failure opening ends with; nil when it succeeds.
    func refusal(_ keys: [Secret] = [someKey]) -> StateFailure.Kind? { failure(keys)?.kind }

    func failure(_ keys: [Secret] = [someKey]) -> StateFailure? {
        do throws(StateFailure) { _ = try open(keys) } catch { return error }
        return nil
    }
}

extension RecordPlace {
    static func token(_ provider: String) -> RecordPlace {
        RecordPlace(kind: "token", provider: provider, name: "access")
    }
}
