/// Elements in flat memory, each of them in one of many chains: put at the end and taken from the middle in constant
/// time, without an allocation once the memory is there.
struct ChainedSlots<Element: Sendable>: Sendable {
    private struct Slot: Sendable {
        /// In a free slot what was there last.
        var element: Element
        var before: Int?
        /// In a free slot the next free one.
        var behind: Int?
    }
    private var slots: [Slot] = []
    private var free: Int?

    /// Slots that memory is held for: the most that were ever taken at once.
    var allocated: Int { slots.count }

    subscript(slot: Int) -> Element {
        get { slots[slot].element }
        set { slots[slot].element = newValue }
    }

    /// The new element's slot, at the end of `chain`.
    mutating func append(_ element: Element, to chain: inout Chain) -> Int {
        let slot = take(element)
        linkLast(slot, to: &chain)
        return slot
    }

    /// `slot` is one of `chain`, here and in what follows. It is free then.
    mutating func remove(_ slot: Int, from chain: inout Chain) {
        unlink(slot, from: &chain)
        slots[slot].behind = free
        free = slot
    }

    mutating func moveLast(_ slot: Int, in chain: inout Chain) {
        unlink(slot, from: &chain)
        linkLast(slot, to: &chain)
    }

    private mutating func take(_ element: Element) -> Int {
        guard let slot = free else {
            slots.append(Slot(element: element))
            return slots.count - 1
        }
        free = slots[slot].behind
        slots[slot] = Slot(element: element)
        return slot
    }

    private mutating func linkLast(_ slot: Int, to chain: inout Chain) {
        slots[slot].before = chain.last
        slots[slot].behind = nil
        if let last = chain.last { slots[last].behind = slot } else { chain.first = slot }
        chain.last = slot
        chain.count += 1
    }

    private mutating func unlink(_ slot: Int, from chain: inout Chain) {
        let (before, behind) = (slots[slot].before, slots[slot].behind)
        if let before { slots[before].behind = behind } else { chain.first = behind }
        if let behind { slots[behind].before = before } else { chain.last = before }
        chain.count -= 1
    }
}

/// The ends of a row of slots.
struct Chain: Sendable {
    var first: Int?
    var last: Int?
    var count = 0
}
