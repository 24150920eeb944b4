/// Numbers as they stand in answers: `3600`, `3599.5`, `3.6e3`, also with zeros in front.
enum DecimalText {
    /// Bytes of a number that is read.
    static let bytesMax = 64

    /// The number times 1000, what is behind it cut off; `Int64.max` or `.min` for what is beyond; nil for what is no
    /// number.
    static func thousandths(_ text: String) -> Int64? {
        guard text.utf8.count <= bytesMax else { return nil }
        var scanner = TextScanner(text)
        let isNegative = scanner.take("-")
        var digits = scanner.takeDigits()
        guard !digits.isEmpty else { return nil }
        var point = digits.count
        if scanner.take(".") {
            let fraction = scanner.takeDigits()
            guard !fraction.isEmpty else { return nil }
            digits += fraction
        }
        if scanner.take("e") || scanner.take("E") {
            guard let exponent = exponent(&scanner) else { return nil }
            point += exponent
        }
        guard scanner.isAtEnd else { return nil }
        let magnitude = value(digits, upTo: point + 3)
        return isNegative ? (magnitude == .max ? .min : -magnitude) : magnitude
    }

    private static func exponent(_ scanner: inout TextScanner) -> Int? {
        let isNegative = scanner.take("-")
        if !isNegative { _ = scanner.take("+") }
        let digits = scanner.takeDigits()
        guard !digits.isEmpty else { return nil }
        // Beyond this it is 0 or more than any clock has.
        let exponent = min(value(digits, upTo: digits.count), 1_000)
        return Int(isNegative ? -exponent : exponent)
    }

    /// The number that the first `count` digits make, zeros after the last; what is too large is the largest.
    private static func value(_ digits: [UInt8], upTo count: Int) -> Int64 {
        var value: Int64 = 0
        guard count > 0 else { return 0 }
        for i in 0..<count {
            let (tens, isOver) = value.multipliedReportingOverflow(by: 10)
            let (sum, isBeyond) = tens.addingReportingOverflow(i < digits.count ? Int64(digits[i]) : 0)
            if isOver || isBeyond { return .max }
            value = sum
        }
        return value
    }
}
