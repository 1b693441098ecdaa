// The words of one request as they are read, in whatever order they came.

import LeaseModel

struct GivenWords: ~Copyable {
    private let verb: VerbTable.Accepted
    private var seen: WordSet = []

    private var firstKey: Key?
    private var otherKeys: [Key] = []
    private var prefix: KeyPrefix?
    private var token: Token?
    private var tag: [UInt8]?
    private var verbToExplain: Verb?

    private var owner: Text?
    private var requestID: Text?
    private var note: Text?
    private var ttl: Duration?
    private var wait = Duration(nanoseconds: 0)
    private var advance: Duration?
    private var priority = 0
    private var limit: Int?
    private var after: Token = 0
    private var whilePID: Int32?

    init(_ verb: VerbTable.Accepted) {
        self.verb = verb
    }

    mutating func take(_ word: Word, of line: Span<UInt8>) throws(Refusal) {
        switch word.look {
        case .option:
            try takeOption(word, of: line)
        case .key, .token:
            try takeArgument(line.extracting(word.range), look: word.look)
        case .other:
            if let flag = WordName.find(line, word.range), flag.isFlag, verb.words.contains(WordSet(flag)) {
                try markSeen(flag)
            } else {
                try takeArgument(line.extracting(word.range), look: .other)
            }
        }
    }

    /// The request that all the words make.
    consuming func assembled() throws(Refusal) -> Request {
        switch verb.verb {
        case .acquire: .acquire(try acquire())
        case .renew: .renew(try renew())
        case .release: .release(try present(token))
        case .cancel: .cancel(try present(tag))
        case .get: .get(try present(firstKey), limit: limit ?? 100)
        case .check: .check(try present(token))
        case .list: .list(list())
        case .policy: .policy(firstKey)
        case .whoami: .whoami
        case .ping: .ping
        case .help: .help(verbToExplain)
        case .quit: .quit
        case .evict: .evict(try present(token), note: note)
        case .compact: .compact
        case .clock: .clock(advance: advance)
        }
    }

    private consuming func acquire() throws(Refusal) -> AcquireRequest {
        AcquireRequest(
            keys: Keys(try present(firstKey), otherKeys), owner: owner, ttl: ttl, wait: wait,
            priority: priority, isShared: has(.shared), isEphemeral: has(.ephemeral), whilePID: whilePID,
            request: requestID, note: note)
    }

    private func renew() throws(Refusal) -> RenewRequest {
        RenewRequest(
            token: try present(token), ttl: ttl, isEphemeral: has(.ephemeral), whilePID: whilePID)
    }

    private func list() -> ListRequest {
        ListRequest(prefix: prefix ?? .all, waiting: has(.waiting), limit: limit ?? 1_000, after: after)
    }

    private func has(_ flag: WordName) -> Bool {
        seen.contains(WordSet(flag))
    }

    private func present<Value>(_ value: Value?) throws(Refusal) -> Value {
        guard let value else { throw .missing(verb.verb, what: verb.argument?.noun ?? "a word") }
        return value
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
        try setOption(name, line.extracting(word.value))
    }

    private mutating func setOption(_ name: WordName, _ value: Span<UInt8>) throws(Refusal) {
        switch name {
        case .owner: owner = try ValueReader.text(value, name)
        case .request: requestID = try ValueReader.text(value, name)
        case .note: note = try ValueReader.text(value, name, mayBeEmpty: true)
        case .ttl: ttl = try ValueReader.duration(value, name, atLeast: .milliseconds(1))
        case .wait: wait = try ValueReader.wait(value)
        case .advance: advance = try ValueReader.duration(value, name, atLeast: .milliseconds(1))
        case .priority:
            priority = try ValueReader.number(value, name, from: 0, to: UInt64(Limits.priorityMax))
        case .limit: limit = try ValueReader.number(value, name, from: 1, to: UInt64(Limits.listLimitMax))
        case .whilePID:
            whilePID = Int32(try ValueReader.number(value, name, from: 1, to: UInt64(Int32.max)))
        case .after: after = try ValueReader.token(value, name)
        case .shared, .ephemeral, .waiting: preconditionFailure("takeOption lets no flag through")
        }
    }

    /// The option or flag of this verb that was probably meant, in the form in which it is written.
    private func meant(by written: Span<UInt8>) -> String? {
        let names = VerbTable.entry(verb.verb).words.map(\.name)
        return Nearest.index(of: written, in: names.map(\.rawValue)).map { names[$0].form }
    }
}

// MARK: - Arguments

extension GivenWords {
    private mutating func takeArgument(_ word: Span<UInt8>, look: Word.Look) throws(Refusal) {
        switch verb.argument {
        case .keys: try takeKey(word, atMost: Limits.keysPerRequestMax)
        case .key: try takeKey(word, atMost: 1)
        case .prefix:
            guard prefix == nil else { throw unknownWord(word) }
            prefix = try readKey(word, KeyPrefix.read)
        case .token:
            guard token == nil else { throw unknownWord(word) }
            token = try readToken(word)
        case .tag:
            guard tag == nil else { throw unknownWord(word) }
            tag = try readTag(word)
        case .verb:
            guard verbToExplain == nil else { throw unknownWord(word) }
            verbToExplain = try readVerb(word)
        case nil:
            throw unknownWord(word)
        }
    }

    private mutating func takeKey(_ word: Span<UInt8>, atMost most: Int) throws(Refusal) {
        let count = firstKey == nil ? 0 : 1 + otherKeys.count
        guard count < most else { throw most == 1 ? unknownWord(word) : .tooManyKeys }
        let key = try readKey(word, Key.read)
        guard let firstKey else {
            self.firstKey = key
            return
        }
        guard key != firstKey, !otherKeys.contains(key) else { throw .givenTwice(key.bytes) }
        otherKeys.append(key)
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

    private func readToken(_ word: Span<UInt8>) throws(Refusal) -> Token {
        guard let token = ValueReader.number(word) else {
            throw meant(by: word) == nil ? .badToken(word.copied()) : unknownWord(word)
        }
        return token
    }

    /// The tag may be written as it stood in front of its request, or without the `#`.
    private func readTag(_ word: Span<UInt8>) throws(Refusal) -> [UInt8] {
        let tag = word[0] == ASCII.hash ? word.extracting(1...) : word
        guard RequestReader.isTag(tag, 0..<tag.count) else { throw .badTag }
        return tag.copied()
    }

    private func readVerb(_ word: Span<UInt8>) throws(Refusal) -> Verb {
        guard let found = VerbTable.find(word, 0..<word.count) else {
            throw RequestReader.unknownVerb(word)
        }
        return found.verb
    }

    private func unknownWord(_ word: Span<UInt8>) -> Refusal {
        .unknownWord(word.copied(), verb.verb, meant: meant(by: word))
    }
}
