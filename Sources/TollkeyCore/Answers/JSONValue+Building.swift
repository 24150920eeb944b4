/// Writing JSON: what stands in braces and quotes is what it means.
extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }

    package init(stringLiteral value: String) { self = .text(value) }

    package static func int(_ number: some BinaryInteger) -> JSONValue { .number(String(number)) }

    /// To the microsecond.
    package static func decimal(_ number: Double) -> JSONValue {
        let rounded = (number * 1e6).rounded() / 1e6
        if rounded == rounded.rounded(), rounded.magnitude < 1e15 { return .number(String(Int64(rounded))) }
        return .number("\(rounded)")
    }

    package static func seconds(_ span: Duration?) -> JSONValue {
        span.map { .decimal(Double($0.milliseconds) / 1_000) } ?? .null
    }

    /// Milliseconds since 1970; what lies beyond the calendar is not known.
    package static func time(_ time: Int64?) -> JSONValue {
        guard let time, time < 253_402_300_800_000 else { return .null }
        return .text(LogTime.text(time))
    }
}
