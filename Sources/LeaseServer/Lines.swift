// From bytes to lines to requests.

internal import LeaseCore
internal import LeaseModel
internal import LeaseWire

extension Server {
    /// Carries out the lines in `bytes` until something holds them up.
    /// - Returns: how many bytes were used.
    mutating func consume(_ index: Int, _ bytes: Span<UInt8>) -> Int {
        let id = connections[index].id
        var (start, lines) = (0, 0)
        while start < bytes.count, canLook(index) {
            let control = ControlScanner.first(bytes, from: start, to: bytes.count)
            guard let end = endOfLine(bytes, from: control) else {
                return consumeUnended(index, bytes, from: start)
            }
            if connections[index].skipsLine {
                connections[index].skipsLine = false
            } else if !takeLine(index, bytes.extracting(start..<end), isClean: control == end) {
                return start
            }
            start = end + 1
            guard connections[index].id == id else { return bytes.count }
            lines += 1
            if lines >= linesPerTurn, start >= bytes.count / 2, start < bytes.count { yield(index) }
        }
        return start
    }

    /// A line that is over the limit gets its one error at once, and is skipped up to its end.
    private mutating func consumeUnended(_ index: Int, _ bytes: Span<UInt8>, from start: Int) -> Int {
        if connections[index].skipsLine { return bytes.count }
        // A CR may be the beginning of the line's end.
        let isTooLong = bytes.count - start > Limits.lineBytesMax + 1
        guard isTooLong else { return start }
        connections[index].skipsLine = true
        refuse(index, bytes.extracting(start..<bytes.count), .lineTooLong)
        return bytes.count
    }

    /// - Parameter control: the first control character there.
    private func endOfLine(_ bytes: Span<UInt8>, from control: Int) -> Int? {
        var index = control
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            index = ControlScanner.first(bytes, from: index + 1, to: bytes.count)
        }
        return index < bytes.count ? index : nil
    }

    /// Carries out one line. `isClean`: no control character stands in it.
    /// - Returns: whether it was; if not, it is to be looked at again later.
    private mutating func takeLine(_ index: Int, _ line: Span<UInt8>, isClean: Bool) -> Bool {
        var length = line.count
        if length > 0, line[length - 1] == UInt8(ascii: "\r") { length -= 1 }
        guard length <= Limits.lineBytesMax else {
            refuse(index, line, .lineTooLong)
            return true
        }
        let head: RequestHead
        do throws(Refusal) {
            guard let found = try RequestReader.readTag(line) else { return true }
            head = found
        } catch {
            reply(index, line.extracting(0..<0), .refused(error))
            return true
        }
        let tag = line.extracting(head.tag)
        if connections[index].waitingTagged > 0, !tag.isEmpty,
            isWaiting(connections[index].id, tag.copied())
        {
            reply(index, line.extracting(0..<0), .refused(.tagInUse(tag.copied())))
            return true
        }
        do throws(Refusal) {
            let request = try RequestReader.read(line, head, &names, isClean: isClean)
            return perform(request, index, tag)
        } catch {
            reply(index, tag, .refused(error))
            return true
        }
    }

    /// Refuses a line that is not read, with its tag if that can be read.
    mutating func refuse(_ index: Int, _ line: Span<UInt8>, _ refusal: Refusal) {
        // The tag stands at the beginning: no need to look further.
        let beginning = line.extracting(0..<min(line.count, 4 * Limits.tagBytesMax))
        var tag = (try? RequestReader.readTag(beginning))?.tag ?? 0..<0
        // The answer to a tag that waits must not seem to come from here.
        if !tag.isEmpty, isWaiting(connections[index].id, beginning.extracting(tag).copied()) { tag = 0..<0 }
        reply(index, beginning.extracting(tag), .refused(refusal))
    }

    private func isWaiting(_ connection: ConnectionID, _ tag: [UInt8]) -> Bool {
        place(connection, tag) != nil
            || others.contains { $0.pending.connection == connection && $0.pending.tag == tag }
    }

    /// Where the request in line that has this tag is kept.
    func place(_ connection: ConnectionID, _ tag: [UInt8]) -> Int? {
        tags.find(connection, tag) { pendings[$0].connection == connection && pendings[$0].tag == tag }
    }
}
