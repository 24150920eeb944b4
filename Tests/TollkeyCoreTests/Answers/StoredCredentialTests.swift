import Testing
import TollkeyCore

struct StoredCredentialTests {
    private func stored(_ change: (inout StoredCredential) -> Void = { _ in }) -> StoredCredential {
        var stored = StoredCredential(
            token: Secret("hunter2"), expires: asked + .seconds(60), bootID: "b1", obtainedAt: noon,
            generation: 7,
            fingerprint: "00ff")
        change(&stored)
        return stored
    }

    private func decoded(_ text: String) -> Result<StoredCredential, StoredCredentialFault> {
        Result { () throws(StoredCredentialFault) in try StoredCredential(decoding: Secret(text)) }
    }

    @Test func `what is encoded is decoded as the same`() throws {
        let least = stored()
        #expect(try StoredCredential(decoding: least.encode()) == least)
        let full = stored {
            $0.refreshToken = Secret("R \"quoted\" \u{1}\u{7f}é😀\r\n")
            $0.values = ["url": Secret("u"), "id": Secret(""), "bytes": Secret([0xff, 0, 0xc3])]
            $0.refreshExpires = .never
            $0.isSpending = true
            $0.obtainedAt = .min
            $0.generation = .max
        }
        #expect(try StoredCredential(decoding: full.encode()) == full)
    }

    @Test func `the record is versioned JSON`() {
        let text = stored().encode().shown
        #expect(
            text == #"{"v":1,"token":"hunter2","expires":[1768473060000,65000000000],"boot":"b1","#
                + #""obtained":1768473000000,"generation":7,"fingerprint":"00ff","spending":false}"#)
    }

    @Test func `the largest grant there can be is decoded`() throws {
        let quotes = String(repeating: "\"", count: AnswerReading.tokenMax)
        let largest = stored {
            $0.token = Secret(quotes)
            $0.refreshToken = Secret(quotes)
            for name in 0..<4 { $0.values["v\(name)"] = Secret(quotes) }
        }
        #expect(try StoredCredential(decoding: largest.encode()) == largest)
    }

    @Test func `a record of another version is told from nonsense`() {
        #expect(decoded(#"{"v":2}"#) == .failure(.unknownVersion))
        #expect(decoded(#"{"v":1.0}"#) == .failure(.unknownVersion))
        for text in ["", "{}", "[]", "1", #"{"v":"1"}"#, #"{"v":1}"#, "\0\0"] {
            #expect(decoded(text) == .failure(.malformed))
        }
    }

    @Test func `members of a later hand are passed over, wrong ones are not`() {
        let text = stored().encode().shown
        #expect(decoded(text.dropLast() + #","later":[1]}"#) == .success(stored()))
        for wrong in [
            #","refresh":1}"#, #","refresh":[1,2]}"#, #","refresh":["?"]}"#, #","refresh_expires":[1]}"#,
            #","values":[]}"#, #","values":{"a":1}}"#, #","refresh_expires":["1","2"]}"#,
        ] { #expect(decoded(text.dropLast() + wrong) == .failure(.malformed)) }
    }

    @Test func `no changed record traps`() {
        var dice = Dice(seed: 38)
        let record = bytes(stored { $0.values = ["a": Secret([0xff])] }.encode().shown)
        for _ in 0..<5_000 {
            var changed = record
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                let at = Int.random(in: changed.indices, using: &dice)
                if Bool.random(using: &dice) {
                    changed.remove(at: at)
                } else {
                    changed[at] = UInt8.random(in: 32...126, using: &dice)
                }
            }
            guard let read = try? StoredCredential(decoding: Secret(changed)) else { continue }
            _ = read.expiry(at: asked, bootID: "b2")
            _ = read.life
        }
    }

    @Test func `what is stored does not show`() {
        let stored = stored {
            $0.refreshToken = Secret("hunter2")
            $0.values = ["v": Secret("hunter2")]
        }
        expectHidden(stored)
        expectHidden(stored.encode())
    }

    @Test func `in the same boot both clocks count as they were`() {
        let now = Moment(wall: noon - 86_400_000, monotonic: 6_000_000_000)
        #expect(stored().expiry(at: now, bootID: "b1") == asked + .seconds(60))
    }

    @Test(arguments: ["b2", ""])
    func `in another boot the wall clock says what is left`(_ bootID: String) {
        let stored = stored { $0.refreshExpires = asked + .seconds(100) }
        let now = Moment(wall: noon + 20_000, monotonic: 1_000_000_000)
        #expect(
            stored.expiry(at: now, bootID: bootID) == Deadline(wall: noon + 60_000, monotonic: 41_000_000_000)
        )
        #expect(
            stored.refreshExpiry(at: now, bootID: bootID)
                == Deadline(wall: noon + 100_000, monotonic: 81_000_000_000))
        let late = Moment(wall: noon + 60_000, monotonic: 1)
        #expect(stored.expiry(at: late, bootID: bootID).isReached(at: late))
        let later = Moment(wall: noon + 600_000, monotonic: 1)
        #expect(stored.expiry(at: later, bootID: bootID).isReached(at: later))
    }

    @Test func `a boot that is not known is another one`() {
        let now = Moment(wall: noon, monotonic: 0)
        let read = stored { $0.bootID = "" }.expiry(at: now, bootID: "")
        #expect(read == Deadline(wall: noon + 60_000, monotonic: 60_000_000_000))
    }

    @Test func `a clock that went back over a reboot ends the token, and the refresh token is tried`() {
        let stored = stored { $0.refreshExpires = asked + .seconds(100) }
        let now = Moment(wall: noon - 1, monotonic: 1)
        #expect(stored.expiry(at: now, bootID: "b2").isReached(at: now))
        #expect(stored.refreshExpiry(at: now, bootID: "b2") == nil)
    }

    @Test func `no clock makes what is left more than the life`() {
        var dice = Dice(seed: 39)
        for _ in 0..<5_000 {
            let now = Moment(
                wall: noon + Int64.random(in: -200_000...200_000, using: &dice),
                monotonic: Int64.random(in: 0...(1 << 50), using: &dice))
            let left = stored().expiry(at: now, bootID: "b2").remaining(at: now)
            #expect(left <= stored().life)
        }
        for wall in [Int64.min, 0, .max] {
            let now = Moment(wall: wall, monotonic: wall)
            for end in [Int64.min, 0, .max] {
                let stored = stored {
                    $0.expires = Deadline(wall: end, monotonic: end)
                    $0.obtainedAt = .min
                }
                _ = stored.expiry(at: now, bootID: "b2").remaining(at: now)
                _ = stored.life
            }
        }
    }

    @Test func `its life is from being obtained to its end`() {
        #expect(stored().life == .seconds(60))
        #expect(stored { $0.obtainedAt = noon + 70_000 }.life == .zero)
    }
}
