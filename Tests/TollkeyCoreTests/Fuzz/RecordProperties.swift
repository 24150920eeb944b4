import TollkeyCore

/// Anything, in the place of each record that is kept: of tokens, rotations, verification tokens, spent limits, and the
/// audit trail.
///
/// It is a record or it is none. What is read is the same when it is written and read again, and can be worked with. What
/// is made of any bytes comes back as it was.
func checkRecords(_ input: [UInt8]) throws(Broken) {
    let secret = Secret(input)
    if let record = try? StoredCredential(decoding: secret) { try checkCredential(record) }
    if let record = StoredRotation(decoding: secret) {
        try must(StoredRotation(decoding: record.encode()) == record, "a rotation is another when written")
    }
    if let record = StoredVerifications(decoding: secret, lifetime: .seconds(300), at: asked) {
        let again = StoredVerifications(decoding: record.encode(), lifetime: .seconds(300), at: asked)
        try must(again?.tokens.count == record.tokens.count, "verification tokens are others when written")
        for token in record.tokens {
            try must(
                token.expires.remaining(at: asked) <= .seconds(300), "a verification token lives for too long"
            )
        }
    }
    try checkLimits(input)
    try checkAuditEntry(input)
    try checkTrail(input)
    try checkMade(input)
}

private func checkCredential(_ record: StoredCredential) throws(Broken) {
    try must(
        (try? StoredCredential(decoding: record.encode())) == record, "a credential is another when written")
    for boot in ["", record.bootID] {
        for now in [asked, Moment(wall: 0, monotonic: 0), Moment(wall: .max, monotonic: .max)] {
            let expiry = record.expiry(at: now, bootID: boot)
            _ = expiry.remaining(at: now)
            _ = expiry.sooner(by: record.life / 2)
            _ = record.refreshExpiry(at: now, bootID: boot)
        }
    }
    try must(record.life >= .zero, "a credential's life is less than nothing")
}

/// Whatever can be read can be worked with, at any time, and written again.
func checkLimits(_ input: [UInt8]) throws(Broken) {
    guard var record = CategoryRecord(decoding: input) else { return }
    var dice = Dice(input)
    try must(CategoryRecord(decoding: record.encode()) == record, "what was spent is another when written")
    var contact = LedgerContact(
        key: LedgerKey(provider: "acme", authority: "a", category: "c"),
        turn: Int64.random(in: .min ... .max, using: &dice), limits: [])
    for limit in record.limits.prefix(8) {
        var part = LimitContact(limit: LimitSettings(count: 10, window: .microseconds(limit.window)))
        part.used = Int.random(in: 0...(1 << 40), using: &dice)
        part.wanted = Int.random(in: 0...20, using: &dice)
        part.age = Int64.random(in: 0...(1 << 50), using: &dice)
        part.life = Int64.random(in: 0...(1 << 40), using: &dice)
        contact.limits.append(part)
    }
    for _ in 0..<2 {
        let now = Int64.random(in: 0...(1 << 58), using: &dice)
        let reply = record.answer(contact, of: UInt64.random(in: 0...3, using: &dice), at: now)
        try must(
            reply.limits.allSatisfy { (0...20).contains($0.held) && $0.total >= 0 },
            "more is held than was wanted")
        try must(reply.pause >= 0, "a pause is over before it begins")
    }
    try must(
        CategoryRecord(decoding: record.encode()) == record, "what was made of it is another when written")
}

// MARK: The audit trail

private func checkAuditEntry(_ input: [UInt8]) throws(Broken) {
    guard let entry = AuditEntry(decoding: input) else { return }
    let again = entry.encode()
    try must(AuditEntry(decoding: again) == entry, "an entry is another when written")
    try must(again.count <= AuditEntry.bytesMax, "an entry is too long")
    for text in [entry.event.words, entry.event.provider, entry.event.credential, entry.event.actor.text] {
        let isHarmless = text.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value)
        }
        try must(isHarmless, "an entry has a control character in it")
    }
}

/// Any hash that changes with each byte will do.
private let chain = AuditChain { bytes in
    var dice = Dice(bytes)
    return (0..<AuditLink.hashCount).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
}

