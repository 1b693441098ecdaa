// The verbs with their words: what the reader accepts and suggests, and what `help` prints.

import LeaseModel

/// The word that stands behind a verb without a name of its own.
enum Argument {
    /// One key or several.
    case keys
    case key
    case prefix
    /// One prefix or several.
    case prefixes
    case token
    case tag
    case verb

    var placeholder: String {
        switch self {
        case .keys: "KEY..."
        case .key: "KEY"
        case .prefix: "PREFIX"
        case .prefixes: "PREFIX..."
        case .token: "TOKEN"
        case .tag: "TAG"
        case .verb: "VERB"
        }
    }

    /// What is missing where it is not there.
    var noun: String {
        switch self {
        case .keys, .key: "a key"
        case .prefix, .prefixes: "a prefix"
        case .token: "a token"
        case .tag: "a tag"
        case .verb: "a verb"
        }
    }
}

/// One verb with its words.
struct VerbEntry {
    struct ArgumentWord {
        let argument: Argument
        let isRequired: Bool
        let explanation: String
    }

    struct NamedWord {
        let name: WordName
        /// The value as `help` shows it; empty for a flag.
        let value: String
        let explanation: String
        /// It stands only beside the one before it.
        var isWithinTheOneBefore = false

        var usage: String { "[\(name.form)\(value)]" }
    }

    let verb: Verb
    let summary: String
    let argument: ArgumentWord?
    let words: [NamedWord]
    let example: String

    init(
        _ verb: Verb, _ summary: String, _ argument: ArgumentWord? = nil, _ words: [NamedWord] = [],
        example: String
    ) {
        self.verb = verb
        self.summary = summary
        self.argument = argument
        self.words = words
        self.example = example
    }

    /// As in `get KEY [limit=100]` or `release TOKEN [result=VALUE [keep=5m]]`.
    var usage: String {
        var parts = [verb.rawValue]
        if let argument {
            let placeholder = argument.argument.placeholder
            parts.append(argument.isRequired ? placeholder : "[\(placeholder)]")
        }
        for word in words {
            if word.isWithinTheOneBefore { parts[parts.count - 1].removeLast() }
            parts.append(word.usage + (word.isWithinTheOneBefore ? "]" : ""))
        }
        return parts.joined(separator: " ")
    }
}

enum VerbTable {
    /// What the reader needs to know of a verb, without strings and arrays.
    struct Accepted {
        let verb: Verb
        let argument: Argument?
        let argumentIsRequired: Bool
        let words: WordSet
    }

    /// As `entries` stand.
    private static let allAccepted = InlineArray<22, Accepted> { index in
        let entry = entries[index]
        return Accepted(
            verb: entry.verb, argument: entry.argument?.argument,
            argumentIsRequired: entry.argument?.isRequired ?? false,
            words: entry.words.reduce(into: []) { $0.insert(WordSet($1.name)) })
    }

    static func accepted(_ verb: Verb) -> Accepted {
        for index in allAccepted.indices where allAccepted[index].verb == verb { return allAccepted[index] }
        preconditionFailure("every verb has an entry in this table")
    }

    /// The verb in `range`, in any case of its letters, or nil.
    static func find(_ line: Span<UInt8>, _ range: Range<Int>) -> Verb? {
        guard let name = PackedName.read(line, range, inLowerCase: true) else { return nil }
        // (Written out: a table is looked for, and copied, for each line.)
        return switch name {
        case "acquire": .acquire
        case "renew": .renew
        case "release": .release
        case "cancel": .cancel
        case "get": .get
        case "check": .check
        case "list": .list
        case "watch": .watch
        case "unwatch": .unwatch
        case "history": .history
        case "forget": .forget
        case "stats": .stats
        case "policy": .policy
        case "whoami": .whoami
        case "ping": .ping
        case "help": .help
        case "quit": .quit
        case "evict": .evict
        case "compact": .compact
        case "reload": .reload
        case "drain": .drain
        case "clock": .clock
        default: nil
        }
    }

    /// What other tools call a verb of ours: `lock` is no mistyped `clock`.
    static func findElsewhere(_ word: Span<UInt8>) -> Verb? {
        guard let name = PackedName.read(word, 0..<word.count, inLowerCase: true) else { return nil }
        return switch name {
        case "lock": .acquire
        case "unlock": .release
        case "exit": .quit
        default: nil
        }
    }

    static func entry(_ verb: Verb) -> VerbEntry {
        for entry in entries where entry.verb == verb {
            return entry
        }
        preconditionFailure("every verb has an entry in this table")
    }

    static let entries: [VerbEntry] = [
        acquire, renew, release, cancel, get, check, list, watch, unwatch, history, forget,
        stats, policy, whoami, ping, help, quit, evict, compact, reload, drain, clock,
    ]

    private static func required(_ argument: Argument, _ explanation: String) -> VerbEntry.ArgumentWord {
        VerbEntry.ArgumentWord(argument: argument, isRequired: true, explanation: explanation)
    }

    private static func optional(_ argument: Argument, _ explanation: String) -> VerbEntry.ArgumentWord {
        VerbEntry.ArgumentWord(argument: argument, isRequired: false, explanation: explanation)
    }

    private static func word(
        _ name: WordName, _ value: String, _ explanation: String
    ) -> VerbEntry.NamedWord {
        VerbEntry.NamedWord(name: name, value: value, explanation: explanation)
    }

