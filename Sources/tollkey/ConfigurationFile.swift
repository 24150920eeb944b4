import ArgumentParser
import Glibc
import TollkeyConfig
import TollkeyCore
import TollkeyServer

/// `proxy.yaml`: where it is, and what it refers to outside itself.
struct ConfigurationFile: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration. (default: ./proxy.yaml, then /etc/tollkey/proxy.yaml)", valueName: "file"))
    var path: String?

    /// sysexits(3): EX_CONFIG.
    static let problemStatus: Int32 = 78

    private static let places = ["proxy.yaml", "/etc/tollkey/proxy.yaml"]

    /// Where the running daemon is asked how it stands; none when the file names no such place.
    func adminListeners() -> Result<[ListenAddress], Unreadable> {
        open().map { ConfigurationReader.adminListeners(in: $0.file.bytes) }
    }

    private func open() -> Result<(path: String, file: SmallFile), Unreadable> {
        guard let path = path ?? Self.places.first(where: { access($0, F_OK) == 0 }) else {
            return .failure(
                Unreadable(
                    "there is neither ./proxy.yaml nor /etc/tollkey/proxy.yaml; write one, or name it with --config"
                ))
        }
        do { return .success((path, try SmallFile(path, bytesMax: Self.bytesMax))) } catch {
            return .failure(Unreadable("\(path): \(error.message)"))
        }
    }

    /// The settings, or every problem, as lines for a person.
    func read() -> Result<Settings, Unreadable> {
        read { $0.read($1) }
    }

    /// As `read`, of the state alone.
    func readState() -> Result<Settings, Unreadable> { read { $0.readState($1) } }

    private func read(
        _ body: (ConfigurationReader, [UInt8]) -> Result<Settings, ConfigurationProblems>
    ) -> Result<Settings, Unreadable> {
        Operating.keepMemoryPrivate()
        let (path, file): (String, SmallFile)
        switch open() {
        case .success(let opened): (path, file) = opened
        case .failure(let unreadable): return .failure(unreadable)
        }
        let reader = ConfigurationReader(
            file: path, directory: Self.directory(of: path), literalsAllowed: file.isPrivate,
            credentialsDirectory: getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) },
            secrets: Self.secret,
            faultOf: { settings in
                do throws(TLSContext.Unusable) {
                    _ = try TLSContext(settings)
                    return nil
                } catch { return error.description }
            })
        return body(reader, file.bytes).map(Self.place).mapError { Unreadable($0.description) }
    }

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// One more than the reader takes, so that it can say so.
    private static let bytesMax = (1 << 20) + 1

    /// The absolute folder of `path`, from which the file's relative paths begin.
    private static func directory(of path: String) -> String? {
        guard let absolute = realpath(path, nil) else { return nil }
        defer { free(absolute) }
        return String(cString: dirname(absolute))
    }

    private static func secret(_ reference: SecretReference) -> Result<Secret, SecretFailure> {
        switch reference {
        case .environment(let name):
            guard let value = getenv(name) else {
                return .failure(SecretFailure("the environment has no variable \(name)"))
            }
            return .success(Secret(String(cString: value)))
        case .file(let path): return secretFile(path)
        case .credential(let name):
            guard let directory = getenv("CREDENTIALS_DIRECTORY") else {
                return .failure(
                    SecretFailure("systemd has handed over no credentials (CREDENTIALS_DIRECTORY is not set)")
                )
            }
            return secretFile("\(String(cString: directory))/\(name)")
        }
    }

    private static func secretFile(_ path: String) -> Result<Secret, SecretFailure> {
        do throws(SmallFile.Unreadable) {
            return .success(try SmallFile.secret(at: path))
        } catch { return .failure(SecretFailure("\(path): \(error.message)")) }
    }
}
