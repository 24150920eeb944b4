import ArgumentParser
import TollkeyConfig

struct Providers: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the shipped provider descriptions, or print one.")

    @Argument(help: "One of them, to see its text.")
    var name: String?

    func run() throws {
        guard let name else {
            for name in ShippedProviders.names { print(name) }
            return
        }
        guard let text = ShippedProviders.text(of: name) else {
            let names = ShippedProviders.names.joined(separator: ", ")
            throw ValidationError("no description is named '\(name)'; there are \(names)")
        }
        print(String(decoding: text, as: UTF8.self), terminator: "")
    }
}
