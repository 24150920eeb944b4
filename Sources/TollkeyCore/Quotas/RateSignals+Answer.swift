extension TokenAnswer {
    /// What it says about the provider's limits, as of an answer that is passed on; nil when it says nothing. `now`: in
    /// milliseconds since 1970.
    package func rates(now: Int64) -> RateSignals? {
        var bytes = Array("HTTP/1.1 200 OK\r\n".utf8)
        for field in fields {
            let (name, value) = (Array(field.name.utf8), Array(field.value.utf8))
            guard RateField(name.span) != nil || field.name.isExactly("date"),
                value.allSatisfy(Characters.isFieldValue)
            else { continue }
            bytes += name + Array(": ".utf8) + value + Array("\r\n".utf8)
        }
        bytes += Array("\r\n".utf8)
        var head = ResponseHead()
        guard (try? head.read(bytes.span)) == true else { return nil }
        return RateSignals.read(head.fields, bytes.span, status: status, now: now)
    }
}
