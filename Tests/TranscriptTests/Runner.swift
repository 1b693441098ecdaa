// Runs a transcript against a world, and says with file and line where it goes another way.

import Testing

/// Runs one transcript.
struct Runner {
    private let transcript: Transcript
    private let world: any World
    /// What the placeholders stand for.
    private var values: [String: [UInt8]] = [:]
    private var flags: [String] = []
    private var policy: [UInt8]?
    /// A `policy:` line behind one of another sort begins the file anew.
    private var isReadingPolicy = false
    private var isRunning = false
    private var isPaused = false
    /// Connections that are open, in the order in which they were made.
    private var connections: [String] = []
    /// Lines on their way out: lines that follow each other on one connection go out together.
    private var outgoing: (name: String, bytes: [UInt8])?

    init(_ transcript: Transcript, in world: any World) {
        self.transcript = transcript
        self.world = world
        values["UID"] = Array("\(world.uid)".utf8)
    }

    /// Everything up to the first thing that goes wrong, which is recorded as an issue.
    mutating func run() {
        let steps: [Step]
        do throws(TranscriptError) {
            steps = try transcript.steps()
        } catch {
            return record(error.description, line: error.line)
        }
        for step in steps {
            do throws(Stuck) {
                try take(step)
            } catch {
                return record(error.description, line: step.line)
            }
        }
    }

    private func record(_ what: String, line: Int) {
        let place = SourceLocation(
            fileID: "transcripts/\(transcript.name)", filePath: transcript.path, line: line, column: 1)
        Issue.record("\(transcript.name):\(line): \(what)", sourceLocation: place)
    }

    private mutating func take(_ step: Step) throws(Stuck) {
        if case .send(let name, let template) = step.action {
            try begin()
            try writePolicy()
            return try queue(name, template)
        }
        try flush()
        if case .policy(let line) = step.action {
            policy = (isReadingPolicy ? policy ?? [] : []) + line + [UInt8(ascii: "\n")]
            isReadingPolicy = true
            return
        }
        try writePolicy()
        switch step.action {
        case .flags(let words): flags = words
        case .daemon(let action): try handle(action)
        case .startProcess(let name, let uid):
            values[name] = Array("\(try world.startProcess(name, uid: uid))".utf8)
        case .endProcess(let name):
            try world.endProcess(name)
            try settle()
        case .expectOrder(let left, let comparison, let right): try compare(left, comparison, right)
        case .endOfStep: try endStep()
        case .policy, .send: break
        case .connect, .endInput, .hangUp, .expect, .expectClosed: try talk(step.action)
        }
    }

    /// The lines of another policy file are complete.
    private mutating func writePolicy() throws(Stuck) {
        if isReadingPolicy, isRunning, let policy { try world.write(policy: policy) }
        isReadingPolicy = false
    }

    private mutating func talk(_ action: Step.Action) throws(Stuck) {
        switch action {
        case .connect(let name, let uid):
            try begin()
            try connect(name, uid)
        case .endInput(let name):
            try world.endInput(name)
            try settle()
        case .hangUp(let name):
            try world.hangUp(name)
            connections.removeAll { $0 == name }
            try settle()
        case .expect(let name, let template):
            guard case .line(let line) = try world.next(name) else {
                throw Stuck("\(name) got nothing more, instead of: \(text(expected(template)))")
            }
            try match(line, template)
        case .expectClosed(let name):
            let arrival = try world.next(name)
            if case .line(let line) = arrival {
                throw Stuck("\(name) was to be closed, and got: \(text(line))")
            }
            guard arrival == .closed else { throw Stuck("\(name) was not closed") }
            connections.removeAll { $0 == name }
        default: preconditionFailure("the caller takes these")
        }
    }

    private mutating func handle(_ action: Step.DaemonAction) throws(Stuck) {
        switch action {
        case .start: try begin()
        case .stop:
            try world.stop()
            isRunning = false
            isPaused = false
        case .kill:
            try world.kill()
            connections.removeAll()
            isRunning = false
            isPaused = false
        case .reload: try world.hangUpSignal()
        case .pause:
            try begin()
            try world.pause()
            isPaused = true
        case .resume:
            try world.resume()
            isPaused = false
            try settle()
        }
    }

    private mutating func begin() throws(Stuck) {
        guard !isRunning else { return }
        try world.start(flags: flags, policy: policy)
        isRunning = true
    }

    private mutating func connect(_ name: String, _ uid: UInt32?) throws(Stuck) {
        let peer = try world.connect(name, uid: uid)
        values[name] = Array("\(peer.pid)".utf8)
        values[name + ".command"] = Array(peer.command.utf8)
        connections.append(name)
        try settle()
    }

    private mutating func queue(_ name: String, _ template: [UInt8]) throws(Stuck) {
        if outgoing?.name != name { try flush() }
        if !connections.contains(name) { try connect(name, nil) }
        outgoing = (name, (outgoing?.bytes ?? []) + expected(template))
    }

    private mutating func flush() throws(Stuck) {
        guard let (name, bytes) = outgoing else { return }
        outgoing = nil
        try world.send(name, bytes)
        try settle()
    }

    private func settle() throws(Stuck) {
        if isRunning, !isPaused { try world.settle() }
    }

    private func endStep() throws(Stuck) {
        guard isRunning, !isPaused else { return }
        try world.settle()
        for name in connections {
            let rest = try world.unread(name)
            guard rest.isEmpty else { throw Stuck("\(name) was also told: \(text(rest))") }
            guard try !world.isClosed(name) else { throw Stuck("\(name) was closed by the daemon") }
        }
    }
}

// Placeholders.
extension Runner {
    private func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// With every placeholder that is known.
    private func expected(_ template: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = template[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "$"), let name = placeholder(rest), let value = values[name] {
                bytes += value
                rest = rest.dropFirst(1 + name.utf8.count)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return bytes
    }

    /// The name behind a `$`: capitals and digits, and `.command`.
    private func placeholder(_ rest: ArraySlice<UInt8>) -> String? {
        let letters = rest.dropFirst().prefix { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        }
        guard !letters.isEmpty else { return nil }
        let suffix = rest.dropFirst(1 + letters.count).starts(with: ".command".utf8) ? ".command" : ""
        return String(decoding: letters, as: UTF8.self) + suffix
    }

    /// An unknown placeholder takes the digits that stand in its place.
    private mutating func match(_ line: [UInt8], _ template: [UInt8]) throws(Stuck) {
        let wanted = expected(template)
        var rest = line[...]
        var template = wanted[...]
        while let byte = template.first {
            if byte == UInt8(ascii: "$"), let name = placeholder(template) {
                let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                guard !digits.isEmpty else { break }
                values[name] = Array(digits)
                rest = rest.dropFirst(digits.count)
                template = template.dropFirst(1 + name.utf8.count)
            } else {
                guard rest.first == byte else { break }
                rest = rest.dropFirst()
                template = template.dropFirst()
            }
        }
        guard rest.isEmpty, template.isEmpty else {
            throw Stuck("expected: \(text(wanted))\n     but got: \(text(line))")
        }
    }

    private func compare(_ left: String, _ comparison: Step.Comparison, _ right: String) throws(Stuck) {
        guard let one = number(left), let other = number(right) else {
            throw Stuck("\(left) and \(right) are not both known numbers")
        }
        let holds = switch comparison {
        case .less: one < other
        case .greater: one > other
        case .equal: one == other
        }
        guard holds else { throw Stuck("\(one) \(comparison.rawValue) \(other) does not hold") }
    }

    private func number(_ word: String) -> UInt64? {
        UInt64(text(expected(Array(word.utf8))))
    }
}
