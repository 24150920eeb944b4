import ArgumentParser
import TollkeyConfig

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the configuration as 'run' would and print every problem.",
        discussion: "Opens no socket. Exit status 0 when it is fine, 78 when it has problems.")

    @OptionGroup var file: ConfigurationFile

    func run() throws {
        switch file.read() {
        case .success: print("ok")
        case .failure(let problems):
            print(problems)
            throw ExitCode(ConfigurationFile.problemStatus)
        }
    }
}
