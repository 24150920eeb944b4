package import TollkeyCore

/// What the query of a redirect says (RFC 6749 §4.1.2).
package enum RedirectVerdict: Sendable, Equatable {
    case code(Secret)
    /// The provider's short word for its no.
    case denied(String)
    /// No answer to this login: its state is missing or another one.
    case foreign
    /// An answer to this login that holds neither a code nor an error.
    case empty

    /// `query` without its `?`. What appears twice counts as missing (RFC 6749 §3.1).
    init(_ query: ArraySlice<UInt8>, state: String, _ cryptography: SystemCryptography) {
        var values: [String: [[UInt8]]] = [:]
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let coded = pair.prefix { $0 != UInt8(ascii: "=") }
            guard let name = Self.decoded(coded), let value = Self.decoded(pair.dropFirst(coded.count + 1))
            else { continue }
            values[String(decoding: name, as: UTF8.self), default: []].append(value)
        }
        let only = { (name: String) in values[name].flatMap { $0.count == 1 ? $0[0] : nil } }
        guard let given = only("state"), cryptography.areEqual(given, Array(state.utf8)) else {
            self = .foreign
            return
        }
        if let error = only("error") {
            self = .denied(Self.code(error))
        } else if let code = only("code"), !code.isEmpty {
            self = .code(Secret(code))
        } else {
            self = .empty
        }
    }

    /// Only what has the form of a code is ever repeated.
    private static func code(_ text: [UInt8]) -> String {
        let isCode = text.allSatisfy {
            Characters.isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "-")
        }
        guard isCode, (1...64).contains(text.count) else { return "no reason that can be shown" }
        return String(decoding: text, as: UTF8.self)
    }

    /// application/x-www-form-urlencoded; nil for a percent sign without two hexadecimal digits.
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(Characters.hexValue),
                    let low = rest.popFirst().flatMap(Characters.hexValue)
                else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return bytes
    }
}
