/// Why a template, a value or a call could not be rendered. Names come from the configuration; never holds a secret.
package enum RenderingError: Error, Sendable, Equatable {
    /// Nothing is held for `${name}`.
    case missing(String)
    /// The value of the header of this name holds what no header may (RFC 9110 §5.5), such as a line's end.
    case invalidHeader(String)
    /// A path with a dot segment, or with what would end it.
    case invalidPath
    /// A user's name with a colon, which would begin the password (RFC 7617 §2).
    case invalidUser
    /// The key of the value of this name is no RSA private key.
    case unusableKey(String)
    /// The system gave no random bytes.
    case noChance

    /// In words, for a failure's detail.
    package var words: String {
        switch self {
        case .missing(let name): "nothing is held for ${\(name)}"
        case .invalidHeader(let name): "the value of header \(name) would hold a control character"
        case .invalidPath: "the path would hold a dot segment or a character that no path may"
        case .invalidUser: "the user of a Basic authorization would hold a colon"
        case .unusableKey(let name): "the key of the value \(name) is no RSA private key in PEM"
        case .noChance: "the system gave no random bytes"
        }
    }
}
