import Foundation
import Testing

/// What `make fuzz` has kept: inputs that reach far, or that once broke something.
struct CorpusTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../fuzz/corpus").standardized

    @Test(arguments: FuzzTarget.core.map(\.name))
    func `the property holds of every input that is kept`(_ name: String) throws {
        let target = try #require(FuzzTarget.core.first { $0.name == name })
        let folder = Self.corpus.appending(path: name)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let input = Array(try Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.check(input) }
        }
    }
}
