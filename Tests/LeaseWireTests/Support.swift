// What every test of the wire needs: lines in, lines out.

import LeaseModel

@testable import LeaseWire

/// The answer to one line: nothing, a request, or a refusal; with its tag where that could be read.
enum Reading: Equatable {
    case nothing
    case request(Request, tag: String)
    case refused(Refusal, tag: String)
}

func reading(_ bytes: [UInt8]) -> Reading {
    let line = bytes.span
    var names = RecentNames(seed: 0, count: 4)
    var tag = 0..<0
    do throws(Refusal) {
        guard let request = try RequestReader.read(line, tag: &tag, &names) else { return .nothing }
        // Its names have come lately now, which changes nothing.
        let again = try RequestReader.read(line, tag: &tag, &names)
        precondition(again == request, "a line that came lately is read as another request")
        let amid = try readingAmid(bytes, &names)
        precondition(amid == request, "what stands around a line changes what is read")
        return .request(request, tag: String(decoding: bytes[tag], as: UTF8.self))
    } catch {
        return .refused(error, tag: String(decoding: bytes[tag], as: UTF8.self))
    }
}

/// Read where it stands among others, as the daemon does.
private func readingAmid(_ line: [UInt8], _ names: inout RecentNames) throws(Refusal) -> Request? {
    let before = Array("release 7\n".utf8)
    let all = before + line + Array("\n1 release 12345678 owner=x\n".utf8)
    let isClean = line.span.firstControl(from: 0, to: line.count) == line.count
    var tag = 0..<0
    let place = before.count..<before.count + line.count
    let request = try RequestReader.read(all.span, place, isClean: isClean, tag: &tag, &names)
    if !tag.isEmpty { precondition(line[tag.lowerBound - 1] == UInt8(ascii: "#"), "a tag has its place") }
    return request
}

func reading(_ line: String) -> Reading {
    reading(Array(line.utf8))
}

func request(_ line: String) -> Request? {
    guard case .request(let request, _) = reading(line) else { return nil }
    return request
}

func refusal(_ line: String) -> Refusal? {
    guard case .refused(let refusal, _) = reading(line) else { return nil }
    return refusal
}

/// What a client would write, without the last LF.
func requestLine(_ request: Request, _ tag: String) -> [UInt8] {
    var output: [UInt8] = []
    RequestWriter.append(request, tag: Array(tag.utf8).span, to: &output)
    precondition(output.last == UInt8(ascii: "\n"), "a request has its end")
    return output.dropLast()
}

/// What the daemon would write, without the last LF.
func written(_ reply: Reply, tag: String = "") -> String {
    var output: [UInt8] = []
    ReplyWriter.append(reply, tag: Array(tag.utf8).span, to: &output)
    precondition(output.last == UInt8(ascii: "\n"), "each line of a reply has its end")
    return String(decoding: output.dropLast(), as: UTF8.self)
}

/// The refusal of a line as the client reads it.
func answer(_ line: String) -> String? {
    refusal(line).map { written(.refused($0)) }
}

func key(_ text: String) -> Key {
    Key(printed: Array(text.utf8))
}

func keys(_ first: String, _ others: String...) -> Keys {
    Keys(key(first), others.map { key($0) })
}

func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

func replyLine(_ line: String) -> ReplyLine? {
    ReplyLine(bytes(line).span)
}
