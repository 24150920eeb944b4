/// How the node under a key becomes a value: nil once what is wrong has been reported.
struct Format<Value> {
    let read: (_ node: YamlNode, _ key: String, _ reading: Reading) -> Value?
}

extension Format {
    /// Any scalar, quoted or not, that `parse` understands.
    static func text(_ parse: @escaping (String) throws(Misfit) -> Value) -> Format {
        scalar { scalar throws(Misfit) in try parse(scalar.text) }
    }

    static func scalar(
        orElse expected: String = "must be text",
        _ parse: @escaping (YamlNode.Scalar) throws(Misfit) -> Value
    ) -> Format {
        Format { node, key, reading in
            if case .refused = node.content { return nil }
            guard case .scalar(let scalar) = node.content, !node.isNull else {
                reading.report(node.position, "\"\(key)\" \(expected); found \(node.kind)")
                return nil
            }
            do throws(Misfit) {
                return try parse(scalar)
            } catch {
                reading.report(node.position, "\"\(key)\" \(error.message)")
                return nil
            }
        }
    }

    /// A list of `least` to `max`; one value may stand without brackets.
    static func list<Element>(
        of element: Format<Element>, least: Int = 0, max: Int
    ) -> Format where Value == [Placed<Element>] {
        Format { node, key, reading in
            guard case .list(let nodes) = node.content else {
                return element.read(node, key, reading).map { [Placed(value: $0, position: node.position)] }
            }
            guard nodes.count <= max else {
                reading.report(node.position, "\"\(key)\" has more than \(max) entries; shorten it")
                return nil
            }
            guard nodes.count >= least else {
                reading.report(node.position, "\"\(key)\" is an empty list; name one, or take the key out")
                return nil
            }
            return nodes.compactMap { node in
                if node.isEmpty {
                    reading.report(node.position, "\"\(key)\" has an empty entry; take it out")
                    return nil
                }
                return element.read(node, key, reading).map { Placed(value: $0, position: node.position) }
            }
        }
    }
}

extension Format<YamlNode> {
    /// Whatever stands there.
    static var node: Format { Format { node, _, _ in node } }
}

extension Format<String> {
    /// Some text that is compared with other text.
    static var word: Format {
        .text { text throws(Misfit) in
            guard (1...Bounds.wordBytes).contains(text.utf8.count),
                text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else { throw Misfit("must be 1 to \(Bounds.wordBytes) bytes of text, without line ends") }
            return text
        }
    }
}

extension Format<Bool> {
    static var flag: Format {
        .scalar(orElse: "must be true or false") { scalar throws(Misfit) in
            switch (scalar.text, scalar.isPlain) {
            case ("true", true): return true
            case ("false", true): return false
            default: throw Misfit("must be true or false, without quotes")
            }
        }
    }
}

extension Format<Int> {
    static func number(in range: ClosedRange<Int>) -> Format {
        let expected = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        return .scalar(orElse: expected) { scalar throws(Misfit) in
            let isDigits = scalar.text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            // YAML 1.1 takes 010 for eight.
            let isOctal = scalar.text.utf8.count > 1 && scalar.text.utf8.first == 0x30
            guard scalar.isPlain, isDigits, !isOctal, let number = Int(scalar.text), range.contains(number)
            else { throw Misfit(expected) }
            return number
        }
    }

    /// Bytes.
    static func size(in range: ClosedRange<Int>) -> Format {
        .scalar(orElse: "must be a size such as 64KiB") { scalar throws(Misfit) in
            let size = try Quantity.size(scalar.text)
            guard range.contains(size) else {
                let least = Quantity.size(range.lowerBound)
                throw Misfit("must be from \(least) to \(Quantity.size(range.upperBound))")
            }
            return size
        }
    }
}

extension Format<Duration> {
    static func duration(in range: ClosedRange<Duration>) -> Format {
        .scalar(orElse: "must be a duration such as 30s") { scalar throws(Misfit) in
            let duration = try Quantity.duration(scalar.text)
            guard range.contains(duration) else {
                let least = Quantity.duration(range.lowerBound)
                throw Misfit("must be from \(least) to \(Quantity.duration(range.upperBound))")
            }
            return duration
        }
    }
}

extension Format where Value: RawRepresentable<String> {
    /// One of a few words.
    static func choice(of values: [Value]) -> Format {
        let words = values.map(\.rawValue)
        let expected = "must be one of \(words.joined(separator: ", "))"
        return .scalar(orElse: expected) { scalar throws(Misfit) in
            guard let value = values.first(where: { $0.rawValue == scalar.text }) else {
                throw Misfit(expected + NearMiss.hint(for: scalar.text, among: words))
            }
            return value
        }
    }
}
