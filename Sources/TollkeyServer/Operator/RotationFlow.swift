import Glibc
package import TollkeyCore

/// Gives a secret's place to another one that the provider makes, and shows once: so that it cannot be lost.
///
/// What is known is written down before the call, which also shows that the answer can be kept, and at once behind it.
/// Whatever ends the process in between, the next rotation knows what to look at.
package struct RotationFlow: Sendable {
    private let desk: Operator
    private let rotation: RotationSettings

    package struct Outcome: Sendable {
        package var report = OperatorReport()
        package var unsaved: Unsaved?
    }

    /// What the provider answered and the state could not take: it is nowhere else.
    package struct Unsaved: Sendable {
        fileprivate let rotation: StoredRotation

        /// The new one, or all of the answer in which it was not found.
        package var secret: Secret { rotation.value }
    }

    /// What is there to be shown.
    package enum Kept: Sendable, Equatable {
        case nothing
        /// `holds`: the configuration has not got another one since.
        case secret(Secret, holds: Bool)
        /// All of an answer in which the new one was not found.
        case answer(Secret)
    }

    /// Another rotation may hold the lock for as long as its calls take.
    static let lockTimeout: Duration = .seconds(40)
    private static let savesMax = 3

    package init(_ desk: Operator) throws(OperatorFailure) {
        guard let rotation = desk.provider.rotation else {
            throw OperatorFailure(
                "\(desk.name) has nothing to rotate: its configuration has no 'rotate'. Make the new secret where the"
                    + " provider lets you, and put it where the configuration takes it from.")
        }
        self.desk = desk
        self.rotation = rotation
    }

    /// As the files have them now: a file may have taken another one while the lock, or a person, was waited for.
    private func configured() throws(OperatorFailure) -> (secrets: [String: Secret], secret: Secret) {
        let secrets = try desk.configured()
        guard let secret = secrets[rotation.secret] else {
            throw OperatorFailure("\(desk.name) has no secret '\(rotation.secret)' to rotate.")
        }
        return (secrets, secret)
    }

    /// What a person is asked to agree to.
    package var warning: String {
        "\(desk.name): '\(rotation.secret)' is replaced by a new one, and the present one dies at once, for everybody who"
            + " uses it, this proxy excepted."
    }

    // MARK: Showing

    package func kept() throws(OperatorFailure) -> Kept {
        let kept = try find()
        if kept != .nothing { desk.note(.show, .done, rotation.secret) }
        return kept
    }

    private func find() throws(OperatorFailure) -> Kept {
        let configured = try configured().secret
        do throws(StateFailure) {
            guard let stored = try Self.load(place, desk.store)?.stored else { return .nothing }
            if let answer = try answer(to: stored) { return .answer(answer) }
            // Also while another rotation's outcome is unknown: it holds until then, and is nowhere else.
            if let held = stored.value(for: try fingerprints(configured)) {
                return stored.stage != .done && held == configured ? .nothing : .secret(held, holds: true)
            }
            return stored.left(besides: []).map { .secret($0.value, holds: false) } ?? .nothing
        } catch { throw OperatorFailure(error) }
    }

    /// All that was answered to the rotation that was begun last, where the new secret was not found in it.
    private func answer(to begun: StoredRotation) throws(StateFailure) -> Secret? {
        guard begun.stage != .done, let kept = try Self.load(answerPlace, desk.store)?.stored,
            kept.replaces == begun.replaces
        else { return nil }
        return kept.value
    }

    // MARK: Rotating

    /// What the state could not take goes onto `shelf`. What lies there is kept, and no other one made.
    package func perform(_ shelf: UnsavedRotations? = nil) throws(OperatorFailure) -> Outcome {
        try desk.noting(.rotate, rotation.secret) { () throws(OperatorFailure) in
            let lock = try waitForLock()
            defer { lock.release() }
            return try rotate(shelf, under: lock)
        }
    }

    private func rotate(
        _ shelf: UnsavedRotations?, under lock: any RecordLock
    ) throws(OperatorFailure) -> Outcome {
        let present = try present()
        var outcome = Outcome()
        if let unsaved = shelf?[desk.name], present.fingerprint == unsaved.rotation.replaces {
            keep(unsaved.rotation, present, shelf, lock, &outcome)
            return outcome
        }
        if present.begun != nil { try resolve(present, &outcome.report) }
        let snapshot = try desk.snapshot(with: present.secrets)
        let asked = desk.clock.now
        try begin(present)
        desk.note(.rotate, .begun, rotation.secret)
        let answer: TokenAnswer
        do throws(ProviderCalls.Fault) {
            answer = try desk.calls(with: present.secrets)
                .perform(rotation.call, snapshot: snapshot, under: lock).answer
        } catch {
            if error.wasSent { throw unanswered(present, error.words) }
            undo(present)
            throw OperatorFailure("Nothing was changed: \(error.words).")
        }
        switch answer.status {
        case 200...299: break
        case 400...499:
            undo(present)
            throw OperatorFailure(
                "The provider refused to make a new '\(rotation.secret)' (\(answer.refusal(asked: asked))). Nothing was"
                    + " changed.")
        default: throw unanswered(present, "the provider answered \(answer.status)")
        }
        let fresh = secret(in: answer)
        keep(
            StoredRotation(
                stage: fresh == nil ? .unread : .done, value: fresh ?? answer.content,
                replaces: present.fingerprint), present, shelf, lock, &outcome)
        return outcome
    }

    /// Before anything is changed.
    private struct Present {
        var record: StoredRecord?
        /// With what an earlier rotation has left.
        var secrets: [String: Secret]
        var secret: Secret
        var fingerprint: String
        /// The earlier rotation whose outcome is not known.
        var begun: StoredRotation?
        /// What an earlier one has left for another configured secret.
        var earlier: StoredRotation.Replacement?
    }

    private func present() throws(OperatorFailure) -> Present {
        let configured = try configured()
        do throws(StateFailure) {
            let found = try Self.load(place, desk.store)
            if let found, found.stored == nil {
                throw StateFailure(
                    .newer, "the rotation that it holds was written by another version of Tollkey")
            }
            let fingerprints = try fingerprints(configured.secret)
            var present = Present(
                record: found?.record, secrets: configured.secrets, secret: configured.secret,
                fingerprint: fingerprints.first ?? "")
            guard let stored = found?.stored else { return present }
            if let secret = stored.value(for: fingerprints) {
                present.secret = secret
                present.secrets[rotation.secret] = secret
            }
            // Of another configured secret it does not matter what came of it.
            if stored.stage != .done, fingerprints.contains(stored.replaces) { present.begun = stored }
            present.earlier = stored.left(besides: fingerprints)
            return present
        } catch { throw OperatorFailure(error) }
    }

    /// An earlier rotation was begun: goes on only when the present secret still works.
    private func resolve(_ present: Present, _ report: inout OperatorReport) throws(OperatorFailure) {
        switch desk.probe(present.secrets) {
        case .works:
            // What was answered then holds no secret that lives.
            try? desk.store.remove(answerPlace, replacing: nil)
            report.say(
                "An earlier rotation was begun and changed nothing: the present secret works. Going on.")
        case .refused(let status):
            let beginning = "An earlier rotation has replaced '\(rotation.secret)', and"
            let ending = "the provider refuses the one that is held (\(status))"
            let isKept: Bool
            do throws(StateFailure) { isKept = try present.begun.flatMap(answer) != nil } catch {
                throw OperatorFailure(error)
            }
            throw OperatorFailure(
                isKept
                    ? "\(beginning) the new one was not found in its answer, which is kept; \(ending). \(showing)"
                    : "\(beginning) its answer was lost: \(ending). \(wayOut)")
        case .unknown(let words):
            // The call itself tells where nothing else does: a dead secret cannot make another.
            guard desk.provider.probe == nil else {
                throw OperatorFailure(
                    "An earlier rotation was begun, and whether it changed anything cannot be found out now: \(words)."
                        + " Nothing was done; try again later.")
            }
        }
    }

    private func begin(_ present: Present) throws(OperatorFailure) {
        let begun = StoredRotation(
            stage: .begun, value: present.secret, replaces: present.fingerprint, earlier: present.earlier)
        do throws(StateFailure) {
            _ = try desk.store.mark(begun.encode(), at: place, replacing: present.record?.version ?? 0)
        } catch {
            throw OperatorFailure(
                "Nothing was changed: the state could not keep the new secret. It cannot be written:"
                    + " \(error.description).")
        }
    }

    /// What stays behind when this fails says what is so all the same.
    private func undo(_ present: Present) {
        if let record = present.record {
            _ = try? desk.store.save(record.content, at: place, replacing: nil)
        } else {
            try? desk.store.remove(place, replacing: nil)
        }
    }

    /// The call was sent, and nobody knows what it did. What was begun stays written down.
    private func unanswered(_ present: Present, _ words: String) -> OperatorFailure {
        let beginning =
            "The provider was asked for a new '\(rotation.secret)', and its answer is not known: \(words)."
        switch desk.probe(present.secrets) {
        case .works:
            return OperatorFailure(
                "\(beginning) The present one works, so nothing seems to have changed. Try again:"
                    + " tollkey rotate \(desk.name).")
        case .refused(let status):
            return OperatorFailure(
                "\(beginning) The present one is dead (\(status)): the new one was lost on its way. \(wayOut)"
            )
        case .unknown(let probing):
            return OperatorFailure(
                "\(beginning) Whether the present one works cannot be found out now: \(probing). Look with:"
                    + " tollkey doctor \(desk.name).")
        }
    }

    private var showing: String {
        "'tollkey rotate \(desk.name) --show' prints it: put the new one where the configuration takes"
            + " '\(rotation.secret)' from."
    }

    private var wayOut: String {
        "Have a new one made where the provider lets you (its dashboard, or its support), and put it where the"
            + " configuration takes '\(rotation.secret)' from: it holds from then on."
    }

    // MARK: The answer

    private func secret(in answer: TokenAnswer) -> Secret? {
        guard let secret = try? AnswerReading(answer).token(at: rotation.read),
            secret.fault(isKey: desk.provider.keySecrets.contains(rotation.secret)) == nil
        else { return nil }
        return secret
    }

    private func keep(
        _ answered: StoredRotation, _ present: Present, _ shelf: UnsavedRotations?, _ lock: any RecordLock,
        _ outcome: inout Outcome
    ) {
        // Beside what was begun, which has the present secret, where the new one was not found.
        let unkept = save(answered, at: answered.stage == .unread ? answerPlace : place)
        if unkept != nil { outcome.unsaved = Unsaved(rotation: answered) }
        // Under the lock: whoever comes next must not find what was kept.
        shelf?[desk.name] = outcome.unsaved
        if answered.stage == .unread { return tell(ofUnread: unkept, present, &outcome) }
        desk.note(
            .rotate, .done, rotation.secret,
            unkept.map { "the new one could not be kept: \($0)" } ?? "the one before is dead")
        if let words = unkept {
            outcome.report.complain(
                "The provider has made a new '\(rotation.secret)', and the state cannot keep it: \(words).")
            return
        }
        try? desk.store.remove(answerPlace, replacing: nil)
        outcome.report.say("\(desk.name): '\(rotation.secret)' was replaced. The one before is dead.")
        if let words = desk.ring() { outcome.report.complain(words) }
        lock.release()
        var secrets = present.secrets
        secrets[rotation.secret] = answered.value
        switch desk.probe(secrets) {
        case .works:
            outcome.report.say("The provider takes the new one; a running daemon uses it from now on.")
        case .refused(let status):
            outcome.report.complain("The provider refuses the new one (\(status)). Ask it why.")
        case .unknown(let words):
            outcome.report.say("A running daemon uses the new one from now on. It was not tried: \(words).")
        }
        outcome.report.say(
            "Until you have put it where the configuration takes '\(rotation.secret)' from, it is in the state alone."
                + " 'tollkey rotate \(desk.name) --show' prints it.")
    }

    /// The answer means success, and the new secret is not where it should be.
    private func tell(ofUnread unkept: String?, _ present: Present, _ outcome: inout Outcome) {
        let beginning =
            "The provider agreed to a new '\(rotation.secret)', and its answer has none where the configuration's 'read'"
            + " says."
        desk.note(.rotate, .unknown, rotation.secret, "the new one was not found in the answer")
        if let words = unkept {
            outcome.report.complain(
                "\(beginning) It may stand elsewhere in the answer, and the state cannot keep that: \(words)."
            )
            return
        }
        outcome.report.complain("\(beginning) All of the answer is kept.")
        switch desk.probe(present.secrets) {
        case .works: outcome.report.say("The present one still works, so nothing seems to have changed.")
        case .refused(let status):
            outcome.report.complain("The present one is dead (\(status)). \(showing)")
        case .unknown(let words):
            outcome.report.say("Whether the present one still works is not known: \(words).")
        }
    }

    /// Why it could not be written; nil when it was.
    private func save(_ rotation: StoredRotation, at place: RecordPlace) -> String? {
        var words = ""
        for _ in 0..<Self.savesMax {
            do throws(StateFailure) {
                try desk.store.save(rotation.encode(), at: place, replacing: nil)
                return nil
            } catch { words = error.description }
        }
        return words
    }

    // MARK: The state

    private var place: RecordPlace { .rotation(desk.name, rotation.secret) }

    /// Of the last answer that could not be read. No secret has a name with a space.
    private var answerPlace: RecordPlace { .rotation(desk.name, "\(rotation.secret) answer") }

    private func fingerprints(_ configured: Secret) throws(StateFailure) -> [String] {
        try SecretOverrides.fingerprints(configured, desk.store)
    }

    private static func load(
        _ place: RecordPlace, _ store: any RecordStore
    ) throws(StateFailure) -> (record: StoredRecord, stored: StoredRotation?)? {
        try store.load(place).map { ($0, StoredRotation(decoding: $0.content)) }
    }

    private func waitForLock() throws(OperatorFailure) -> any RecordLock {
        do throws(StateFailure) {
            return try desk.store.hold(place, timeout: Self.lockTimeout, isCancelled: { false })
        } catch {
            guard error.kind == .busy else { throw OperatorFailure(error) }
        }
        throw OperatorFailure(
            "Another process has been rotating it for \(Self.lockTimeout.inWords); is it stopped?")
    }
}
