extension ScriptedUpstream {
    /// One step of a connection's script.
    package enum Step: Sendable {
        /// Waits until the bytes not yet consumed contain this text; consumes them up to its end.
        case expect(bytesContaining: String)
        /// Waits for a header section; consumes it with its CRLF CRLF.
        case readHead
        /// Waits for so many bytes; consumes them.
        case readBytes(Int)
        case send([UInt8])
        /// Closes in good order: behind what was sent, with TLS' farewell where there is TLS.
        case close
        /// Closes with RST.
        case reset
        /// Goes no further; what arrives is still received.
        case stall

        package static func send(_ text: String) -> Step { .send(Array(text.utf8)) }
    }
}
