// A package of somebody else's uses the client as the README says, from a clean folder.

import Glibc
import TestSupport
import Testing

/// The repository, and what its README shows.
private enum Readme {
    static let root: String = {
        let folders = #filePath.split(separator: "/").dropLast(3)
        return "/" + folders.joined(separator: "/")
    }()

    /// The indented block that begins with this text, without its indentation.
    static func block(from first: String) throws -> String {
        let text = try read(root + "/README.md")
        let indented = first.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n")
        let found = text.firstRange(of: "\n\n" + indented + "\n")
        let start = try #require(found, "the README has no block that begins with \(first)").lowerBound
        let lines = text[start...].split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2)
        let block = lines.prefix { $0.hasPrefix("    ") || $0.isEmpty }
        return block.map { $0.dropFirst(4) }.joined(separator: "\n")
    }

    private static func read(_ path: String) throws -> String {
        let file = try #require(fopen(path, "r"), "\(path) can't be read")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

struct OutsideTests {
    private func environment(_ more: [String] = []) -> [String] {
        var environment = more
        for name in ["PATH", "HOME"] {
            guard let value = getenv(name) else { continue }
            environment.append("\(name)=\(String(cString: value))")
        }
        return environment
    }

    /// Runs a program to its end.
    /// - Returns: what it said on both of its outputs; nil where it failed, which is recorded.
    private func run(_ words: [String], _ more: [String] = []) throws -> String? {
        let (output, outputOfProgram) = try makePipe()
        defer { closeForAll(output) }
        let program = try Program(
            ["/usr/bin/env"] + words, environment: environment(more),
            descriptors: [1: outputOfProgram, 2: outputOfProgram])
        closeForAll(outputOfProgram)
        let said = readAll(output)
        let code = program.exitCode(within: 600)
        guard code == 0 else {
            Issue.record("\(words) ended with \(code.map { "\($0)" } ?? "nothing"): \(said)")
            return nil
        }
        return said
    }

    /// A folder with the README's program and its test.
    private func makePackage(_ dependency: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["Sources", "Sources/app", "Tests", "Tests/appTests"] {
            try #require(mkdir(folder(name), 0o700) == 0)
        }
        let path = #".package(name: "leased", path: "../leased")"#
        let manifest = try Readme.block(from: "dependencies: [\(path)],").replacing(path, with: dependency)
        try folder.write(
            "Package.swift",
            Array(
                """
                // swift-tools-version: 6.2
                import PackageDescription
                let package = Package(name: "app", \(manifest))
                """.utf8))
        let program = try Readme.block(from: "import LeaseClient\n\nlet leases = LeaseClient()")
        try folder.write("Sources/app/main.swift", Array(program.utf8))
        let more = try Readme.block(from: "let page = try await leases.once(String.self, on: .user(\"42\"), "
            + "keep: .seconds(300)) { lease in")
        try folder.write(
            "Sources/app/More.swift",
            Array("import LeaseClient\n@MainActor func more() async throws {\n\(more)}\n".utf8))
        return folder
    }

    private func tryOut(_ package: TemporaryFolder, _ action: [String]) throws -> String? {
        try run(
            // Nobody looks for symbols in what is built here.
            ["swift"] + action + ["--package-path", package.path, "--cache-path", package("cache")]
                + ["-debug-info-format", "none"])
    }

    private func expectItRuns(_ package: TemporaryFolder) throws {
        let daemon = try Daemon()
        try daemon.start(["--memory"])
        let said = try run([package(".build/debug/app")], ["LEASED_SOCKET=\(daemon.socketPath)"])
        #expect(said == "a lynx, drawn under lease 1\n")
        let alone = try run([package(".build/debug/app")], ["LEASED_SOCKET=/nowhere"])
        #expect(alone?.hasPrefix("there is no socket at /nowhere") == true)
    }

    @Test func byPath() throws {
        let package = try makePackage(".package(name: \"leased\", path: \"\(Readme.root)\")")
        let test = try Readme.block(from: "import LeaseClient\nimport LeaseTesting")
        try package.write("Tests/appTests/appTests.swift", Array(test.utf8))
        guard try tryOut(package, ["build", "--build-tests"]) != nil else { return }
        try expectItRuns(package)
        // The daemon that the test wants was built with it.
        let said = try tryOut(package, ["test", "--skip-build"])
        #expect(said?.contains("1 test in 0 suites passed") == true)
    }

    @Test func byURLOfAClone() throws {
        let clone = try TemporaryFolder()
        guard try run(["git", "clone", "-q", Readme.root, clone("leased")]) != nil,
            try run(["git", "-C", clone("leased"), "checkout", "-q", "-B", "main"]) != nil
        else { return }
        let package = try makePackage(".package(url: \"file://\(clone("leased"))\", branch: \"main\")")
        try package.write("Tests/appTests/appTests.swift", Array("// No test here.\n".utf8))
        guard try tryOut(package, ["build", "--product", "app"]) != nil else { return }
        try expectItRuns(package)
    }
}
