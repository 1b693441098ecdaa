// First in, first out, for the few elements that a connection has under way.

/// Takes from the front by moving its beginning, so that neither taking nor adding moves or makes anything as
/// long as it is emptied now and then.
struct ShortQueue<Element> {
    private var elements: [Element] = []
    private var start = 0

    var isEmpty: Bool { start == elements.count }
    var first: Element? { isEmpty ? nil : elements[start] }
    var last: Element? { elements.last }
    /// In their order.
    var all: ArraySlice<Element> { elements[start...] }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func removeFirst() {
        precondition(!isEmpty, "there is no first element")
        start += 1
        if isEmpty {
            empty()
        } else if start > 64, start > elements.count / 2 {
            elements.removeFirst(start)
            start = 0
        }
    }

    /// Its room is used again.
    mutating func empty() {
        if elements.count > 4 { elements.removeAll(keepingCapacity: true) }
        // One by one: to empty an array as a whole costs more than a few elements do.
        while !elements.isEmpty { elements.removeLast() }
        start = 0
    }

    mutating func removeAll() {
        self = ShortQueue()
    }
}