/// Numbers of entries, eight bytes each, in the place of a trail's.
private func checkTrail(_ input: [UInt8]) throws(Broken) {
    let numbers = stride(from: 0, to: min(input.count, 400) / 8 * 8, by: 8).map { start in
        Int64(bitPattern: input[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) })
    }
    var ends = AuditEnds()
    if numbers.count > 1 {
        ends.removed.number = numbers[0]
        ends.last.number = numbers[1]
    }
    guard let sealed = chain.seal(ends) else { throw Broken("a trail's ends have no hash") }
    try must(chain.open(sealed)?.last == ends.last, "a trail's ends are others when written")
    if !input.isEmpty {
        var altered = sealed
        altered[Int(input[0]) % altered.count] ^= 1
        try must(chain.open(altered) == nil, "ends that were altered are believed")
    }
    try must(chain.open(input) == nil, "ends that nobody has sealed are believed")
    for ends in [ends, nil] {
        var walk = AuditWalk(ends, chain)
        for number in numbers {
            _ = walk.take(AuditRow(link: AuditLink(number: number, hash: input), content: input))
        }
        walk.finish()
        try must(walk.breaks.count <= AuditWalk.breaksMax, "more breaks are told than may be")
    }
    // A right trail, and what is cut of it: only the right one is believed.
    var link = AuditLink.beginning
    var rows: [AuditRow] = []
    for part in 0..<3 {
        guard let next = chain.link(input + [UInt8(part)], after: link) else {
            throw Broken("an entry has no hash")
        }
        link = next
        rows.append(AuditRow(link: next, content: input + [UInt8(part)]))
    }
    var right = AuditEnds()
    right.last = link
    for dropped in 0...3 {
        var walk = AuditWalk(right, chain)
        for (index, row) in rows.enumerated() where index != dropped { _ = walk.take(row) }
        walk.finish()
        try must((walk.breakCount == 0) == (dropped == 3), "entry \(dropped) can be taken out unseen")
    }
    if let (number, digits) = AuditLink.parse(text(input)) {
        try must(number > 0 && digits.utf8.count == 16, "a note of an entry is none")
    }
}

// MARK: Made of the input

/// Records that hold these bytes.
private func checkMade(_ input: [UInt8]) throws(Broken) {
    var dice = Dice(input)
    let parts = dice.parts(Array(input.prefix(2_000)), atMost: 200) + [[], [], [], []]
    var credential = StoredCredential(
        token: Secret(parts[0]),
        expires: Deadline(wall: number(&dice), monotonic: number(&dice)), bootID: text(parts[1]),
        obtainedAt: number(&dice), generation: Int(number(&dice)), fingerprint: text(parts[2]))
    credential.refreshToken = Bool.random(using: &dice) ? Secret(parts[3]) : nil
    credential.refreshExpires = Bool.random(using: &dice) ? .never : nil
    credential.isSpending = Bool.random(using: &dice)
    credential.spender = text(parts[1])
    credential.values[text(parts[2])] = Secret(parts[0])
    try checkCredential(credential)
    for stage in [StoredRotation.Stage.begun, .unread, .done] {
        var rotation = StoredRotation(stage: stage, value: Secret(input), replaces: text(parts[0]))
        if stage == .begun {
            rotation.earlier = .init(value: Secret(parts[0]), replaces: text(parts[0]))
        }
        if rotation.encode().reveal(\.count) <= JSONValue.bytesMax {
            try must(StoredRotation(decoding: rotation.encode()) == rotation, "a rotation does not come back")
        }
    }
    let token = VerificationLedger.Token(
        token: Secret(text(parts[0])), operation: text(parts[1]), subject: text(parts[2]), origin: .person,
        expires: asked + .seconds(60))
    let verifications = StoredVerifications([token]).encode()
    let again = StoredVerifications(decoding: verifications, lifetime: .seconds(300), at: asked)
    try must(again?.tokens == [token], "a verification token does not come back")
    let event = AuditEvent(
        .obtain, .failed, provider: text(parts[0]), credential: text(parts[1]),
        by: .user(7, name: text(parts[2])),
        words: text(input))
    let entry = AuditEntry(time: number(&dice), event: event)
    try must(AuditEntry(decoding: entry.encode()) == entry, "an entry does not come back")
}

private func number(_ dice: inout Dice) -> Int64 {
    [0, 1, -1, noon, .max, .min, Int64.random(in: .min ... .max, using: &dice)].randomElement(using: &dice)
        ?? 0
}