    private static func flag(_ name: WordName, _ explanation: String) -> VerbEntry.NamedWord {
        VerbEntry.NamedWord(name: name, value: "", explanation: explanation)
    }

    private static let acquire = VerbEntry(
        .acquire, "take a lease of all these keys, or of none",
        required(.keys, "1 to 16 different keys, as in user/42; one lease covers them all"),
        [
            word(.owner, "TEXT", "who holds it, in your words; by default your command and pid"),
            word(.ttl, "30s", "how long it lasts unless renewed; by default what the policy says"),
            word(.wait, "0s", "how long to stand in line; 0s answers at once, forever has no end"),
            word(.priority, "0", "0 to 9: each step counts as having come 10 s earlier"),
            flag(.shared, "any number of shared leases stand together, none beside an exclusive one"),
            flag(.join, "when the key is held, wait for the holder's result instead of the key"),
            flag(.ephemeral, "it also ends when this connection closes"),
            word(.whilePID, "PID", "it also ends when this process ends"),
            flag(.notify, "tell this connection of the way up the line and of the lease's end"),
            word(.request, "ID", "makes it safe to send again: the same ID gets the same lease"),
            word(.note, "TEXT", "shown to whoever asks about the key"),
        ],
        example: "acquire user/42 owner=tab-A ttl=30s wait=10s")

    private static let renew = VerbEntry(
        .renew, "set the deadline of a lease to now plus its ttl",
        required(.token, "the lease's number, from the answer to acquire"),
        [
            word(.ttl, "...", "another ttl, which is the lease's own from then on"),
            flag(.ephemeral, "the lease ends when this connection closes"),
            word(.whilePID, "PID", "the lease ends when this process ends"),
        ],
        example: "renew 17 ttl=1m")

    private static let release = VerbEntry(
        .release, "end a lease",
        required(.token, "the lease's number, from the answer to acquire"),
        [
            word(.result, "VALUE", "what the work came to: the answer to all who joined"),
            VerbEntry.NamedWord(
                name: .keep, value: "5m", explanation: "how long the result answers later joins as well",
                isWithinTheOneBefore: true),
        ],
        example: "release 17")

    private static let cancel = VerbEntry(
        .cancel, "withdraw a waiting request of this connection",
        required(.tag, "the tag that the request was sent with"),
        example: "cancel #a1")

    private static let get = VerbEntry(
        .get, "show who holds a key, who waits for it and which rules hold",
        required(.key, "as in user/42"),
        [word(.limit, "100", "the most lines to print")],
        example: "get user/42")

    private static let check = VerbEntry(
        .check, "tell whether a lease is alive",
        required(.token, "the lease's number, from the answer to acquire"),
        example: "check 17")

    private static let list = VerbEntry(
        .list, "show the leases, by token",
        optional(.prefix, "only what is below it: species/31 or species/"),
        [
            flag(.waiting, "show who waits, in the order of the line, instead of the leases"),
            word(.limit, "1000", "the most lines to print"),
            word(.after, "TOKEN", "only leases with a greater token, to go on where more=yes was said"),
        ],
        example: "list species/ limit=20")

    private static let watch = VerbEntry(
        .watch, "show what there is, then what happens, as events on this connection",
        optional(.prefixes, "only what is below one of these: species/31 or species/"),
        [word(.since, "SEQ", "what happened after this number, instead of what there is")],
        example: "watch species/ since=104")

    private static let unwatch = VerbEntry(
        .unwatch, "end the watch of this connection", example: "unwatch")

    private static let history = VerbEntry(
        .history, "show what happened lately",
        optional(.prefix, "only what is below it: species/31 or species/"),
        [word(.last, "20", "how many events")],
        example: "history user/42 last=5")

    private static let forget = VerbEntry(
        .forget, "drop the kept result of a key",
        required(.key, "as in species/31/video"),
        example: "forget species/31/video")

    private static let stats = VerbEntry(
        .stats, "show what was counted since the start", example: "stats")

    private static let policy = VerbEntry(
        .policy, "show the policy, or which of its lines gave a key its rules",
        optional(.key, "as in user/42"),
        example: "policy user/42")

    private static let whoami = VerbEntry(
        .whoami, "show who you are to the daemon", example: "whoami")

    private static let ping = VerbEntry(
        .ping, "answer OK", example: "ping")

    private static let help = VerbEntry(
        .help, "list the verbs, or explain one",
        optional(.verb, "the verb to explain"),
        example: "help acquire")

    private static let quit = VerbEntry(
        .quit, "withdraw what waits, end what is bound to this connection, close it", example: "quit")

    private static let evict = VerbEntry(
        .evict, "end a lease of anybody (administrators only)",
        required(.token, "the lease's number, as list shows it"),
        [word(.note, "TEXT", "why, for the record")],
        example: "evict 17 note=stuck")

    private static let compact = VerbEntry(
        .compact, "write the log anew with only what is alive (administrators only)", example: "compact")

    private static let reload = VerbEntry(
        .reload, "read the policy again; a bad one changes nothing (administrators only)", example: "reload")

    private static let drain = VerbEntry(
        .drain, "grant nothing more until the daemon is started anew (administrators only)", example: "drain")

    private static let clock = VerbEntry(
        .clock, "tell the daemon's time, or move a manual clock (administrators only)",
        nil,
        [word(.advance, "10m", "how far to move the clock; every deadline on the way fires in order")],
        example: "clock advance=10m")
}
