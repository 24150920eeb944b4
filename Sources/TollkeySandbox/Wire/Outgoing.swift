import NIOHTTP1

/// An answer whose head is out and whose body is being sent.
struct Outgoing {
    enum AtHalf {
        case pause(milliseconds: Int)
        case close
    }

    var source: BodySource
    /// What happens once when half of the body is out; nil when nothing does.
    var atHalf: AtHalf?
    /// True while a pause runs.
    var isPaused = false
    let trailers: HTTPHeaders?
    let closesAfter: Bool

    var limit: Int64 { atHalf == nil ? source.total : source.half }
}
