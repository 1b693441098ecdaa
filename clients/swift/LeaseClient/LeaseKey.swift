// What a program leases: a kind and its parts.

internal import LeaseModel

/// The name of something that can be leased, as in `user/42` or `species/31/video`.
///
/// Make one from its parts, which may hold any text, or write it as the daemon prints it:
///
///     let typed: LeaseKey = .species("31", .video)
///     let other = LeaseKey(kind: "report", "2024", "Q3 draft")     // report/2024/Q3%20draft
///     let spelled: LeaseKey = "user/42"
///
/// Which kinds there are, and how many parts each has, is up to the daemon's policy: a key that it does not
/// know throws ``LeaseError/invalid(_:)`` when it is used. So does a spelling that is no key at all.
public struct LeaseKey: Hashable, Sendable {
    /// As the daemon prints it: everything but letters, digits and `._:@+-` is percent-encoded. Where it is
    /// no key, as it was written.
    public let description: String
    let problem: LeaseError.Invalid?

    /// A key of any kind, by its parts. Each part may hold any text, but not be empty.
    public init(kind: String, _ parts: String...) {
        let words = [kind] + parts
        do throws(KeyError) {
            self.init(try Key.spelling(words.map { $0.utf8 }))
        } catch {
            self.init(words.joined(separator: "/"), error)
        }
    }

    /// A key as it is written, percent-encoded where that is needed: `user/42`.
    public init(_ spelled: String) {
        do throws(KeyError) {
            self.init(try Key.read(Array(spelled.utf8).span))
        } catch {
            self.init(spelled, error)
        }
    }

    init(_ key: Key) {
        description = key.string
        problem = nil
    }

    private init(_ written: String, _ error: KeyError) {
        description = written
        problem = LeaseError.Invalid(.badKey(Array(written.utf8), error))
    }

    /// Throws `.invalid` where this is no key.
    func read() throws(LeaseError) -> Key {
        if let problem { throw .invalid(problem) }
        return Key(printed: Array(description.utf8))
    }
}

extension LeaseKey: CustomStringConvertible, ExpressibleByStringLiteral {
    /// A key as it is written, as in `"user/42"`.
    public init(stringLiteral spelled: String) {
        self.init(spelled)
    }
}

extension LeaseKey {
    /// What is generated for a species.
    public enum Medium: String, Sendable, CaseIterable {
        case image, video
    }

    /// `user/ID`.
    public static func user(_ id: some LosslessStringConvertible) -> LeaseKey {
        LeaseKey(kind: "user", id.description)
    }

    /// `conversation/ID`.
    public static func conversation(_ id: some LosslessStringConvertible) -> LeaseKey {
        LeaseKey(kind: "conversation", id.description)
    }

    /// `species/ID/image` or `species/ID/video`.
    public static func species(_ id: some LosslessStringConvertible, _ medium: Medium) -> LeaseKey {
        LeaseKey(kind: "species", id.description, medium.rawValue)
    }
}
