// What `Tests/FAULTS.md` says, held against the tests and transcripts that it names.

enum FaultsPage {
    /// Names that stand for nothing, and cases that are missing or twice there.
    static func faults(page: String, files: [SourceFile]) -> [String] {
        names(on: page).flatMap { nameFaults($0, files) } + numberFaults(page)
    }

    private static func names(on page: String) -> [Substring] {
        page.split(separator: "\n").filter { $0.hasPrefix("|") }.flatMap { row in
            row.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map(\.element)
        }
    }

    private static func nameFaults(_ name: Substring, _ files: [SourceFile]) -> [String] {
        if name.hasSuffix(".txt") {
            let path = "protocol/transcripts/\(name)"
            return files.contains { $0.path == path } ? [] : ["there is no transcript \(name)"]
        }
        let parts = name.split(separator: ".")
        guard parts.count == 2, parts[0].hasSuffix("Tests") else { return [] }
        let file = files.filter { $0.path.hasPrefix("Tests/") && $0.path.hasSuffix("/\(parts[0]).swift") }
        return file.contains { $0.text.contains("func \(parts[1])(") } ? [] : ["there is no test \(name)"]
    }

    private static func numberFaults(_ page: String) -> [String] {
        let numbers = page.split(separator: "\n").compactMap { row -> Int? in
            row.hasPrefix("| ") ? Int(row.dropFirst(2).prefix { $0.isNumber }) : nil
        }
        return numbers == Array(1...max(1, numbers.count)) ? [] : ["the cases are not 1, 2, 3 …"]
    }
}
