// From the words of a command line to what is asked for, by the tables.

import LeaseModel

struct CommandLineReader {
    private var call = Invocation()
    private var entry: VerbEntry?
    private var given: Set<String> = []
    private var rest: ArraySlice<String>

    /// Reads the arguments behind the program's name. Where `--help` or `--version` stands among them, what
    /// is missing or too much is left aside.
    static func read(_ arguments: [String]) throws(Complaint) -> Invocation {
        var reader = CommandLineReader(rest: arguments[...])
        try reader.readAll()
        return reader.call
    }

    private init(rest: ArraySlice<String>) { self.rest = rest }

    private mutating func readAll() throws(Complaint) {
        while let word = rest.popFirst() {
            if word == "--" {
                call.command = Array(rest)
                rest = []
            } else if word.utf8.starts(with: "--".utf8) {
                try readLong(word)
            } else if word.utf8.count > 1, word.utf8.first == UInt8(ascii: "-") {
                try readLetters(word)
            } else if entry == nil {
                try readVerb(word)
            } else {
                call.words.append(word)
            }
        }
        if call.wantsHelp || call.wantsVersion { return }
        try requireWhatItTakes()
    }

    private mutating func readVerb(_ word: String) throws(Complaint) {
        if word == VerbName.help.rawValue {
            call.wantsHelp = true
            if let next = rest.popFirst() { try readVerb(next) }
            rest = []
            return
        }
        guard let verb = VerbName(rawValue: word), let entry = VerbTable.entry(verb) else {
            let names = VerbTable.all.map(\.verb.rawValue)
            throw Complaint(
                .usage, "lease has no verb \(quoted(word))\(question(word, names, otherwise: "lease --help"))"
            )
        }
        call.verb = verb
        self.entry = entry
    }
}

// MARK: options

extension CommandLineReader {
    private var options: [OptionEntry] { OptionTable.general + (entry?.options ?? []) }

    private mutating func readLong(_ word: String) throws(Complaint) {
        let flag = String(word.unicodeScalars.prefix { $0 != "=" })
        let attached = word.unicodeScalars.firstIndex(of: "=").map {
            String(word.unicodeScalars[$0...].dropFirst())
        }
        guard let option = options.first(where: { $0.flag == flag }) else { throw unknown(flag) }
        guard let form = option.form else {
            guard attached == nil else {
                throw Complaint(.usage, "\(flag) takes no value; write it without one")
            }
            return try set(option, "", written: flag)
        }
        if let attached { return try set(option, attached, written: flag) }
        try set(option, nextValue("\(flag)=\(form)", flag), written: flag)
    }

    /// `-n`, `-w30s`, `-w 30s`, and several in a word.
    private mutating func readLetters(_ word: String) throws(Complaint) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            let flag = "-\(letter)"
            guard let option = options.first(where: { $0.letter == letter }) else {
                let whole = word.utf8.count == 2 ? flag : word
                throw unknown(whole)
            }
            guard let form = option.form else {
                try set(option, "", written: flag)
                continue
            }
            let attached = letters.first == "=" ? letters.dropFirst() : letters
            letters = ""
            let value = try attached.isEmpty ? nextValue("\(flag) \(form)", flag) : String(attached)
            try set(option, value, written: flag)
        }
    }

    private mutating func set(_ option: OptionEntry, _ value: String, written: String) throws(Complaint) {
        guard given.insert(option.name).inserted else {
            throw Complaint(.usage, "\(written) is given twice; leave one of them out")
        }
        try option.set(&call, to: value, written: written)
    }

    /// An option that follows is an option, not a value that somebody left out.
    private mutating func nextValue(_ usage: String, _ flag: String) throws(Complaint) -> String {
        guard let next = rest.first, next != "--", !next.utf8.starts(with: "--".utf8) else {
            throw Complaint(.usage, "\(flag) needs a value: \(usage)")
        }
        rest.removeFirst()
        return next
    }

    private func unknown(_ flag: String) -> Complaint {
        let name = entry.map { "lease \($0.verb.rawValue)" } ?? "lease"
        let others = VerbTable.all.filter { other in
            other.options.contains { $0.flag == flag || $0.letter.map { "-\($0)" } == flag }
        }
        if entry == nil, let other = others.first {
            return Complaint(
                .usage, "\(flag) stands behind its verb, as in lease \(other.verb.rawValue) ... \(flag)")
        }
        let flags = options.map(\.flag)
        return Complaint(
            .usage,
            "\(name) has no option \(quoted(flag))\(question(flag, flags, otherwise: name + " --help"))")
    }

    private func question(_ word: String, _ known: [String], otherwise: String) -> String {
        let nearest = Suggestion.nearest(
            to: Array(word.utf8), among: known.map { Array($0.utf8) }, completing: true)
        guard let nearest else { return "; \(otherwise) shows what there is" }
        return "; did you mean \(String(decoding: nearest, as: UTF8.self))?"
    }
}

// MARK: words

extension CommandLineReader {
    private mutating func requireWhatItTakes() throws(Complaint) {
        guard let entry else {
            throw Complaint(.usage, "what is to be done? lease --help shows what there is")
        }
        try takeVerify()
        try requireCommand(entry)
        guard entry.words.contains(call.words.count) else {
            let isTooMany = call.words.count > entry.words.upperBound
            let surplus = isTooMany ? call.words[entry.words.upperBound] : ""
            let what = isTooMany ? "\(quoted(surplus)) has no place there" : "\(entry.form) is missing"
            throw Complaint(.usage, "\(what): \(entry.usage)")
        }
        if call.isWithoutWait, call.wait != nil {
            throw Complaint(.usage, "-n does not wait, and -w waits; leave out one of them")
        }
    }

    private mutating func takeVerify() throws(Complaint) {
        guard call.verb == .log else { return }
        guard call.words.first == "verify" else {
            throw Complaint(.usage, "lease log can only verify: lease log verify FILE")
        }
        call.words.removeFirst()
    }

    private mutating func requireCommand(_ entry: VerbEntry) throws(Complaint) {
        guard entry.hasCommand else {
            if call.command != nil {
                // Behind `--` stand words that might look like options.
                call.words += call.command ?? []
                call.command = nil
            }
            return
        }
        guard let command = call.command else {
            let first = call.words.firstIndex { !$0.utf8.contains(UInt8(ascii: "/")) } ?? call.words.count
            let keys = (["lease", entry.verb.rawValue] + call.words[..<first]).joined(separator: " ")
            let command =
                first < call.words.count ? call.words[first...].joined(separator: " ") : "COMMAND..."
            throw Complaint(.usage, "the command stands behind --; did you mean \(keys) -- \(command)?")
        }
        guard let program = command.first, !program.isEmpty else {
            throw Complaint(.usage, "behind -- stands nothing: \(entry.usage)")
        }
    }
}
