import TollkeyCore

private let places = usual {
    $0.token = .member("access")
    $0.expiry = [
        .seconds(.member("expires_in")), .date(.member("expires_at")), .milliseconds(.member("ms")),
        .date(.header("expires")), .seconds(.member("data", "ttl")),
    ]
    $0.refreshExpiry = [.seconds(.member("refresh_expires_in")), .date(.member("refresh_expires_at"))]
    $0.values = [.init(name: "id", place: .member("id"))]
}

/// Header lines, an empty line, content: the answer to a token call. `:status` may be among the lines.
///
/// There is a grant or a fault. A grant's tokens fit into a header line, its life is within all bounds, and no longer
/// than `expires_in` says to the plainest reader; a fault's words are a short line. JSON that is read is the same when it
/// is written anew, and so is what is kept of the grant.
func checkToken(_ input: [UInt8]) throws(Broken) {
    let answer = tokenAnswer(input)
    let json = answer.content.reveal { try? JSONValue($0) }
    if let json {
        try must((try? JSONValue(json.bytes))?.bytes == json.bytes, "JSON is another when written anew")
    }
    for (lifetime, wasRefresh) in [(nil, false), (Duration.seconds(600), true)] {
        var grant: Grant
        do throws(GrantFault) {
            grant = try Grant.read(
                answer, places, lifetime: lifetime, refreshLifetime: lifetime, asked: asked,
                kept: ["id": Secret("kept")], wasRefresh: wasRefresh)
        } catch {
            try checkWords(error.words)
            continue
        }
        for note in grant.notes { try checkWords(note.words) }
        try checkGrant(grant, lifetime: lifetime)
        if let said = json?["expires_in"]?.text.flatMap({ Double($0) }), said >= 0, said < 1e9 {
            let most = said * 1_000 + 1
            try must(Double(grant.life.milliseconds) <= most, "it lives longer than 'expires_in' says")
        }
        var stored = StoredCredential(
            token: grant.token, expires: grant.expires, bootID: "b", obtainedAt: asked.wall, generation: 1,
            fingerprint: "f")
        (stored.refreshToken, stored.refreshExpires) = (grant.refreshToken, grant.refreshExpires)
        stored.values = grant.values
        try must((try? StoredCredential(decoding: stored.encode())) == stored, "it is not kept as it is")
    }
    let rules = [
        RefusalRule(status: answer.status, expect: [Expectation(place: .member("error"), value: "expired")])
    ]
    let probe = ProbeSettings(call: CallSettings(method: "GET", place: .upstream(path: [.text("/")])))
    _ = ProbeVerdict(answer, probe, rules: rules)
    if let wait = RetryAfter.read(answer, asked: asked) {
        try must((.zero...Grant.lifeMax).contains(wait), "it asks to wait for \(wait)")
    }
    if let rates = answer.rates(now: noon) { try checkBounds(rates) }
}

/// Header lines, an empty line, content.
private func tokenAnswer(_ input: [UInt8]) -> TokenAnswer {
    let (head, content) = input.divided(by: "\n\n") ?? ([], input)
    var answer = TokenAnswer(status: 200, content: Secret(content))
    for line in head.split(separator: 10).prefix(20) {
        guard let (name, value) = Array(line).divided(by: ": ") else { continue }
        if text(name) == ":status" {
            answer.status = Int(text(value)).map { min(max($0, 100), 999) } ?? 200
        } else {
            answer.fields.append(AnswerField(text(name).lowercased(), text(value)))
        }
    }
    return answer
}

private func checkWords(_ words: String) throws(Broken) {
    let isLine = words.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    try must(isLine && (1...400).contains(words.utf8.count), "its words are no short line: \(words)")
}

private func checkGrant(_ grant: Grant, lifetime: Duration?) throws(Broken) {
    try must(
        grant.life > .zero && grant.life <= min(lifetime ?? Grant.lifeMax, Grant.lifeMax),
        "it lives for \(grant.life)")
    try must(grant.expires == asked + grant.life, "its end is not that of its life")
    for secret in [grant.token, grant.refreshToken].compactMap({ $0 }) + grant.values.values {
        let isGood = secret.reveal { bytes in
            !bytes.isEmpty && bytes.count <= AnswerReading.tokenMax
                && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        }
        try must(isGood, "a token does not fit into a header line")
    }
    if let end = grant.refreshExpires {
        try must(end.wall <= asked.wall + Grant.lifeMax.milliseconds, "the refresh token lives for too long")
    }
}

// MARK: Limits

