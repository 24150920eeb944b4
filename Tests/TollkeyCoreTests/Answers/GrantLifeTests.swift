import Testing
import TollkeyCore

/// How long a token lives, by everything that an answer can say.
struct GrantLifeTests {
    private func life(
        _ members: String, lifetime: Duration? = nil, date: String? = nil, asked: Moment = asked
    ) throws -> Duration {
        let fields = date.map { [("date", $0)] } ?? []
        return try grant(answer(200, "{\(members)}", fields), lifetime: lifetime, asked: asked).life
    }

    @Test(arguments: [
        (#""expires_in":3600"#, 3_600_000), (#""expires_in":"3599""#, 3_599_000),
        (#""expires_in":3600.75"#, 3_600_750), (#""expires_in":3.6e3"#, 3_600_000),
        (#""expires_at":"2026-01-15T10:31:00Z""#, 60_000), (#""expires_at":1768473060"#, 60_000),
        (#""expires_at":"1768473060""#, 60_000), (#""expires_at":1768473060000"#, 60_000),
        (#""expires_at":"Thu, 15 Jan 2026 10:31:00 GMT""#, 60_000),
        (#""expires_in":3600,"expires_at":1768473060"#, 60_000),
        (#""expires_in":30,"expires_at":1768473060"#, 30_000),
        (#""expires_in":30,"expires_at":null"#, 30_000), (#""expires_in":30,"expires_at":"soon""#, 30_000),
        (#""expires_in":-1,"expires_at":1768473060"#, 60_000),
    ])
    func `all that is said counts, and the earliest end wins`(_ said: String, _ milliseconds: Int64) throws {
        #expect(try life(#""access":"A",\#(said)"#) == .milliseconds(milliseconds))
    }

    @Test func `milliseconds are a form of their own`() throws {
        let settings = usual { $0.expiry = [.milliseconds(.member("ttl")), .seconds(.header("x-ttl"))] }
        let read = try grant(answer(200, #"{"access":"A","ttl":"90500.9"}"#, [("x-ttl", "100")]), settings)
        #expect(read.life == .milliseconds(90_500))
        #expect(read.expires == Deadline(wall: noon + 90_500, monotonic: 95_500_000_000))
    }

    @Test func `TezPay says twelve hours in its answer and twenty-four in its token`() throws {
        let token = jwt(#"{"iat":1768473000,"exp":1768559400,"client_secret":"s"}"#)
        #expect(try life(#""access":"\#(token)","expires_in":43200"#) == .seconds(43_200))
    }

    @Test func `JPay says it in its token alone`() throws {
        let token = jwt(#"{"iat":1768473000,"exp":1768473900}"#)
        #expect(try life(#""access":"\#(token)""#) == .seconds(900))
        #expect(try life(#""access":"\#(token)""#, date: noonDate) == .seconds(900))
        #expect(try life(#""access":"\#(jwt(#"{"exp":1768473900}"#))""#) == .seconds(900))
    }

    @Test func `a token that is to be issued after its end says only when it ends`() throws {
        let token = jwt(#"{"iat":1768474000,"exp":1768473900}"#)
        #expect(try life(#""access":"\#(token)""#) == .seconds(900))
    }

    @Test func `a token that was issued a while ago has less than its whole life left`() throws {
        let token = jwt(#"{"iat":1768472400,"exp":1768473300}"#)
        #expect(try life(#""access":"\#(token)""#) == .seconds(300))
    }

    /// Our clock is two hours behind or ahead; the answer's own says what is left.
    @Test(arguments: [-7_200_000, 7_200_000] as [Int64])
    func `a wrong clock does not matter when the answer has a date`(_ error: Int64) throws {
        let wrong = Moment(wall: noon + error, monotonic: 0)
        let token = jwt(#"{"exp":1768473900}"#)
        let read = try grant(answer(200, #"{"access":"\#(token)"}"#, [("date", noonDate)]), asked: wrong)
        #expect(read.life == .milliseconds(900_000 - 999))
        #expect(read.expires == wrong + read.life)
        #expect(read.notes == [.clockAhead(.milliseconds(error))])
        #expect(read.notes[0].words.contains("7200 s \(error < 0 ? "behind" : "ahead")"))
    }

    @Test func `a clock behind makes no life longer than the token says, also without a date`() throws {
        let behind = Moment(wall: noon - 7_200_000, monotonic: 0)
        let token = jwt(#"{"iat":1768473000,"exp":1768473900}"#)
        #expect(try life(#""access":"\#(token)""#, asked: behind) == .seconds(900))
    }

    /// `Date` is cut to the second, so that the provider's clock may be nearly one further.
    @Test func `no date gives a token longer than it has`() throws {
        let token = jwt(#"{"exp":1768473900}"#)
        for late in stride(from: Int64(0), to: 5_000, by: 111) {
            let sent = Moment(wall: noon + late, monotonic: 0)
            for answered in stride(from: noon + late, to: noon + late + 3_000, by: 173) {
                let date = Dates.http(answered)
                let life = try life(#""access":"\#(token)""#, date: date, asked: sent)
                #expect(noon + late + life.milliseconds <= noon + 900_000)
            }
        }
    }

    @Test func `a configured lifetime is the life where nothing says it, and the most where something does`()
        throws
    {
        #expect(try life(#""access":"A""#, lifetime: .seconds(100)) == .seconds(100))
        #expect(try life(#""access":"A","expires_in":200"#, lifetime: .seconds(100)) == .seconds(100))
        #expect(try life(#""access":"A","expires_in":50"#, lifetime: .seconds(100)) == .seconds(50))
        #expect(try life(#""access":"A","expires_in":"?""#, lifetime: .seconds(100)) == .seconds(100))
    }

    @Test func `a life cut to the configured one is nothing to wonder about`() throws {
        let read = try grant(answer(200, #"{"access":"A","expires_in":200}"#), lifetime: .seconds(100))
        #expect(read.notes == [])
    }

    @Test(arguments: ["", #","expires_in":null"#, #","expires_in":null,"expires_at":null"#])
    func `where nothing says it, a short life is assumed`(_ said: String) throws {
        let read = try grant(answer(200, #"{"access":"A"\#(said)}"#))
        #expect(read.life == CredentialSettings.lifetimeAssumed)
        #expect(read.notes == [.lifetimeAssumed(CredentialSettings.lifetimeAssumed)])
    }

    @Test(arguments: [
        #""soon""#, "-1", #""""#, "true", "{}", "[3600]", #""3600 s""#, #""0x10""#, #""1h""#, #""-0.5""#,
    ])
    func `what cannot be read is noted`(_ value: String) throws {
        let read = try grant(answer(200, #"{"access":"A","expires_in":\#(value)}"#))
        #expect(read.life == CredentialSettings.lifetimeAssumed)
        #expect(read.notes == [.expiryUnreadable, .lifetimeAssumed(CredentialSettings.lifetimeAssumed)])
        let withToken = jwt(#"{"exp":1768473900}"#)
        let other = try grant(answer(200, #"{"access":"\#(withToken)","expires_in":\#(value)}"#))
        #expect(other.life == .seconds(900))
        #expect(other.notes == [.expiryUnreadable])
    }

    @Test(arguments: ["315532801", "9223372036854775807", "1e60", #""99999999999999999999999999""#])
    func `ten years are the most that is believed`(_ seconds: String) throws {
        let read = try grant(answer(200, #"{"access":"A","expires_in":\#(seconds)}"#))
        #expect(read.life == Grant.lifeMax)
        #expect(read.notes == [.lifeCapped])
        let bounded = try grant(
            answer(200, #"{"access":"A","expires_in":\#(seconds)}"#), lifetime: .seconds(1 << 40))
        #expect(bounded.life == Grant.lifeMax)
    }

    @Test func `ten years are believed`() throws {
        let read = try grant(
            answer(200, #"{"access":"A","expires_in":\#(Grant.lifeMax.components.seconds)}"#))
        #expect(read.life == Grant.lifeMax && read.notes == [])
    }

    @Test(arguments: [
        #""access":"A","expires_in":0"#, #""access":"A","expires_in":"0.0004""#,
        #""access":"A","expires_at":1768473000"#, #""access":"A","expires_at":"0001-01-01T00:00:00Z""#,
        #""access":"A","expires_in":60,"expires_at":0"#,
    ])
    func `a token that is dead on arrival is a fault that speaks of the clock`(_ members: String) {
        let fault = fault(answer(200, "{\(members)}"))
        #expect(fault == .alreadyExpired(clockAhead: nil))
        #expect(fault?.words.contains("clock") == true)
    }

    @Test func `the fault says how far the clock is off, where the answer tells it`() {
        let content = #"{"access":"\#(jwt(#"{"exp":1768472000}"#))"}"#
        #expect(fault(answer(200, content)) == .alreadyExpired(clockAhead: nil))
        let agreeing = fault(answer(200, content, [("date", noonDate)]))
        #expect(agreeing == .alreadyExpired(clockAhead: .zero))
        #expect(agreeing?.words.contains("agrees") == true)
        let ahead = fault(
            answer(200, content, [("date", "Thu, 15 Jan 2026 09:30:00 GMT")]),
            usual {
                $0.expiry = [.seconds(.member("access", "x")), .date(.header("date"))]
            })
        #expect(ahead == .alreadyExpired(clockAhead: .seconds(3_600)))
        #expect(ahead?.words.contains("3600 s ahead") == true)
    }

    @Test func `a date that cannot be read is none`() throws {
        let token = jwt(#"{"exp":1768473900}"#)
        #expect(try life(#""access":"\#(token)""#, date: "now") == .seconds(900))
    }

    @Test(arguments: [Int64.min, .max])
    func `a clock at its end is as far off as can be said`(_ wall: Int64) throws {
        let at = Moment(wall: wall, monotonic: 0)
        let read = try grant(answer(200, #"{"access":"A","expires_in":9}"#, [("date", noonDate)]), asked: at)
        let ahead = wall == .min ? Duration.milliseconds(Int64.min) : .milliseconds(wall - noon)
        #expect(read.notes == [.clockAhead(ahead)])
    }

    @Test func `clocks at their ends trap nothing`() throws {
        let members = #""access":"\#(jwt(#"{"exp":1768473900,"iat":1}"#))","expires_in":60,"expires_at":5"#
        for wall in [Int64.min, -1, 0, .max] {
            for monotonic in [Int64.min, 0, .max] {
                for fields in [[], [("date", noonDate)]] {
                    let at = Moment(wall: wall, monotonic: monotonic)
                    _ = try? grant(answer(200, "{\(members)}", fields), asked: at)
                }
            }
        }
    }

    @Test func `a refresh token's life is read in the same way`() throws {
        func end(_ members: String, _ lifetime: Duration? = nil) throws -> Deadline? {
            try grant(answer(200, #"{"access":"A",\#(members)}"#), refreshLifetime: lifetime).refreshExpires
        }
        let week = jwt(#"{"iat":1768473000,"exp":1769077800}"#)
        #expect(try end(#""refresh":"\#(week)""#) == asked + .seconds(604_800))
        #expect(try end(#""refresh":"\#(week)","refresh_expires_in":60"#) == asked + .seconds(60))
        #expect(try end(#""refresh":"\#(week)""#, .seconds(90)) == asked + .seconds(90))
        #expect(try end(#""refresh":"R""#, .seconds(90)) == asked + .seconds(90))
        #expect(try end(#""refresh":"R""#) == nil)
        #expect(try end(#""refresh":"R","refresh_expires_in":1e30"#) == asked + Grant.lifeMax)
        #expect(try end(#""refresh_expires_in":60"#, .seconds(90)) == nil)
    }

    @Test func `a refresh token that seems dead is tried all the same`() throws {
        let content = #"{"access":"A","expires_in":60,"refresh":"R","refresh_expires_in":0}"#
        let read = try grant(answer(200, content))
        #expect(read.refreshToken?.shown == "R" && read.refreshExpires == nil)
        let bounded = try grant(answer(200, content), refreshLifetime: .seconds(90))
        #expect(bounded.refreshExpires == asked + .seconds(90))
    }

    @Test func `whatever an answer says, a life is more than nothing and at most the bounds`() throws {
        var dice = Dice(seed: 37)
        let numbers = [
            "0", "1", "60", "-5", "1e9", "1768473060", "\"x\"", "null", "1e18", "0.5",
            "\"2026-01-15T10:40:00Z\"",
        ]
        for _ in 0..<1_000 {
            let pick = { (dice: inout Dice) in numbers.randomElement(using: &dice) ?? "0" }
            let token = jwt(#"{"exp":\#(pick(&dice)),"iat":\#(pick(&dice))}"#)
            let content = #"{"access":"\#(token)","expires_in":\#(pick(&dice)),"expires_at":\#(pick(&dice))}"#
            let lifetime: Duration? = Bool.random(using: &dice) ? .seconds(30) : nil
            guard let read = try? grant(answer(200, content), lifetime: lifetime) else { continue }
            #expect(read.life > .zero && read.life <= lifetime ?? Grant.lifeMax)
            #expect(read.expires == asked + read.life)
        }
    }
}
