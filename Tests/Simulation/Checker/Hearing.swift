// The bytes of both directions: requests, and the replies that are paired with them.

extension History {
    package mutating func sent(_ connection: Int, _ bytes: [UInt8], at time: Int64) {
        guard talks[connection] != nil else { return }
        talks[connection]!.sent += bytes
        while let end = talks[connection]!.sent.firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(talks[connection]!.sent[..<end])
            talks[connection]!.sent.removeFirst(end + 1)
            ask(connection, line, at: time)
        }
    }

    private mutating func ask(_ connection: Int, _ line: [UInt8], at time: Int64) {
        guard line.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }),
            talks[connection]?.hasQuit == false
        else { return }
        let spoken = Spoken(line: line)
        let number = asks.count
        asks.append(
            Ask(
                number: number, connection: connection, spoken: spoken,
                line: String(decoding: line, as: UTF8.self), sentAt: time))
        talks[connection]!.open.append(number)
        if spoken.verb == "quit" { talks[connection]!.hasQuit = true }
    }

    package mutating func received(_ connection: Int, _ bytes: [UInt8], at time: Int64) {
        guard talks[connection]?.goneAt == nil else { return }
        talks[connection]!.received += bytes
        while let end = talks[connection]!.received.firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(talks[connection]!.received[..<end])
            talks[connection]!.received.removeFirst(end + 1)
            hear(connection, line, at: time)
        }
    }

    private mutating func hear(_ connection: Int, _ line: [UInt8], at time: Int64) {
        if line.count > 8_192 { accuse("lines", "a line of \(line.count) bytes") }
        if line.contains(where: { $0 < 0x20 || $0 > 0x7E }) { accuse("lines", "raw bytes in a line") }
        if let filling = talks[connection]?.filling {
            guard line.starts(with: "  ".utf8) else {
                return accuse("lines", "\(filling.missing) lines lack behind `\(asks[filling.ask].line)`")
            }
            asks[filling.ask].lines.append(Told(words: Spoken.split(line)))
            if filling.missing > 1 {
                talks[connection]?.filling = (filling.ask, filling.missing - 1)
            } else {
                talks[connection]?.filling = nil
                asks[filling.ask].answeredAt = time
            }
            return
        }
        var words = Spoken.split(line)
        var tag = ""
        if let first = words.first, first.hasPrefix("#") {
            tag = String(first.dropFirst())
            words.removeFirst()
        }
        if words.first == "*" { return hearEvent(connection, tag, Array(words.dropFirst()), at: time) }
        let told = Told(words: words)
        guard let number = match(connection, tag, told) else {
            return accuse("answers", "nobody asked for `\(String(decoding: line, as: UTF8.self))`")
        }
        take(number, told, connection, at: time)
    }

    private mutating func take(_ number: Int, _ told: Told, _ connection: Int, at time: Int64) {
        checkTurn(number, connection)
        asks[number].answer = told
        talks[connection]!.open.removeAll { $0 == number }
        let count = told.status == "OK" ? Int(told.number("lines") ?? 0) : 0
        if count > 0 {
            talks[connection]!.filling = (number, count)
        } else {
            asks[number].answeredAt = time
        }
        // What stood before it on its connection was looked at before it.
        for earlier in talks[connection]!.open where earlier < number && asks[earlier].seenBy == nil {
            asks[earlier].seenBy = time
        }
        follow(number, told, connection, at: time)
        if let wrong = wrongShape(of: told, for: asks[number], by: time) {
            let got = "\(told.status) \(told.code) \(told.fields)"
            accuse("replies", "\(wrong): `\(asks[number].line)` got \(got)")
        }
    }

    /// The request that a reply answers.
    private func match(_ connection: Int, _ tag: String, _ told: Told) -> Int? {
        guard let open = talks[connection]?.open else { return nil }
        // The later one of two with the same tag is refused without it, in whichever way.
        if tag.isEmpty, ["tag-in-use", "line-too-long", "storage"].contains(told.code) {
            return open.enumerated().first { place, number in
                if asks[number].spoken.tag.isEmpty { return told.code != "tag-in-use" }
                return open[..<place].contains { asks[$0].spoken.tag == asks[number].spoken.tag }
            }?.element
        }
        return open.first { asks[$0].spoken.tag == tag }
    }

    /// Replies come in the order of the requests, but for those of tagged requests that wait.
    private mutating func checkTurn(_ number: Int, _ connection: Int) {
        for earlier in talks[connection]!.open where earlier < number {
            let before = asks[earlier]
            if before.spoken.tag.isEmpty || !before.mayWait {
                accuse("turns", "`\(asks[number].line)` was answered before `\(before.line)`")
            }
        }
    }
}
