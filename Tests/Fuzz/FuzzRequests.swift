// The reader of requests under libFuzzer: each line is one request or one refusal, and what is read is what
// was written.

import LeaseModel
import LeaseWire

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    for line in input.split(separator: UInt8(ascii: "\n")) {
        readRequest(Array(line))
        line.split(separator: UInt8(ascii: " ")).forEach { readKey(Array($0)) }
    }
    return 0
}

private func readRequest(_ line: [UInt8]) {
    var names = RecentNames(seed: 0, count: 16)
    var place = 0..<0
    let request: Request
    do throws(Refusal) {
        let found = try RequestReader.read(line.span, tag: &place, &names)
        expectTheSameAmidOthers(line, .success(found))
        guard let found else { return }
        request = found
    } catch {
        expectTheSameAmidOthers(line, .failure(error))
        return expectOneLine(error)
    }
    var written: [UInt8] = []
    RequestWriter.append(request, tag: line.span.extracting(place), to: &written)
    precondition(written.removeLast() == UInt8(ascii: "\n"), "a request is one line")
    precondition(written.allSatisfy { $0 > 0x1F && $0 < 0x7F }, "what is written is printable")
    do throws(Refusal) {
        let tag = Array(line[place])
        let reread = try RequestReader.read(written.span, tag: &place, &names)
        precondition(Array(written[place]) == tag, "the tag has changed")
        precondition(reread == request, "the request has changed")
    } catch {
        preconditionFailure("what was written is refused")
    }
}

/// Read where it stands, as the daemon does: what follows it is looked at with it, and changes nothing.
private func expectTheSameAmidOthers(_ line: [UInt8], _ alone: Result<Request?, Refusal>) {
    let before = Array("release 7\n".utf8)
    let all = before + line + Array("\n1 release 12345678 owner=x\n".utf8)
    var names = RecentNames(seed: 0, count: 16)
    var tag = 0..<0
    let amid = Result { () throws(Refusal) in
        try RequestReader.read(
            all.span, before.count..<before.count + line.count,
            isClean: line.span.firstControl(from: 0, to: line.count) == line.count, tag: &tag, &names)
    }
    precondition(amid == alone, "amid others it is another request")
}

private func expectOneLine(_ refusal: Refusal) {
    var line: [UInt8] = []
    let noTag: [UInt8] = []
    ReplyWriter.append(.refused(refusal), tag: noTag.span, to: &line)
    precondition(line.removeLast() == UInt8(ascii: "\n") && line.count <= Limits.lineBytesMax, "one line")
    precondition(line.allSatisfy { $0 > 0x1F && $0 < 0x7F }, "a refusal is printable")
}

/// A key is the bytes that its spelling stands for: two spellings are one key if and only if those are one.
private func readKey(_ word: [UInt8]) {
    guard let key = try? Key.read(word.span) else { return }
    precondition((try? Key.read(key.bytes.span)) == key, "the spelling of a key is another key")
    let parts = word.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let meant = parts.map { decoded(Array($0)) }
    let printed = key.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    precondition(printed.map { decoded(Array($0)) } == meant, "the key names something else")
    precondition(spelled(meant) == key.bytes, "the key has another spelling")
    precondition(key.bytes.count <= Limits.keyBytesMax, "the key is too long")
}

/// As the protocol's page says it, and by no code of the reader's.
private func decoded(_ part: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    var index = 0
    while index < part.count {
        if part[index] == UInt8(ascii: "%"), index + 2 < part.count {
            let digits = String(decoding: part[(index + 1)...(index + 2)], as: UTF8.self)
            bytes.append(UInt8(digits, radix: 16)!)
            index += 3
        } else {
            bytes.append(part[index])
            index += 1
        }
    }
    return bytes
}

private func spelled(_ parts: [[UInt8]]) -> [UInt8] {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+-".utf8)
    let words = parts.map { part in
        part.reduce(into: "") { word, byte in
            let digits = String(byte, radix: 16, uppercase: true)
            let encoded = "%" + (byte < 16 ? "0" : "") + digits
            word += plain.contains(byte) ? String(UnicodeScalar(byte)) : encoded
        }
    }
    return Array(words.joined(separator: "/").utf8)
}
