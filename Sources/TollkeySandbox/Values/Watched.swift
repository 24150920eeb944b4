import Synchronization

/// A value behind a lock that tests can wait on: a wait ends with the change that fulfils it, so nobody
/// sleeps and looks again. There are as many waiters as tasks that wait, and no more.
final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let isFulfilled: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Inside {
        var value: Value
        var waiters: [Int: Waiter] = [:]
        var cancelled: Set<Int> = []
        var lastWaiter = 0
    }

    private let inside: Mutex<Inside>

    init(_ value: Value) {
        inside = Mutex(Inside(value: value))
    }

    func read<Result: Sendable>(_ body: (Value) -> Result) -> Result {
        inside.withLock { body($0.value) }
    }

    /// Changes the value, then wakes whoever waited for what it has become.
    @discardableResult
    func update<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        let (result, fulfilled) = inside.withLock { inside in
            let result = body(&inside.value)
            let fulfilled = inside.waiters.filter { $0.value.isFulfilled(inside.value) }
            for number in fulfilled.keys { inside.waiters[number] = nil }
            return (result, fulfilled.values.map(\.continuation))
        }
        for continuation in fulfilled { continuation.resume() }
        return result
    }

    /// Returns once `isFulfilled` holds; throws `CancellationError` when the waiting task is cancelled.
    func wait(until isFulfilled: @escaping @Sendable (Value) -> Bool) async throws {
        let number = inside.withLock { inside in
            inside.lastWaiter += 1
            return inside.lastWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = inside.withLock { inside in
                    if inside.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if isFulfilled(inside.value) { return .success(()) }
                    inside.waiters[number] = Waiter(isFulfilled: isFulfilled, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = inside.withLock { inside in
                let waiter = inside.waiters.removeValue(forKey: number)
                // Cancelled before it began to wait: remembered, so that it does not begin.
                if waiter == nil { inside.cancelled.insert(number) }
                return waiter
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
        inside.withLock { _ = $0.cancelled.remove(number) }
    }
}
