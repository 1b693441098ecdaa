// The words of one request as they are read, in whatever order they came.

import LeaseModel

/// Keys and texts are kept as places in the line until all words are known: so nothing counts references,
/// which would cost more than the reading.
struct GivenWords: ~Copyable {
    private let inPlace = InPlace()
    private let verb: VerbTable.Accepted
    private var seen: WordSet = []

    /// The first word without a name: a key, a prefix, a token, a tag or a verb.
    private var argument: Range<Int>?
    /// `acquire` and `watch` may have more of them.
    private var otherArguments: [Range<Int>] = []

    private var owner: Range<Int>?
    private var requestID: Range<Int>?
    private var note: Range<Int>?
    private var result: Range<Int>?
    private var ttl: Duration?
    private var keep: Duration?
    private var wait = Duration(nanoseconds: 0)
    private var advance: Duration?
    private var priority = 0
    private var limit: Int?
    private var after: Token = 0
    private var since: Sequence64?
    private var last: Int?
    private var whilePID: Int32?

    init(_ verb: VerbTable.Accepted) {
        self.verb = verb
    }

    mutating func take(_ word: Word, of line: Span<UInt8>) throws(Refusal) {
        switch word.look {
        case .option:
            try takeOption(word, of: line)
        case .key, .token:
            try takeArgument(word.range, of: line)
        case .other:
            if let flag = WordName.find(line, word.range), flag.isFlag, verb.words.contains(WordSet(flag)) {
                try markSeen(flag)
            } else {
                try takeArgument(word.range, of: line)
            }
        }
    }

    /// The request that all the words make.
    func assembled(from line: Span<UInt8>, _ names: inout RecentNames) throws(Refusal) -> Request {
        if argument == nil, verb.argumentIsRequired {
            throw .missing(verb.verb, what: verb.argument?.noun ?? "a word")
        }
        return switch verb.verb {
        case .acquire: .acquire(try acquire(line, &names))
        case .renew:
            .renew(
                RenewRequest(
                    token: try token(line), ttl: ttl, isEphemeral: has(.ephemeral), whilePID: whilePID))
        case .release: .release(try release(line))
        case .cancel: .cancel(try tag(line))
        case .get: .get(try key(line, required), limit: limit ?? 100)
        case .check: .check(try token(line))
        case .list: .list(try list(line))
        case .watch: .watch(try prefixes(line), since: since)
        case .unwatch: .unwatch
        case .history: .history(try prefix(line), last: last ?? 20)
        case .forget: .forget(try key(line, required))
        case .stats: .stats
        case .policy: .policy(argument == nil ? nil : try key(line, required))
        case .whoami: .whoami
        case .ping: .ping
        case .help: .help(argument == nil ? nil : try verbToExplain(line))
        case .quit: .quit
        case .evict: .evict(try token(line), note: try text(line, note, .note, mayBeEmpty: true))
        case .compact: .compact
        case .reload: .reload
        case .drain: .drain
        case .clock: .clock(advance: advance)
        }
    }

    private func acquire(
        _ line: Span<UInt8>, _ names: inout RecentNames
    ) throws(Refusal) -> AcquireRequest {
        let keys = try keys(line, &names)
        let terms = Terms(
            owner: try ownerText(line, &names), ttl: ttl, wait: wait, priority: priority,
            isShared: has(.shared), joins: has(.join), isEphemeral: has(.ephemeral),
            notifies: has(.notify), whilePID: whilePID, request: try text(line, requestID, .request),
            note: try text(line, note, .note, mayBeEmpty: true))
        return AcquireRequest(keys: keys, on: SharedTerms(terms))
    }

    private func list(_ line: Span<UInt8>) throws(Refusal) -> ListRequest {
        ListRequest(
            prefix: try prefix(line), waiting: has(.waiting), limit: limit ?? 1_000, after: after)
    }

    private func prefix(_ line: Span<UInt8>) throws(Refusal) -> KeyPrefix {
        guard let argument else { return .all }
        return try readKey(line.extracting(argument), KeyPrefix.read)
    }

    private func prefixes(_ line: Span<UInt8>) throws(Refusal) -> [KeyPrefix] {
        guard argument != nil else { return [] }
        var prefixes = [try prefix(line)]
        for range in otherArguments {
            let next = try readKey(line.extracting(range), KeyPrefix.read)
            guard !prefixes.contains(next) else { throw .givenTwice(next.bytes) }
            prefixes.append(next)
        }
        return prefixes
    }

    private func release(_ line: Span<UInt8>) throws(Refusal) -> ReleaseRequest {
        let result = try text(line, result, .result, mayBeEmpty: true)
        // Nothing would be kept, and whoever wrote it believes that something is.
        guard result != nil || keep == nil else { throw .missing(.release, what: "result= for keep=") }
        return ReleaseRequest(token: try token(line), result: result, keep: keep)
    }

    private func has(_ flag: WordName) -> Bool {
        seen.contains(WordSet(flag))
    }

    /// The argument of a verb that can't do without.
    private var required: Range<Int> { argument ?? 0..<0 }

    private func text(
        _ line: Span<UInt8>, _ range: Range<Int>?, _ name: WordName, mayBeEmpty: Bool = false
    ) throws(Refusal) -> Text? {
        guard let range else { return nil }
        return try ValueReader.text(line.extracting(range), name, mayBeEmpty: mayBeEmpty)
    }

    private func ownerText(_ line: Span<UInt8>, _ names: inout RecentNames) throws(Refusal) -> Text? {
        guard let owner else { return nil }
        if let recent = names.owner(line, owner) { return recent }
        let word = line.extracting(owner)
        let text = try ValueReader.text(word, .owner)
        names.noteOwner(text, writtenAs: word)
        return text
    }

