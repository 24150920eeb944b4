import NIOHTTP1

/// `/sandbox/…` below every provider's base path: answers that no provider documents and tests need.
enum CommonPaths {
    /// The largest download; a test that wants more wants another tool.
    static let fillerBytesMax: Int64 = 1 << 40

    static let prefix = "/sandbox/"
    static let statuses = 200...599

    static func answer(_ call: Call, as play: some Play, now: Int64) -> Answer? {
        guard call.path.hasPrefix(prefix) else { return nil }
        let segments = call.segments.dropFirst()
        switch (segments.first, segments.dropFirst().first) {
        case ("echo", nil): return Answer(200, echo(call))
        case ("sink", nil): return Answer(200, ["received": .number(call.bodyBytes)])
        case ("hints", nil): return hints()
        case ("redirect", nil): return redirect(302, from: call, provider: play.provider)
        case ("bytes", let count?): return bytes(count, call: call, play: play, now: now)
        case ("status", let code?): return status(code, play: play, now: now)
        default: return nil
        }
    }

    private static func echo(_ call: Call) -> JSON {
        [
            "method": .text(call.method),
            "target": .text(Masking.target(call.target)),
            "headers": .array(
                call.headers.map { name, value in
                    ["name": .text(name), "value": .text(Masking.value(value, of: name))]
                }),
            "body_bytes": .number(call.bodyBytes),
        ]
    }

    private static func hints() -> Answer {
        var answer = Answer(200, ["status": "ok"])
        answer.hasHints = true
        return answer
    }

    static func redirect(_ status: Int, from call: Call?, provider: Provider) -> Answer {
        var answer = Answer(status)
        let location = "https://\(call?.host ?? "localhost")\(provider.basePath)/sandbox/echo"
        answer.add("Location", location)
        answer.body = .bytes([])
        return answer
    }

    private static func bytes(_ count: Substring, call: Call, play: some Play, now: Int64) -> Answer {
        guard let count = Int64(count), (0...fillerBytesMax).contains(count) else {
            return play.words(for: .badRequest("bytes wants 0 to \(fillerBytesMax)"), now: now)
        }
        var answer = Answer(200)
        answer.add("Content-Type", "application/octet-stream")
        let isChunked = call.queryValue("chunked") != nil
        answer.body = .filler(count: count, chunked: isChunked)
        if isChunked {
            answer.add("Trailer", "X-Sandbox-Trailer")
            answer.trailers = ["X-Sandbox-Trailer": "done"]
        }
        return answer
    }

    private static func status(_ code: Substring, play: some Play, now: Int64) -> Answer {
        guard let code = Int(code), statuses.contains(code) else {
            return play.words(for: .badRequest("status wants 200 to 599"), now: now)
        }
        return answer(withStatus: code)
    }

    /// 304 says the length that a 200 would have: a framing that proxies get wrong (RFC 9112 §6.3).
    static func answer(withStatus code: Int) -> Answer {
        switch code {
        case 204: return Answer(code)
        case 304:
            var answer = Answer(code)
            answer.add("ETag", "\"sandbox\"")
            answer.add("Content-Length", "14")
            return answer
        case 205:
            var answer = Answer(code)
            answer.body = .bytes([])
            return answer
        default: return Answer(code, ["status": .number(Int64(code))])
        }
    }
}
