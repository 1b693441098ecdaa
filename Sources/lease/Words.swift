// Keys, tokens and texts of the command line, as values; each refusal says what to write instead.

import LeaseModel

enum Words {
    static func keys(_ words: [String]) throws(Complaint) -> Keys {
        var keys: [Key] = []
        for word in words {
            let key = try key(word)
            guard !keys.contains(key) else {
                throw Complaint(.usage, "\(key.string) is given twice; leave one of them out")
            }
            keys.append(key)
        }
        guard let first = keys.first else { throw Complaint(.usage, "a key is missing") }
        return Keys(first, Array(keys.dropFirst()))
    }

    static func key(_ word: String) throws(Complaint) -> Key {
        do throws(KeyError) {
            return try Key.read(Array(word.utf8).span)
        } catch {
            throw complaint(error, word)
        }
    }

    static func prefix(_ word: String?) throws(Complaint) -> KeyPrefix {
        guard let word else { return .all }
        do throws(KeyError) {
            return try KeyPrefix.read(Array(word.utf8).span)
        } catch {
            if error == .noParts, !word.isEmpty, let prefix = try? KeyPrefix.read(Array("\(word)/".utf8).span)
            {
                return prefix
            }
            throw complaint(error, word)
        }
    }

    static func token(_ word: String) throws(Complaint) -> Token {
        guard word.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let token = Token(word)
        else { throw Complaint(.usage, "\(quoted(word)) is no token, which is a number as in 17") }
        return token
    }

    /// As it was written: a `%` is a `%`.
    static func text(_ word: String?, _ flag: String, mayBeEmpty: Bool = false) throws(Complaint) -> Text? {
        guard let word else { return nil }
        let text = Text(word)
        guard mayBeEmpty || !word.isEmpty else {
            throw Complaint(.usage, "\(flag) wants some text; leave it out if you have none")
        }
        guard text.bytes.count <= Limits.textBytesMax else {
            throw Complaint(
                .usage,
                "\(flag) takes at most \(Limits.textBytesMax) bytes, where all but printable ASCII counts 3")
        }
        return text
    }

    private static func complaint(_ error: KeyError, _ word: String) -> Complaint {
        let reason =
            switch error {
            case .noParts: "a key is a kind and its parts, as in user/42"
            case .emptyPart: "no part of a key is empty"
            case .mustBeEncoded(let byte):
                "write \(Text(encoding: [byte, 0]).string.prefix(3)) for the byte that a key can't hold"
            case .badPercent: "two hex digits stand behind each %"
            case .tooLong(let bytes): "it has \(bytes) bytes, and \(Limits.keyBytesMax) is the most"
            }
        return Complaint(.usage, "\(quoted(word)) is no key: \(reason)")
    }
}
