// From bytes to lines to requests.

package import LeaseCore
internal import LeaseModel
internal import LeaseWire

// Reading ahead.
extension Server {
    /// What came of several connections, of each once at most. Their lines are read first, then decided, then
    /// logged and told, some at a time: each of these is so much code that one line's way through all of it
    /// drives out of the processor's cache what the next line begins with.
    package mutating func received(_ arrivals: UnsafeBufferPointer<Arrival>) {
        for arrival in arrivals { readAhead(arrival) }
        decideAhead()
    }

    package mutating func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
        readAhead(Arrival(id, bytes))
        decideAhead()
    }

    /// Bytes that came. They are looked at at once as far as nothing holds them up.
    private mutating func readAhead(_ arrival: Arrival) {
        guard let index = index(arrival.id), !connections[index].isClosing, !connections[index].dropsInput
        else { return }
        guard canLook(index), connections[index].input.isEmpty else {
            connections[index].input.append(contentsOf: arrival.bytes)
            makeReady(index)
            pauseIfHeld(index)
            return
        }
        readAhead(PartAhead(id: arrival.id, index: index, bytes: arrival.bytes, isArrival: true))
    }

    /// Carries out the lines of a connection's input until something holds them up.
    /// - Returns: how many bytes were used.
    mutating func consume(_ index: Int, _ input: borrowing [UInt8]) -> Int {
        input.withUnsafeBytes { bytes in
            readAhead(
                PartAhead(id: connections[index].id, index: index, bytes: bytes, isArrival: false))
            decideAhead()
        }
        // (`finish` has left it there.)
        return linesAhead.usedOfInput
    }

    private mutating func readAhead(_ part: PartAhead) {
        if !linesAhead.hasRoomForPart { decideAhead() }
        linesAhead.add(part)
        while readLines(linesAhead.partCount - 1) {
            decideAhead(lastGoesOn: true)
            guard linesAhead.partCount > 0 else { return }
        }
    }

    /// Reads the complete lines of a part.
    /// - Returns: whether there are more, which are to be read when these are decided.
    private mutating func readLines(_ part: Int) -> Bool {
        let bytes = linesAhead[part].bytes.bindMemory(to: UInt8.self).span
        var start = linesAhead[part].read
        var cost = linesAhead[part].cost
        defer { linesAhead[part].read = start }
        while start < bytes.count {
            if linesAhead.isFull { return true }
            // (To read a line takes as long as to carry it out.)
            guard mayGoOn(linesAhead[part], cost) else {
                linesAhead[part].isReadLater = true
                return false
            }
            let control = bytes.firstControl(from: start, to: bytes.count)
            guard let end = endOfLine(bytes, from: control) else { return false }
            var line = LineAhead(part: part, start: start, end: end)
            let isRest = start == 0 && connections[linesAhead[part].index].skipsLine
            let content = isRest
                ? .restOfLongLine
                : readLine(bytes, start..<end, isClean: control == end, tag: &line.tag)
            let mayHoldUp = content.mayHoldUp
            linesAhead.add(line, content)
            cost += Server.work(line)
            start = end + 1
            if mayHoldUp { return start < bytes.count }
        }
        return false
    }

    /// `isClean`: no control character stands in it. (Inlined, as is what else is done once for each line:
    /// a request is large to be handed on.)
    @inline(__always)
    private mutating func readLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>, isClean: Bool, tag: inout Range<Int>
    ) -> LineContent {
        guard line.count <= Limits.lineBytesMax || isOfTheLongest(bytes.extracting(line))
        else { return .tooLong }
        do throws(Refusal) {
            guard let request = try RequestReader.read(bytes, line, isClean: isClean, tag: &tag, &names)
            else { return .nothing }
            return .request(request)
        } catch {
            return .refused(.refused(error))
        }
    }

    /// A CR does not count.
    @inline(never)
    private func isOfTheLongest(_ line: Span<UInt8>) -> Bool {
        line.count == Limits.lineBytesMax + 1 && line[line.count - 1] == UInt8(ascii: "\r")
    }

    /// - Parameter control: the first control character there.
    private func endOfLine(_ bytes: Span<UInt8>, from control: Int) -> Int? {
        var index = control
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            index = bytes.firstControl(from: index + 1, to: bytes.count)
        }
        return index < bytes.count ? index : nil
    }
}

// Deciding.
extension Server {
    /// Decides what was read ahead. `lastGoesOn`: more of the last part is to be read then, unless something
    /// holds it up.
    private mutating func decideAhead(lastGoesOn: Bool = false) {
        for part in 0..<linesAhead.partCount { decideLines(of: part) }
        settle()
        for part in 0..<linesAhead.partCount {
            let isLast = part == linesAhead.partCount - 1
            if isLast, lastGoesOn, !linesAhead[part].isHeld {
                return linesAhead.removePartsButLast()
            }
            finish(linesAhead[part])
        }
        linesAhead.removeParts()
    }

    private mutating func decideLines(of place: Int) {
        var part = linesAhead[place]
        // Fetched for each line, it would have its references counted for each.
        let caller = connections[part.index].caller
        while let line = linesAhead.nextLine, line.part == place {
            decide(line, linesAhead.takeContent(), of: &part, from: caller)
        }
        linesAhead[place] = part
    }

