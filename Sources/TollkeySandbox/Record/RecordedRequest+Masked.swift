extension RecordedRequest {
    /// For people: a code, token or key in the query is cut.
    package var maskedRequestLine: String { "\(method) \(Masking.target(target)) HTTP/1.1" }

    /// For people: credentials are cut to their first three characters.
    package var maskedHeaders: [HeaderLine] {
        headers.map { HeaderLine(name: $0.name, value: Masking.value($0.value, of: $0.name)) }
    }
}
