import Foundation
import Testing

@Suite struct TidyTests {
    @Test func theCoreImportsNothing() {
        let core = ProjectFile.all(below: "Sources/TollkeyCore", ".swift")
        #expect(core.count > 10)
        #expect(core.flatMap { $0.lines(with: ["import "]) } == [])
    }

    @Test func theCoreKnowsNoClockAndNoDice() {
        let words = ["Clock", ".random(in", ".random()", "randomElement", "shuffled", "gettime", "Date("]
        #expect(
            ProjectFile.all(below: "Sources/TollkeyCore", ".swift").flatMap { $0.lines(with: words) } == [])
    }

    @Test func theConfigurationImportsTheCoreAndItsParserOnly() {
        let allowed = ["TollkeyCore", "CYaml"]
        let imports = ProjectFile.all(below: "Sources/TollkeyConfig", ".swift").flatMap {
            $0.lines(with: ["import "])
        }
        #expect(imports.filter { line in !allowed.contains { line.hasSuffix("import \($0)") } } == [])
    }

    @Test func theProductUsesNoFoundation() {
        for folder in ["TollkeyCore", "TollkeyConfig", "TollkeyServer", "tollkey"] {
            let files = ProjectFile.all(below: "Sources/\(folder)", ".swift")
            #expect(files.flatMap { $0.lines(with: ["import Foundation"]) } == [])
        }
    }

    @Test func testsDoNotSleep() {
        let words = ["Task.sleep", "usleep(", "nanosleep(", "Thread.sleep", " sleep("]
        let tests = ProjectFile.all(below: "Tests", ".swift").filter { !$0.path.contains("TidyTests") }
        #expect(tests.flatMap { $0.lines(with: words) } == [])
    }

    @Test func onlyCommandsPrint() {
        let libraries = ["TollkeyCore", "TollkeyConfig", "TollkeyServer", "TollkeySandbox"]
        let files = libraries.flatMap { ProjectFile.all(below: "Sources/\($0)", ".swift") }
        #expect(files.flatMap { $0.lines(with: [" print(", "debugPrint(", " dump("]) } == [])
    }

    /// Traps and unchecked promises need a sentence that says why they hold.
    @Test func everyTrapAndPromiseHasItsReason() {
        let words = [
            "try!", "fatalError(", "preconditionFailure(", "@unchecked Sendable", "nonisolated(unsafe)",
            " as! ",
        ]
        var bare: [String] = []
        for file in ProjectFile.all(below: "Sources", ".swift") {
            for found in file.lines(with: words) {
                let number = Int(found.split(separator: ":")[1]) ?? 0
                let above = file.lines[max(0, number - 4)..<number].joined()
                if !above.contains("SAFETY:") { bare.append(found) }
            }
        }
        #expect(bare == [])
    }

    @Test func noFileHasGrownTooLong() {
        let long = ProjectFile.all(below: "Sources", ".swift").filter { $0.lines.count > Self.linesMax }
        #expect(long.map(\.path) == [])
    }
    private static let linesMax = 400

    @Test func linksBetweenDocumentsLead() {
        let documents =
            ProjectFile.all(below: "docs", ".md")
            + ["README.md", "CHANGELOG.md", "Benchmarks/README.md"].compactMap(ProjectFile.read)
        #expect(documents.count > 5)
        for document in documents {
            let folder = ProjectFile.root.appending(path: document.path).deletingLastPathComponent()
            for match in document.text.matches(of: /\]\(([^)#:\s]+)(#[^)]*)?\)/) {
                let target = folder.appending(path: String(match.1)).path
                #expect(
                    FileManager.default.fileExists(atPath: target), "\(document.path) links to \(match.1)")
            }
        }
    }

    /// What the service manager sends, the daemon must answer.
    @Test func everySignalOfTheUnitIsHandled() throws {
        let unit = try #require(ProjectFile.read("systemd/tollkey.service"))
        let signals = try #require(ProjectFile.read("Sources/tollkey/Signals.swift"))
        for match in unit.text.matches(of: /kill -(?:s )?([A-Z]+)/) {
            #expect(signals.text.contains("SIG\(match.1)"))
        }
        #expect(unit.text.contains("Type=notify"))
    }

    @Test func everyExportedNameOfTheProblemTableIsDocumented() throws {
        let walk = try #require(ProjectFile.read("docs/request.md"))
        let kinds = try #require(ProjectFile.read("Sources/TollkeyCore/Failure/FailureKind.swift"))
        var count = 0
        for match in kinds.text.matches(of: /case (\w+)(?: = "([a-z-]+)")?\n/) {
            let name = String(match.2 ?? match.1)
            count += 1
            #expect(walk.text.contains("`\(name)`"), "docs/request.md does not explain \(name)")
        }
        #expect(count > 10)
    }

    @Test func dependenciesArePinnedExactly() throws {
        let manifest = try #require(ProjectFile.read("Package.swift"))
        let packages = manifest.lines.filter { $0.contains(".package(url:") }
        #expect(!packages.isEmpty)
        #expect(packages.allSatisfy { $0.contains("exact:") })
    }
}
