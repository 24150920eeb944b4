import Synchronization
import TollkeyCore

/// Steps that wait for a person between two requests: each on a thread of its own, for a bounded time.
final class PersonFlows: Sendable {
    /// Asks the person, and answers what came back; nil when nothing did.
    typealias Ask = (_ question: JSONValue) -> Secret?

    private final class Flow: Sendable {
        struct State {
            var question: JSONValue?
            var reply: Secret?
            var answer: AdminAnswer?
        }
        let state = Mutex(State())
        /// It has asked, or is over.
        let stopped: Gate
        let replied: Gate

        init() throws(SystemError) {
            stopped = try Gate()
            replied = try Gate()
        }
    }

    private let flows = Mutex<[String: Flow]>([:])

    static let flowsMax = 8
    /// How long a person may take over each question.
    static let patience: Duration = .seconds(300)
    /// How long a step takes at most: the calls to the provider in it have bounds of their own.
    private static let stepMax: Duration = .seconds(90)

    /// Runs `body` up to its first question, or its end.
    func begin(_ body: @escaping @Sendable (Ask) -> AdminAnswer) -> AdminAnswer {
        let id = String(UInt64.random(in: .min ... .max), radix: 16)
        guard let flow = try? Flow(), enter(id, flow) else {
            return .problem(.overloaded, "Too many wait for a person already; they end within five minutes.")
        }
        let isRunning = Threads.start("person") { [self] in
            let answer = body { question in
                flow.state.withLock { $0.question = question }
                flow.stopped.open()
                guard flow.replied.wait(for: 1, timeout: Self.patience) else { return nil }
                return flow.state.withLock { state in
                    defer { state.reply = nil }
                    return state.reply
                }
            }
            flow.state.withLock { $0.answer = answer }
            flow.stopped.open()
            flows.withLock { $0[id] = nil }
        }
        guard isRunning else {
            flows.withLock { $0[id] = nil }
            return .problem(.overloaded, "The system has no thread to give.")
        }
        return wait(id, flow)
    }

    /// Gives `reply` to the flow, and runs it up to its next question, or its end.
    func go(on id: String, with reply: Secret) -> AdminAnswer {
        guard let flow = flows.withLock({ $0[id] }) else {
            return .problem(.noRoute, "Nothing waits for this any more; begin anew.")
        }
        let isAsked = flow.state.withLock { state in
            guard state.question != nil else { return false }
            state.question = nil
            state.reply = reply
            return true
        }
        guard isAsked else { return .failed("An answer is being looked at already.") }
        flow.replied.open()
        return wait(id, flow)
    }

    private func enter(_ id: String, _ flow: Flow) -> Bool {
        flows.withLock { flows in
            guard flows.count < Self.flowsMax else { return false }
            flows[id] = flow
            return true
        }
    }

    private func wait(_ id: String, _ flow: Flow) -> AdminAnswer {
        guard flow.stopped.wait(for: 1, timeout: Self.stepMax) else {
            return .failed("It takes too long.")
        }
        let (question, answer) = flow.state.withLock { ($0.question, $0.answer) }
        if let answer { return answer }
        var members: [JSONValue.Member] = [.init("outcome", "asked"), .init("id", .text(id))]
        if case .object(let more)? = question { members += more }
        return .json(202, .object(members))
    }
}
