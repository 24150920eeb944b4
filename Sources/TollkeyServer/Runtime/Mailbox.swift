import CLinux
import Glibc
import Synchronization

/// How other threads reach an event loop: work that it performs in its next turn.
final class Mailbox: Sendable {
    typealias Letter = @Sendable (Worker) -> Void

    let descriptor: Int32
    /// nil once the loop has ended; what comes then is dropped.
    private let letters = Mutex<[Letter]?>([])

    init() throws(SystemError) {
        descriptor = try SystemError.check(
            "eventfd", eventfd(0, tollkey_EFD_CLOEXEC | tollkey_EFD_NONBLOCK))
    }

    /// False when the loop has ended.
    @discardableResult
    func post(_ letter: @escaping Letter) -> Bool {
        letters.withLock { letters in
            guard letters != nil else { return false }
            letters?.append(letter)
            var one: UInt64 = 1
            write(descriptor, &one, 8)
            return true
        }
    }

    /// Performs what has come. By the loop's own thread.
    func open(for worker: Worker) {
        var count: UInt64 = 0
        read(descriptor, &count, 8)
        let batch = letters.withLock { letters in
            let batch = letters ?? []
            if letters != nil { letters = [] }
            return batch
        }
        for letter in batch { letter(worker) }
    }

    func close() {
        letters.withLock {
            $0 = nil
            Glibc.close(descriptor)
        }
    }
}
