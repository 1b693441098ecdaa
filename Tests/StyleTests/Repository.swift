// The files of the repository, as they lie beside this one.

import Foundation

/// A text of the repository. `path` begins at its root, without a slash.
struct SourceFile {
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }

    /// `LeaseCore` for a file of that room; nil outside of `Sources` and `clients/swift`.
    var room: String? {
        for place in ["Sources/", "clients/swift/"] where path.hasPrefix(place) {
            let parts = path.dropFirst(place.count).split(separator: "/")
            return parts.count > 1 ? String(parts[0]) : nil
        }
        return nil
    }

    func isBelow(_ directories: [String]) -> Bool {
        directories.contains { path.hasPrefix($0 + "/") }
    }
}

enum Repository {
    /// What git does not keep: its own files, and what is built.
    static func isIgnored(topLevel name: String) -> Bool {
        name == ".git" || name == ".build" || name.hasPrefix(".build-") || name == ".swiftpm"
            || name == "Package.resolved"
    }

    /// The directory that holds `Package.swift`.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every file that is text, by path.
    static let files: [SourceFile] = {
        var found: [SourceFile] = []
        for name in topLevel.sorted() {
            for path in paths(below: name).sorted() {
                let url = root.appendingPathComponent(path)
                if let text = try? String(contentsOf: url, encoding: .utf8) {
                    found.append(SourceFile(path: path, text: text))
                }
            }
        }
        precondition(found.contains { $0.path == "Package.swift" }, "the root is where Package.swift is")
        return found
    }()

    static let topLevel: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.filter { !isIgnored(topLevel: $0) }
    }()

    static func file(_ path: String) -> SourceFile? {
        files.first { $0.path == path }
    }

    /// The name itself, where it is a file.
    private static func paths(below name: String) -> [String] {
        var isDirectory: ObjCBool = false
        let path = root.appendingPathComponent(name).path
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return [] }
        guard isDirectory.boolValue else { return [name] }
        let below = FileManager.default.enumerator(atPath: path)
        return (below?.compactMap { $0 as? String } ?? []).map { "\(name)/\($0)" }
            .filter { !$0.split(separator: "/").contains(".build") }
    }
}
