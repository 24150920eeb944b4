import CYaml

/// One step through a YAML file.
struct YamlEvent {
    enum Kind {
        case scalar(YamlNode.Scalar)
        case listStart, listEnd
        case mapStart, mapEnd
        case alias
        case documentStart, documentEnd
        case streamEnd
    }

    var kind: Kind
    var position: SourcePosition
    var hasAnchor = false
    var hasTag = false
}

/// libyaml's parser over text that outlives it: a position and a kind per step, or the problem that ends it.
struct YamlEvents: ~Copyable {
    private let file: String
    private let text: UnsafeBufferPointer<UInt8>
    /// On the heap: libyaml keeps addresses into it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// `text` must stay where it is for as long as this lives. nil when memory is short.
    init?(_ text: UnsafeBufferPointer<UInt8>, file: String) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) != 0 else {
            parser.deallocate()
            return nil
        }
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
        // Otherwise it guesses, and takes two odd bytes for UTF-16.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        self.file = file
        self.text = text
        self.parser = parser
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    mutating func next() throws(ConfigurationProblem) -> YamlEvent {
        while true {
            var raw = yaml_event_t()
            guard yaml_parser_parse(parser, &raw) != 0 else {
                throw YamlSyntax.problem(of: parser.pointee, text: text, file: file)
            }
            defer { yaml_event_delete(&raw) }
            if let event = event(from: raw) { return event }
        }
    }

    /// nil for what says nothing.
    private func event(from raw: yaml_event_t) -> YamlEvent? {
        let position = SourcePosition(file: file, mark: raw.start_mark)
        switch raw.type {
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return YamlEvent(
                kind: .scalar(
                    YamlNode.Scalar(
                        text: String(decoding: bytes, as: UTF8.self),
                        isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)),
                position: position, hasAnchor: scalar.anchor != nil, hasTag: scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let list = raw.data.sequence_start
            return YamlEvent(
                kind: .listStart, position: position, hasAnchor: list.anchor != nil, hasTag: list.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let map = raw.data.mapping_start
            return YamlEvent(
                kind: .mapStart, position: position, hasAnchor: map.anchor != nil, hasTag: map.tag != nil)
        case YAML_SEQUENCE_END_EVENT: return YamlEvent(kind: .listEnd, position: position)
        case YAML_MAPPING_END_EVENT: return YamlEvent(kind: .mapEnd, position: position)
        case YAML_ALIAS_EVENT: return YamlEvent(kind: .alias, position: position)
        case YAML_DOCUMENT_START_EVENT: return YamlEvent(kind: .documentStart, position: position)
        case YAML_DOCUMENT_END_EVENT: return YamlEvent(kind: .documentEnd, position: position)
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return YamlEvent(kind: .streamEnd, position: position)
        default: return nil  // the stream's start
        }
    }
}

extension SourcePosition {
    init(file: String, mark: yaml_mark_t) {
        self.init(file: file, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
