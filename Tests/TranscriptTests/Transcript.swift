// A transcript as it is read from its file: what is done and what is expected, line by line.

import Glibc
import Testing

/// One line that does or expects something.
struct Step {
    enum Action {
        /// Connects, as this user or as the one who runs the test.
        case connect(String, uid: UInt32?)
        /// Bytes as they go out, but for placeholders.
        case send(String, [UInt8])
        case endInput(String)
        case hangUp(String)
        case expect(String, [UInt8])
        case expectClosed(String)
        case expectOrder(String, Comparison, String)
        case startProcess(String, uid: UInt32?)
        case endProcess(String)
        case daemon(DaemonAction)
        case policy([UInt8])
        case flags([String])
        /// An empty line: nobody has been told more than stands above.
        case endOfStep
    }

    enum DaemonAction: String, CaseIterable {
        case start, stop, kill, reload, pause, resume
    }

    enum Comparison: String {
        case less = "<"
        case greater = ">"
        case equal = "="
    }

    let line: Int
    let action: Action
}

/// Why a line of a transcript can't be read.
struct TranscriptError: Error, CustomStringConvertible {
    let line: Int
    let description: String
}

struct Transcript: Sendable, CustomTestStringConvertible {
    let name: String
    let path: String

    var testDescription: String { name }

    static let folder = String(#filePath.dropLast("Tests/TranscriptTests/Transcript.swift".count))
        + "protocol/transcripts/"

    /// All of them, by name.
    static let all: [Transcript] = {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".txt") { names.append(name) }
        }
        return names.sorted().map { Transcript(name: $0, path: folder + $0) }
    }()

    /// Whether several users talk in it: only root can play them all.
    var hasOtherUsers: Bool {
        lines().contains { line in
            let words = line.split(separator: " ")
            return words.count > 1 && words.last!.hasPrefix("uid=") && (words.count == 2 || words[0] == "!")
        }
    }

    /// The lines of the file, without their ends.
    func lines() -> [String] {
        wholeFile(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    func steps() throws(TranscriptError) -> [Step] {
        var steps: [Step] = []
        for (index, text) in lines().enumerated() {
            if text.hasPrefix("#") { continue }
            let reader = TranscriptLine(number: index + 1, text: text)
            steps.append(Step(line: index + 1, action: try reader.action()))
        }
        return steps + [Step(line: steps.last?.line ?? 0, action: .endOfStep)]
    }
}

/// The text of a file; empty where there is none.
func wholeFile(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

/// One line on its way to a step.
private struct TranscriptLine {
    let number: Int
    let text: String

    func action() throws(TranscriptError) -> Step.Action {
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first else { return .endOfStep }
        if first == "flags:" { return .flags(Array(words.dropFirst())) }
        if first == "policy:" { return .policy(Array(text.dropFirst("policy:".count).utf8)) }
        if first == "!" { return try happening(Array(words.dropFirst())) }
        if first.hasPrefix("$") {
            guard words.count == 3, let comparison = Step.Comparison(rawValue: words[1]) else {
                throw wrong("a comparison is written `$T > 5`")
            }
            return .expectOrder(words[0], comparison, words[2])
        }
        if first.hasSuffix(">") || first.hasSuffix("<") { return try talk(String(first)) }
        guard words.count == 2, words[1].hasPrefix("uid=") else {
            throw wrong("this is no line of a transcript")
        }
        return .connect(first, uid: try uid(words[1]))
    }

    private func talk(_ first: String) throws(TranscriptError) -> Step.Action {
        let name = String(first.dropLast())
        let rest = String(text.dropFirst(first.count + 1))
        switch (first.last, rest) {
        case (">", "(end of input)"): return .endInput(name)
        case (">", "(hang-up)"): return .hangUp(name)
        case ("<", "(closed)"): return .expectClosed(name)
        case (">", _):
            var bytes = try unescaped(rest)
            if rest.hasSuffix("\\c") {
                return .send(name, bytes)
            }
            bytes.append(UInt8(ascii: "\n"))
            return .send(name, bytes)
        default: return .expect(name, try unescaped(rest))
        }
    }

    private func happening(_ words: [String]) throws(TranscriptError) -> Step.Action {
        switch (words.first, words.count) {
        case ("process", 2): return .startProcess(words[1], uid: nil)
        case ("process", 3): return .startProcess(words[1], uid: try uid(words[2]))
        case ("end", 2): return .endProcess(words[1])
        case (let word?, 1):
            guard let action = Step.DaemonAction(rawValue: word) else { fallthrough }
            return .daemon(action)
        default: throw wrong("nothing of that sort can happen")
        }
    }

    private func uid(_ word: String) throws(TranscriptError) -> UInt32 {
        guard word.hasPrefix("uid="), let uid = UInt32(word.dropFirst(4)) else {
            throw wrong("write uid=1001")
        }
        return uid
    }

    /// `\r`, `\t`, `\n`, `\\`, `\xHH` for a byte, `\{x*300}` for many, `\c` for nothing.
    private func unescaped(_ text: String) throws(TranscriptError) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "r"): bytes.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t"): bytes.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "c"): break
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                    throw wrong("two hex digits follow \\x")
                }
                rest = rest.dropFirst(2)
                bytes.append(value)
            case UInt8(ascii: "{"): bytes += try repeated(&rest)
            default: throw wrong("there is no such escape")
            }
        }
        return bytes
    }

    private func repeated(_ rest: inout ArraySlice<UInt8>) throws(TranscriptError) -> [UInt8] {
        let inside = rest.prefix { $0 != UInt8(ascii: "}") }
        rest = rest.dropFirst(inside.count + 1)
        guard let star = inside.lastIndex(of: UInt8(ascii: "*")),
            let count = Int(String(decoding: inside[(star + 1)...], as: UTF8.self))
        else { throw wrong("many of something are written \\{x*300}") }
        return Array(repeatElement(inside[..<star], count: count).joined())
    }

    private func wrong(_ what: String) -> TranscriptError {
        TranscriptError(line: number, description: what)
    }
}
