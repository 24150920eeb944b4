/// From a place and the bytes that lead on from it to a number: a trie's edges in one hash table.
///
/// Open addressing in flat memory, so that a step costs one probe or two and allocates nothing. The keys come from the
/// configuration; a client chooses only what is looked for, and at most half of the slots are taken. Numbers are of 32
/// bits: a configuration file of 1 MiB cannot say more.
struct EdgeTable: Sendable {
    private struct Slot: Sendable {
        var hash: UInt64 = 0
        /// Negative in a free slot.
        var place: Int32 = -1
        var target: Int32 = 0
        /// Where the key stands in `keys`.
        var start: Int32 = 0
        var count: Int32 = 0
    }
    /// A power of two of them.
    private var slots = [Slot](repeating: Slot(), count: 8)
    private var keys: [UInt8] = []
    private var count = 0

    /// The number for `key` at `place`; `target` from now on when there was none.
    mutating func insert(place: Int, key: [UInt8], target: Int) -> Int {
        let hash = key.reduce(Self.seed, Self.mix)
        if let found = find(place: place, hash: hash, key: key.span) { return found }
        if (count + 1) * 2 > slots.count { grow() }
        let slot = Slot(
            hash: Self.spread(hash, place), place: Int32(truncatingIfNeeded: place),
            target: Int32(truncatingIfNeeded: target), start: Int32(truncatingIfNeeded: keys.count),
            count: Int32(truncatingIfNeeded: key.count))
        keys += key
        put(slot)
        count += 1
        return target
    }

    /// `hash` is of `key`, made with `seed` and `mix`.
    @inline(__always)
    func find(place: Int, hash: UInt64, key: Span<UInt8>) -> Int? {
        let wanted = Self.spread(hash, place)
        var at = Int(truncatingIfNeeded: wanted) & (slots.count - 1)
        while slots[at].place >= 0 {
            let slot = slots[at]
            if slot.hash == wanted, Int(slot.place) == place, isKey(key, of: slot) {
                return Int(slot.target)
            }
            at = (at + 1) & (slots.count - 1)
        }
        return nil
    }

    @inline(__always)
    private func isKey(_ key: Span<UInt8>, of slot: Slot) -> Bool {
        guard key.count == Int(slot.count) else { return false }
        let start = Int(slot.start)
        for i in key.indices where key[i] != keys[start + i] { return false }
        return true
    }

    private mutating func put(_ slot: Slot) {
        var at = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
        while slots[at].place >= 0 { at = (at + 1) & (slots.count - 1) }
        slots[at] = slot
    }

    private mutating func grow() {
        let all = slots
        slots = Array(repeating: Slot(), count: all.count * 2)
        for slot in all where slot.place >= 0 { put(slot) }
    }

    /// FNV-1a.
    static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

    @inline(__always)
    static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    /// The place joins in at the end, so that a key is hashed once for all places it is looked for at.
    @inline(__always)
    private static func spread(_ hash: UInt64, _ place: Int) -> UInt64 {
        let mixed = (hash ^ UInt64(truncatingIfNeeded: place)) &* 0x9e37_79b9_7f4a_7c15
        return mixed ^ (mixed &>> 32)
    }
}
