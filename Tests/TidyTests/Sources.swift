import Foundation
import Testing

/// The project's own files, as text.
struct ProjectFile: Sendable, CustomTestStringConvertible {
    /// From the top of the project: `Sources/TollkeyCore/HTTP/FieldLine.swift`.
    let path: String
    let text: String

    var testDescription: String { path }

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Files below `folder` whose names end in one of `endings`, in the order of their paths.
    static func all(below folder: String, _ endings: String...) -> [ProjectFile] {
        let start = root.appending(path: folder)
        let paths = FileManager.default.enumerator(atPath: start.path)?.compactMap { $0 as? String } ?? []
        return paths.sorted().filter { path in endings.contains { path.hasSuffix($0) } }.compactMap {
            read("\(folder)/\($0)")
        }
    }

    static func read(_ path: String) -> ProjectFile? {
        guard let data = FileManager.default.contents(atPath: root.appending(path: path).path) else {
            return nil
        }
        return ProjectFile(path: path, text: String(decoding: data, as: UTF8.self))
    }

    /// Lines that contain one of `words` outside comments, as `path:line: text`.
    func lines(with words: [String]) -> [String] {
        zip(1..., lines).compactMap { number, line in
            let code = line.components(separatedBy: "//").first ?? ""
            return words.contains { code.contains($0) } ? "\(path):\(number): \(line)" : nil
        }
    }
}
