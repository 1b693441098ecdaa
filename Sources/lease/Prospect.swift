// What there is to hope for in the line of a key, for one more who would stand in it.

import LeaseClient
import LeaseModel
import LeaseWire

struct Prospect {
    let waiting: Int64
    /// Those of them who count against `queue`: not those who wait for the holder's work.
    private var counted: Int64
    /// The longest that the line may be.
    private var queue = UInt64.max
    /// Not all of them were shown, so how many count isn't known.
    private var isCut = false
    private var pushesOut = false

    /// Of a line that has always room.
    init(waiting: Int64) {
        self.waiting = waiting
        counted = waiting
    }

    /// Of an `OK` to `get`.
    init(_ answer: Answer) {
        self.init(waiting: answer.first.count("waiting"))
        let joining = answer.lines.count { $0.value("join") != nil }
        counted -= Int64(joining)
        queue = answer.first.number("queue") ?? .max
        isCut = answer.first.value("more") != nil
        pushesOut = answer.first.value("overflow") != nil
    }

    var sentence: String {
        if queue == 0 { return "nobody may wait for it" }
        if isCut || counted < queue { return "you'd be \(People.ordinal(waiting + 1)) in line" }
        return "its line is full" + (pushesOut ? ", and who comes pushes out who has stood longest" : "")
    }
}
