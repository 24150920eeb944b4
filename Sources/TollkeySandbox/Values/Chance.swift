/// What nobody may guess: the ids and tokens the sandbox hands out.
enum Chance {
    /// `prefix` and `bytes` random bytes as hexadecimal digits.
    static func name(_ prefix: String, bytes: Int = 12) -> String {
        var generator = SystemRandomNumberGenerator()
        return prefix + Encoding.hex((0..<bytes).map { _ in generator.next() })
    }
}