    private mutating func markSeen(_ name: WordName) throws(Refusal) {
        guard seen.insert(WordSet(name)).inserted else { throw .givenTwice(Array(name.form.utf8)) }
    }
}

// MARK: - Options

extension GivenWords {
    private mutating func takeOption(_ word: Word, of line: Span<UInt8>) throws(Refusal) {
        guard let name = WordName.find(line, word.name), !name.isFlag, verb.words.contains(WordSet(name))
        else {
            let written = line.extracting(word.name)
            throw .unknownOption(written.copied(), verb.verb, meant: meant(by: written))
        }
        try markSeen(name)
        try setOption(name, word.value, of: line)
    }

    private mutating func setOption(
        _ name: WordName, _ range: Range<Int>, of line: Span<UInt8>
    ) throws(Refusal) {
        let value = line.extracting(range)
        switch name {
        case .owner: owner = range
        case .request: requestID = range
        case .note: note = range
        case .result: result = range
        case .ttl: ttl = try ValueReader.duration(value, name, atLeast: .milliseconds(1))
        case .keep: keep = try ValueReader.duration(value, name, atLeast: .milliseconds(1))
        case .wait: wait = try ValueReader.wait(value)
        case .advance: advance = try ValueReader.duration(value, name, atLeast: .milliseconds(1))
        case .priority:
            priority = try ValueReader.number(value, name, from: 0, to: UInt64(Limits.priorityMax))
        case .limit: limit = try ValueReader.number(value, name, from: 1, to: UInt64(Limits.listLimitMax))
        case .whilePID:
            whilePID = Int32(try ValueReader.number(value, name, from: 1, to: UInt64(Int32.max)))
        case .after: after = try ValueReader.token(value, name)
        case .since: since = try ValueReader.sequence(value, name)
        case .last: last = try ValueReader.number(value, name, from: 1, to: UInt64(Limits.listLimitMax))
        case .shared, .join, .ephemeral, .notify, .waiting:
            preconditionFailure("takeOption lets no flag through")
        }
    }

    /// The option or flag of this verb that was probably meant, in the form in which it is written.
    private func meant(by written: Span<UInt8>) -> String? {
        let names = VerbTable.entry(verb.verb).words.map(\.name)
        let meant = Suggestion.nearest(
            to: written.copied(), among: names.map { Array($0.rawValue.utf8) }, completing: true)
        return names.first { meant?.elementsEqual($0.rawValue.utf8) == true }?.form
    }
}

// MARK: - Arguments

extension GivenWords {
    private mutating func takeArgument(_ range: Range<Int>, of line: Span<UInt8>) throws(Refusal) {
        guard verb.argument != nil else { throw unknownWord(line.extracting(range)) }
        if argument == nil {
            argument = range
            return
        }
        guard verb.argument == .keys || verb.argument == .prefixes else {
            throw unknownWord(line.extracting(range))
        }
        guard otherArguments.count + 1 < Limits.keysPerRequestMax else {
            throw verb.argument == .keys ? .tooManyKeys : .tooManyPrefixes
        }
        otherArguments.append(range)
    }

    private func keys(_ line: Span<UInt8>, _ names: inout RecentNames) throws(Refusal) -> Keys {
        let first = try key(line, required, &names)
        var others: [Key] = []
        for range in otherArguments {
            let next = try key(line, range, &names)
            // Only now, in their one spelling, can they be told apart.
            guard next != first, !others.contains(next) else { throw .givenTwice(next.bytes) }
            others.append(next)
        }
        return Keys(first, others)
    }

    private func key(
        _ line: Span<UInt8>, _ range: Range<Int>, _ names: inout RecentNames
    ) throws(Refusal) -> Key {
        if let recent = names.key(line, range) { return recent }
        let key = try key(line, range)
        names.noteKey(key, writtenAs: line.extracting(range))
        return key
    }

    private func key(_ line: Span<UInt8>, _ range: Range<Int>) throws(Refusal) -> Key {
        try readKey(line.extracting(range), Key.read)
    }

    private func readKey<Value>(
        _ word: Span<UInt8>, _ read: (Span<UInt8>) throws(KeyError) -> Value
    ) throws(Refusal) -> Value {
        do throws(KeyError) {
            return try read(word)
        } catch .noParts {
            // Perhaps a flag that was mistyped.
            throw meant(by: word) == nil ? .badKey(word.copied(), .noParts) : unknownWord(word)
        } catch {
            throw .badKey(word.copied(), error)
        }
    }

    private func token(_ line: Span<UInt8>) throws(Refusal) -> Token {
        let word = line.extracting(required)
        guard let token = ValueReader.number(word) else {
            throw meant(by: word) == nil ? .badToken(word.copied()) : unknownWord(word)
        }
        return token
    }

    /// The tag may be written as it stood in front of its request, or without the `#`.
    private func tag(_ line: Span<UInt8>) throws(Refusal) -> [UInt8] {
        let word = line.extracting(required)
        let tag = word[0] == ASCII.hash ? word.extracting(1...) : word
        guard RequestReader.isTag(tag, 0..<tag.count) else { throw .badTag }
        return tag.copied()
    }

    private func verbToExplain(_ line: Span<UInt8>) throws(Refusal) -> Verb {
        guard let found = VerbTable.find(line, required) else {
            throw RequestReader.unknownVerb(line.extracting(required))
        }
        return found
    }

    private func unknownWord(_ word: Span<UInt8>) -> Refusal {
        .unknownWord(word.copied(), verb.verb, meant: meant(by: word))
    }
}
