import Glibc

/// A system call that failed: which, and the system's word for it.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    package let call: String
    package let code: Int32

    package init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    package var description: String { "\(call): \(Self.text(code))" }

    /// Nobody else's fault, and soon over: there was no descriptor or no memory to be had.
    static func isShortage(_ code: Int32) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
    }

    package static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// `result`, unless it is negative.
    static func check(_ call: String, _ result: Int32) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(call, errno) }
        return result
    }
}