/// Fields of an answer's head, for answers of several statuses at several times.
///
/// What is heard is within bounds, the same in any order of the fields, and as strict as a plain number says.
func checkRates(_ input: [UInt8]) throws(Broken) {
    let start = bytes("HTTP/1.1 429 X\r\n")
    // Also with bare line feeds, so that not every input has to find CR LFs.
    let lines = input.split(separator: 10).map { Array($0.last == 13 ? $0.dropLast() : $0) }
    let all = start + lines.flatMap { $0 + [13, 10] } + [13, 10]
    let turned = start + lines.reversed().flatMap { $0 + [13, 10] } + [13, 10]
    var head = ResponseHead()
    guard (try? head.read(all.span)) == true, head.end == all.count else { return }
    var turnedHead = ResponseHead()
    guard (try? turnedHead.read(turned.span)) == true else { throw Broken("is no head in another order") }
    let dates = lines.count { text($0.prefix(5)).lowercased() == "date:" }
    // Members beyond the bound are not read, whichever they are.
    let members = input.count { $0 == UInt8(ascii: ",") } + lines.count
    for (status, now) in [(200, noon), (429, noon), (503, 0), (429, .min), (429, .max)] {
        let signals = RateSignals.read(head.fields, all.span, status: status, now: now)
        if let signals { try checkBounds(signals) }
        if status < 400 { try must(signals?.retryAfter == nil, "a \(status) asks to stay away") }
        if dates < 2, members <= 32 {
            let again = RateSignals.read(turnedHead.fields, turned.span, status: status, now: now)
            try must(
                again == signals,
                "in another order of the fields it is \(again as Any), not \(signals as Any)")
        }
        guard now == noon, dates == 0 else { continue }
        for line in head.fields.lines {
            let (name, value) = (text(all[line.name]).lowercased(), text(all[line.value]))
            let numbers = value.split(separator: ",").map { plain($0) }
            guard !numbers.contains(nil) else { continue }
            for number in numbers.compactMap(\.self) {
                if name == "retry-after", status >= 400 {
                    let least = min(.seconds(number), RateSignals.spanMax)
                    try must((signals?.retryAfter ?? .zero) >= least, "it does not wait for \(number) s")
                } else if name == "x-ratelimit-remaining" {
                    try must((signals?.remaining ?? .max) <= number, "it has more than \(number) left")
                }
            }
        }
    }
}

/// Digits that everybody reads as the same number.
private func plain(_ text: Substring) -> Int? {
    let digits = text.drop { $0 == " " }
    return digits.utf8.count < 7 && digits.utf8.allSatisfy(Characters.isDigit) ? Int(digits) : nil
}

private func checkBounds(_ signals: RateSignals) throws(Broken) {
    try must(signals != RateSignals(), "it says nothing")
    try must((signals.remaining ?? 0) >= 0, "less than nothing is left")
    for span in [signals.resetIn, signals.retryAfter].compactMap({ $0 }) {
        try must((.zero...RateSignals.spanMax).contains(span), "it is held back for \(span)")
    }
}

// MARK: Times

/// A date, a number, the claims of a JWT, a JWT.
///
/// A date that is read is read again from what is written of it; `Retry-After` means the same as the date that it is;
/// a token's end is that of the plainest reader.
func checkTimes(_ input: [UInt8]) throws(Broken) {
    let date = text(input)
    let years0To9999 = -62_167_219_200_000...253_402_300_799_999 as ClosedRange<Int64>
    for time in [Dates.milliseconds(http: date), Dates.milliseconds(rfc3339: date), Dates.milliseconds(date)]
    {
        guard let time, years0To9999.contains(time) else { continue }
        // Rounded down, as a date is written.
        let second = time - (time % 1_000 + 1_000) % 1_000
        try must(Dates.milliseconds(http: Dates.http(time)) == second, "it is another HTTP date when written")
        try must(Dates.milliseconds(rfc3339: Dates.rfc3339(time)) == second, "it is another when written")
        if time >= 0 {
            try must(Dates.milliseconds(rfc3339: LogTime.text(time)) == time, "a log line has another time")
        }
    }
    if let time = Dates.milliseconds(http: date) { try checkRetryAfter(date, time) }
    try checkJWT(input)
    try checkBase64(input)
}

/// The head of an answer is read in place, and another way than a token call's answer.
private func checkRetryAfter(_ date: String, _ time: Int64) throws(Broken) {
    let all = bytes("HTTP/1.1 429 X\r\nRetry-After: \(date)\r\n\r\n")
    var head = ResponseHead()
    guard (try? head.read(all.span)) == true else { throw Broken("an HTTP date is no field's value") }
    let span = min(.milliseconds(max(0, time - noon)), RateSignals.spanMax)
    let signals = RateSignals.read(head.fields, all.span, status: 429, now: noon)
    try must(signals?.retryAfter == span, "Retry-After is another time than the date that it is")
    let token = RetryAfter.read(answer(429, "", [("retry-after", date)]), asked: asked)
    try must(
        token == min(.milliseconds(max(0, time - noon)), Grant.lifeMax), "of a token call it is another time")
}

private func checkJWT(_ input: [UInt8]) throws(Broken) {
    for token in [Secret(input), Secret(jwt(text(input)))] {
        guard let claims = JWTClaims(token) else { continue }
        for time in [claims.expires, claims.issued, claims.notBefore].compactMap({ $0 }) {
            try must((0..<100_000_000_000_000).contains(time), "a token's time is \(time)")
        }
    }
    guard let json = try? JSONValue(bytes(text(input))), case .object = json else { return }
    let claims = JWTClaims(Secret(jwt(text(input))))
    try must(claims != nil, "a token with claims is none")
    guard case .number(let number)? = json["exp"], number.utf8.count <= 17, let seconds = Double(number)
    else { return }
    if seconds >= 0, seconds < 99_999_999_999 {
        let difference = (claims?.expires).map { (Double($0) - (seconds * 1_000).rounded(.down)).magnitude }
        try must((difference ?? 9) <= 1, "a token ends at another time than it says")
    }
}

private func checkBase64(_ input: [UInt8]) throws(Broken) {
    try must(
        Base64URL.decode(Array(Base64URL.encode(input).utf8)) == input, "base64url is another when read again"
    )
    guard let decoded = Base64URL.decode(input) else { return }
    // The last letter may have bits that mean nothing.
    let again = Base64URL.encode(decoded).utf8.dropLast()
    try must(input.starts(with: again), "base64url is another when written anew")
}
