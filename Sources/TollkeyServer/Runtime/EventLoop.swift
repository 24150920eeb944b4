import CLinux
import Glibc
import TollkeyCore

/// One thread's reactor: waits for sockets (epoll, edge-triggered), for deadlines, and for letters from other threads.
///
/// Everything that it holds is touched by its own thread only; `Mailbox` is the one way in.
final class EventLoop {
    private let epoll: Int32
    let mailbox: Mailbox
    private let clock: Clock
    /// Read once per turn.
    private(set) var now: MonotonicTime
    private var wall: Int64?
    /// No deadline lies before it.
    var nextSweep = MonotonicTime.never
    private var watched: [Pollable?] = []
    private var generations: UInt32 = 0
    /// Those that have more to do than their share of a turn.
    private var unfinished: [Pollable] = []
    private var isStopping = false

    /// Where sockets are read to; no connection has a buffer of its own while nothing waits in it.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: EventLoop.scratchBytes, alignment: 64)
    /// Where TLS is deciphered to: what `scratch` holds, and a record whose beginning came before.
    let plain = UnsafeMutableRawBufferPointer.allocate(
        byteCount: EventLoop.scratchBytes + (16 << 10), alignment: 64)
    /// Where heads of answers are written before they are sent.
    let out = Buffer(capacity: 16 << 10)
    let transport = TLSTransport()
    private var exchanges: [ExchangeDriver] = []
    private var buffers: [Buffer] = []

    static let scratchBytes = 64 << 10
    private static let eventsPerTurn = 256
    /// Deadlines may be this much late, so that many connections are looked at together.
    private static let sweepInterval = TimeSpan(.milliseconds(20))
    private static let exchangesKept = 64
    private static let buffersKept = 64
    /// A buffer that has grown beyond this is not kept.
    private static let bufferBytesKept = 128 << 10

    init(clock: Clock) throws(SystemError) {
        epoll = try SystemError.check("epoll_create1", epoll_create1(tollkey_EPOLL_CLOEXEC))
        mailbox = try Mailbox()
        self.clock = clock
        now = clock.monotonic()
        _ = add(mailbox.descriptor, generation: 0, events: tollkey_EPOLLIN)
    }

    deinit {
        scratch.deallocate()
        plain.deallocate()
        Glibc.close(epoll)
    }

    /// Runs until `stop`; letters are for `worker`.
    func run(serving worker: Worker) {
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: Self.eventsPerTurn)
        defer { events.deallocate() }
        while !isStopping {
            let count = epoll_wait(epoll, events.baseAddress, Int32(Self.eventsPerTurn), waitTime())
            now = clock.monotonic()
            wall = nil
            let batch = events.prefix(max(0, Int(count)))
            for event in batch { deliver(event, worker, toIdle: true) }
            for event in batch { deliver(event, worker, toIdle: false) }
            finishTurn()
        }
        for pollable in watched { pollable?.closeDescriptor() }
        mailbox.close()
        // They know the loop, as it knows them.
        unfinished = []
        exchanges = []
        buffers = []
    }

    func stop() { isStopping = true }

    /// Now, by both clocks; the wall clock is read once per turn, when somebody asks.
    var moment: Moment {
        let wall = self.wall ?? clock.wall()
        self.wall = wall
        return Moment(wall: wall, monotonic: now.nanoseconds)
    }

    /// First to those that are idle: what has ended, or says what nobody asked for, is then known before an event of
    /// somebody else's puts it to use.
    private func deliver(_ event: epoll_event, _ worker: Worker, toIdle: Bool) {
        let descriptor = Int(UInt32(truncatingIfNeeded: event.data.u64))
        let generation = UInt32(truncatingIfNeeded: event.data.u64 >> 32)
        if descriptor < watched.count, let pollable = watched[descriptor] {
            guard pollable.isIdle == toIdle, pollable.generation == generation else { return }
            pollable.ready(Readiness(rawValue: event.events))
        } else if descriptor == Int(mailbox.descriptor), !toIdle {
            mailbox.open(for: worker)
        }
    }

    private func finishTurn() {
        if !unfinished.isEmpty {
            let waiting = unfinished
            unfinished.removeAll(keepingCapacity: true)
            for pollable in waiting {
                pollable.isUnfinished = false
                if pollable.descriptor >= 0 { pollable.ready([]) }
            }
        }
        if now >= nextSweep { sweep() }
    }

    private func sweep() {
        nextSweep = .never
        // By index: what a deadline sets off opens and closes others.
        for i in watched.indices {
            guard let pollable = watched[i], pollable.deadline <= now else { continue }
            pollable.clearDeadline()
            pollable.deadlinePassed()
        }
        for i in watched.indices {
            if let deadline = watched[i]?.deadline, deadline < nextSweep { nextSweep = deadline }
        }
        nextSweep = max(nextSweep, now + Self.sweepInterval)
    }

    /// Milliseconds for epoll: -1 is for ever.
    private func waitTime() -> Int32 {
        if !unfinished.isEmpty { return 0 }
        if nextSweep == .never { return -1 }
        let left = nextSweep.nanoseconds - now.nanoseconds
        return left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
    }

    /// Calls `ready([])` in the next turn, after the others had theirs.
    func continueLater(_ pollable: Pollable) {
        guard !pollable.isUnfinished else { return }
        pollable.isUnfinished = true
        unfinished.append(pollable)
    }

    // MARK: Watching

    func register(_ pollable: Pollable, _ descriptor: Int32) -> UInt32? {
        generations &+= 1
        let events = tollkey_EPOLLIN | tollkey_EPOLLOUT | tollkey_EPOLLRDHUP | tollkey_EPOLLET
        guard add(descriptor, generation: generations, events: events) else { return nil }
        while watched.count <= Int(descriptor) { watched.append(nil) }
        watched[Int(descriptor)] = pollable
        return generations
    }

    func forget(_ descriptor: Int32, isShared: Bool) {
        watched[Int(descriptor)] = nil
        if isShared { epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil) }
    }

    private func add(_ descriptor: Int32, generation: UInt32, events: UInt32) -> Bool {
        var event = epoll_event()
        event.events = events
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    // MARK: Lending

    func takeExchange() -> ExchangeDriver { exchanges.popLast() ?? ExchangeDriver(loop: self) }

    func giveBack(_ exchange: ExchangeDriver) {
        guard exchanges.count < Self.exchangesKept, exchange.bytesHeld <= Self.bufferBytesKept else { return }
        exchanges.append(exchange)
    }

    func takeBuffer() -> Buffer { buffers.popLast() ?? Buffer(capacity: 4 << 10) }

    func giveBack(_ buffer: Buffer) {
        guard buffers.count < Self.buffersKept, buffer.capacity <= Self.bufferBytesKept else { return }
        buffer.clear()
        buffers.append(buffer)
    }
}
