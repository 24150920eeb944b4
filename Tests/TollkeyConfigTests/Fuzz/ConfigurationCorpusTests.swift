import Foundation
import Testing

/// What `make fuzz` has kept.
struct ConfigurationCorpusTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../fuzz/corpus/config").standardized

    @Test func `the property holds of every configuration that is kept`() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.corpus, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let input = Array(try Data(contentsOf: file))
            #expect(ConfigurationProperty.fault(input) == nil, "\(file.lastPathComponent)")
        }
    }
}
