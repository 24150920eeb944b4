import Synchronization

/// The faults that are armed, first in first out per provider.
final class FaultQueue: Sendable {
    /// Armed faults per provider; one past it is refused.
    static let armedMax = 16
    static let countMax = 1_000_000

    private struct Armed {
        let fault: Fault
        /// Nil is for ever.
        var left: Int?
        let pathPrefix: String
    }

    private let armed = Mutex<[Provider: [Armed]]>([:])

    /// - Parameter count: nil is until it is disarmed
    /// - Returns: false when the queue is full or the count is not in `1...countMax`
    func arm(_ fault: Fault, on provider: Provider, count: Int?, pathPrefix: String) -> Bool {
        guard (1...Self.countMax).contains(count ?? 1) else { return false }
        return armed.withLock { armed in
            guard armed[provider, default: []].count < Self.armedMax else { return false }
            armed[provider, default: []].append(Armed(fault: fault, left: count, pathPrefix: pathPrefix))
            return true
        }
    }

    /// - Parameter provider: nil is every one
    func disarm(_ provider: Provider?) {
        armed.withLock { armed in
            guard let provider else {
                armed = [:]
                return
            }
            armed[provider] = nil
        }
    }

    /// Takes one use of the first fault that is armed for `target`.
    func take(for provider: Provider, target: String) -> Fault? {
        armed.withLock { armed in
            guard var queue = armed[provider],
                let index = queue.firstIndex(where: { target.hasPrefix($0.pathPrefix) })
            else { return nil }
            let fault = queue[index].fault
            if let left = queue[index].left { queue[index].left = left - 1 }
            if queue[index].left == 0 { queue.remove(at: index) }
            armed[provider] = queue
            return fault
        }
    }
}
