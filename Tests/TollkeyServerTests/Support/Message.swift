/// An HTTP message as it came, read by a parser that shares nothing with the product's.
struct Message {
    struct Field: Equatable {
        let name: String
        let value: String
    }

    let startLine: String
    let fields: [Field]
    var body: [UInt8] = []
    var trailers: [Field] = []
    /// Its content ended with the connection.
    var endsWithConnection = false

    /// Of an answer; 0 for a request.
    var status: Int {
        let words = startLine.split(separator: " ")
        return words.count > 1 && startLine.hasPrefix("HTTP/1.1 ") ? Int(words[1]) ?? 0 : 0
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The values of a field, name compared without case.
    func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    func value(of name: String) -> String? { values(of: name).first }

    /// Whether the sender closes the connection behind it.
    var closes: Bool { values(of: "Connection").contains("close") }
}

extension RawConnection {
    /// The head of the next message, without content.
    func head() throws -> Message {
        let text = String(decoding: try through("\r\n\r\n"), as: UTF8.self)
        // A Swift string sees CR LF as one character.
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).dropLast(2)
        guard let startLine = lines.popFirst() else { throw Failure.malformed(text) }
        return Message(startLine: String(startLine), fields: try lines.map(Self.field))
    }

    /// The next answer, interim ones too: its head, and its content by its framing.
    func answer(toHead: Bool = false) throws -> Message {
        var message = try head()
        guard message.startLine.hasPrefix("HTTP/1.1 "), message.status >= 100 else {
            throw Failure.malformed(message.startLine)
        }
        if toHead || message.status < 200 || message.status == 204 || message.status == 304 { return message }
        if try readFramed(&message) { return message }
        message.endsWithConnection = true
        message.body = try rest()
        return message
    }

    /// The next request, content and all.
    func request() throws -> Message {
        var message = try head()
        guard message.startLine.hasSuffix(" HTTP/1.1") else { throw Failure.malformed(message.startLine) }
        _ = try readFramed(&message)
        return message
    }

    /// False when nothing says where the content ends.
    private func readFramed(_ message: inout Message) throws -> Bool {
        let lengths = message.values(of: "Content-Length")
        let codings = message.values(of: "Transfer-Encoding")
        guard lengths.count + codings.count <= 1 else { throw Failure.malformed("framed twice") }
        if let length = lengths.first {
            guard let count = Int(length) else { throw Failure.malformed(length) }
            message.body = try exactly(count)
            return true
        }
        guard let coding = codings.first else { return false }
        guard coding == "chunked" else { throw Failure.malformed(coding) }
        while case let size = try chunkSize(message.body), size > 0 {
            do { message.body += try exactly(size) } catch Failure.cut(let part) {
                throw Failure.cut(message.body + part)
            }
            guard try exactly(2) == [13, 10] else { throw Failure.malformed("a chunk without its end") }
        }
        while case let line = try line(), !line.isEmpty { message.trailers.append(try Self.field(line[...])) }
        return true
    }

    private func chunkSize(_ soFar: [UInt8]) throws -> Int {
        do {
            let text = try line()
            guard let size = Int(text, radix: 16) else { throw Failure.malformed("chunk size \(text)") }
            return size
        } catch Failure.cut { throw Failure.cut(soFar) }
    }

    private func line() throws -> String {
        let bytes = try through("\r\n")
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    private static func field(_ line: Substring) throws -> Message.Field {
        guard let colon = line.firstIndex(of: ":") else { throw Failure.malformed(String(line)) }
        var value = line[line.index(after: colon)...]
        while value.first == " " || value.first == "\t" { value.removeFirst() }
        while value.last == " " || value.last == "\t" { value.removeLast() }
        return Message.Field(name: String(line[..<colon]), value: String(value))
    }
}
