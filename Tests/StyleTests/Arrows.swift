// Which room may import what.

enum Arrows {
    /// What each room's Swift may import. The rooms of C have none.
    static let allowed: [String: Set<String>] = [
        "LeaseModel": [],
        "LeaseWire": ["LeaseModel"],
        "CChecksum": [],
        "LeaseLog": ["LeaseModel", "CChecksum"],
        "LeaseCore": ["LeaseModel"],
        "LeaseServer": ["LeaseModel", "LeaseWire", "LeaseLog", "LeaseCore"],
        "CLinux": [],
        "LeaseIO": ["CLinux", "Glibc"],
        "leased": ["LeaseModel", "LeaseServer", "LeaseIO", "LeaseLog", "Glibc"],
        "CLaunch": [],
        "lease": [
            "LeaseModel", "LeaseWire", "LeaseLog", "LeaseCore", "LeaseIO", "LeaseClient", "CLaunch", "Glibc",
        ],
        "LeaseClient": [
            "LeaseModel", "LeaseWire", "Glibc", "Darwin", "Synchronization", "Foundation",
            "FoundationEssentials",
        ],
        "Examples": ["PackageDescription", "LeaseClient", "LeaseTesting", "Testing"],
        "LeaseTesting": ["LeaseClient", "LeaseModel", "Glibc", "Darwin", "Synchronization", "Testing"],
    ]

    /// The rooms that the daemon is linked from.
    static let linked: Set<String> = Set(allowed.keys).subtracting(
        ["LeaseClient", "LeaseTesting", "Examples", "lease", "CLaunch"])

    static func modules(importedBy file: SourceFile) -> [String] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "func", "var", "let", "typealias", "protocol"]
        return CodeText(file.text).lines.flatMap { line in
            line.split(separator: ";").compactMap { statement -> String? in
                let words = statement.split(separator: " ")
                guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
                    words[..<place].allSatisfy(isAttributeOrAccess)
                else { return nil }
                let next = words[place + 1]
                let path = kinds.contains(next) && place + 2 < words.count ? words[place + 2] : next
                return path.split(separator: ".").first.map(String.init)
            }
        }
    }

    private static func isAttributeOrAccess(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }

    static func faults(_ file: SourceFile) -> [String] {
        guard file.isSwift, let room = file.room else { return [] }
        guard let allowed = allowed[room] else {
            return ["\(file.path): no arrows are known for the room \(room)"]
        }
        return modules(importedBy: file).filter { !allowed.contains($0) }
            .map { "\(file.path): \(room) may not import \($0)" }
    }

    static func foundationFaults(_ file: SourceFile) -> [String] {
        guard file.isSwift, let room = file.room, linked.contains(room) else { return [] }
        return modules(importedBy: file).filter { $0.hasPrefix("Foundation") || $0 == "Dispatch" }
            .map { "\(file.path): the daemon does without \($0)" }
    }
}
