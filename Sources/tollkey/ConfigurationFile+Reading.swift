import ArgumentParser
import Glibc
import TollkeyCore
import TollkeyServer

extension ConfigurationFile {
    /// The settings; without any the problems are told, and the command ends.
    func settings() throws -> Settings { try Self.told(read()) }

    /// As `settings`, of the state alone.
    func stateSettings() throws -> Settings { try Self.told(readState()) }

    private static func told(_ result: Result<Settings, Unreadable>) throws -> Settings {
        switch result {
        case .success(let settings): return settings
        case .failure(let problems):
            StandardError.write("\(problems)\n")
            throw ExitCode(problemStatus)
        }
    }

    /// Where the state is: as configured, else where systemd has made room for one (`StateDirectory=`), else in the
    /// working directory. The daemon and all commands must find the same.
    static func place(_ settings: Settings) -> Settings {
        var settings = settings
        if settings.state == nil {
            let handed = getenv("STATE_DIRECTORY").map { String(cString: $0) } ?? ""
            // Several are set apart by colons (systemd.exec(5)).
            settings.state = handed.split(separator: ":").first.map(String.init) ?? Server.defaultState
        }
        return settings
    }
}