    @inline(__always)
    private mutating func decide(
        _ line: LineAhead, _ content: consuming LineContent, of part: inout PartAhead,
        from caller: borrowing Caller
    ) {
        let index = part.index
        guard !part.isHeld, connections[index].id == part.id, canLook(index) else {
            part.isHeld = true
            return
        }
        guard mayGoOn(part, part.cost) else {
            part.isHeld = true
            makeReady(index)
            return
        }
        let workBefore = workLeft
        guard carryOut(content, line, of: part, caller) else {
            part.isHeld = true
            return
        }
        workLeft -= Server.work(line)
        part.done = line.end + 1
        part.cost += workBefore - workLeft
        let hasHadItsTurn = part.cost >= linesPerTurn
        if hasHadItsTurn, part.done >= part.bytes.count / 2, part.done < part.bytes.count { yield(index) }
    }

    /// What a line costs, but for what it asks for.
    private static func work(_ line: LineAhead) -> Int {
        1 + Int(UInt(bitPattern: line.end &- line.start) / UInt(bytesPerWork))
    }

    /// Whether another line of this part may be decided in this pass, behind those that cost so much. Those
    /// that were left over have their turns, a few lines each, as long as there are several.
    @inline(__always)
    private func mayGoOn(_ part: PartAhead, _ cost: Int) -> Bool {
        cost < options.linesAlways
            || workLeft > 0 && (part.isArrival || ready.isEmpty)
            || connections[part.index].isGone
    }

    /// - Returns: whether it was carried out; if not, it is to be looked at again later.
    @inline(__always)
    private mutating func carryOut(
        _ content: consuming LineContent, _ line: LineAhead, of part: PartAhead, _ caller: borrowing Caller
    ) -> Bool {
        let (index, bytes) = (part.index, part.bytes.bindMemory(to: UInt8.self).span)
        let tag = bytes.extracting(line.start + line.tag.lowerBound..<line.start + line.tag.upperBound)
        if connections[index].waitingTagged > 0, refuseIfWaiting(index, tag) { return true }
        switch consume content {
        case .request(let request): return perform(request, index, tag, from: caller)
        case .refused(let answer): reply(index, tag, answer)
        case .tooLong: refuse(index, bytes.extracting(line.start..<line.end), .lineTooLong)
        case .restOfLongLine: connections[index].skipsLine = false
        case .nothing: break
        }
        return true
    }

    /// What is not used of a part waits in its connection's input.
    private mutating func finish(_ part: PartAhead) {
        let isThere = connections[part.index].id == part.id
        if isThere, part.isReadLater { makeReady(part.index) }
        let used = isThere ? bytesUsed(part) : part.bytes.count
        guard part.isArrival else {
            linesAhead.usedOfInput = used
            return
        }
        guard isThere else { return }
        if used < part.bytes.count, !connections[part.index].isClosing {
            connections[part.index].input.append(contentsOf: part.bytes[used...])
        }
        pauseIfHeld(part.index)
    }

    /// A line that is over the limit gets its one error at once, and is skipped up to its end.
    private mutating func bytesUsed(_ part: PartAhead) -> Int {
        let (index, count) = (part.index, part.bytes.count)
        guard !part.isHeld, !part.isReadLater, canLook(index) else { return part.done }
        if connections[index].skipsLine { return count }
        // A CR may be the beginning of the line's end.
        guard count - part.done > Limits.lineBytesMax + 1 else { return part.done }
        connections[index].skipsLine = true
        let bytes = part.bytes.bindMemory(to: UInt8.self).span
        refuse(index, bytes.extracting(part.done..<count), .lineTooLong)
        return count
    }

    /// Refuses a line that is not read, with its tag if that can be read.
    mutating func refuse(_ index: Int, _ line: Span<UInt8>, _ refusal: Refusal) {
        // The tag stands at the beginning: no need to look further.
        let beginning = line.extracting(0..<min(line.count, 4 * Limits.tagBytesMax))
        var tag = (try? RequestReader.readTag(beginning)) ?? 0..<0
        // The answer to a tag that waits must not seem to come from here.
        if !tag.isEmpty, isWaiting(index, beginning.extracting(tag).copied()) { tag = 0..<0 }
        reply(index, beginning.extracting(tag), .refused(refusal))
    }

    @inline(never)
    private mutating func refuseIfWaiting(_ index: Int, _ tag: Span<UInt8>) -> Bool {
        guard !tag.isEmpty, isWaiting(index, tag.copied()) else { return false }
        reply(index, tag.extracting(0..<0), .refused(.tagInUse(tag.copied())))
        return true
    }

    private func isWaiting(_ index: Int, _ tag: [UInt8]) -> Bool {
        place(connections[index].id, tag) != nil || placeOfOther(index, tag) != nil
    }

    /// Where that stands in `others` which has this tag of the connection. All that waits there may be very
    /// much: it is looked through only for who has some of it.
    func placeOfOther(_ index: Int, _ tag: [UInt8]) -> Int? {
        guard connections[index].waitingTaggedOthers > 0 else { return nil }
        let connection = connections[index].id
        return others.firstIndex { $0.pending.connection == connection && $0.pending.tag == tag }
    }

    /// Where the request in line that has this tag is kept.
    func place(_ connection: ConnectionID, _ tag: [UInt8]) -> Int? {
        tags.find(connection, tag) { pendings[$0].connection == connection && pendings[$0].tag == tag }
    }
}
