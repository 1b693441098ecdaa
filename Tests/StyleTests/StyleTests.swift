// The style of the whole repository, held by tests; each check is tried on a bad sample first.

import Testing

private func swift(_ text: String, in room: String = "LeaseCore") -> SourceFile {
    SourceFile(path: "Sources/\(room)/Sample.swift", text: text)
}

private func expectNoFaults(_ faults: [String], _ location: SourceLocation = #_sourceLocation) {
    #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))", sourceLocation: location)
}

@Suite struct ArrowTests {
    @Test func importsObeyTheArrows() {
        #expect(Arrows.faults(swift("package import LeaseWire\n")).count == 1)
        #expect(Arrows.faults(swift("@testable import struct LeaseWire.Word\n")).count == 1)
        #expect(Arrows.faults(swift("import LeaseModel; import Glibc\n")).count == 1)
        #expect(Arrows.faults(swift("import LeaseModel\n", in: "LeaseNew")).count == 1)
        #expect(Arrows.faults(swift("// import Glibc\nlet text = \"import Glibc\"\n")).isEmpty)
        #expect(Repository.files.contains { $0.room == "LeaseCore" })
        expectNoFaults(Repository.files.flatMap(Arrows.faults))
    }

    @Test func theDaemonDoesWithoutFoundation() {
        #expect(Arrows.foundationFaults(swift("import FoundationEssentials\n", in: "leased")).count == 1)
        expectNoFaults(Repository.files.flatMap(Arrows.foundationFaults))
    }
}

@Suite struct ShapeTests {
    @Test func linesAreShort() {
        #expect(Shape.columnFaults(swift(String(repeating: "ö", count: 110))).isEmpty)
        #expect(Shape.columnFaults(swift("\n" + String(repeating: "x", count: 111))).count == 1)
        expectNoFaults(Repository.files.flatMap(Shape.columnFaults))
    }

    @Test func functionsAreShort() {
        let filling = String(repeating: "    run(\"}\\(list.map { \"{\" })\") // }\n", count: 69)
        for start in ["func f()", "init()", "var size: Int", "func f(x: [Int] = [1]) -> Int"] {
            let function = start + " {\n"
            #expect(Shape.functionFaults(swift(function + filling + "}\n")).count == 1)
            #expect(Shape.functionFaults(swift(function + filling.dropFirst(10) + "}\n")).count == 1)
            let shorter = filling.split(separator: "\n").dropLast().joined(separator: "\n")
            #expect(Shape.functionFaults(swift(function + shorter + "\n}\n")).isEmpty)
        }
        #expect(Shape.functionFaults(swift("struct S {\n    var a = 1\n" + filling + "}\n")).isEmpty)
        let c = SourceFile(path: "Sources/CLinux/x.c", text: "int f(void) {\n    g('{');\n" + filling + "}\n")
        #expect(Shape.functionFaults(c).count == 1)
        expectNoFaults(Repository.files.flatMap(Shape.functionFaults))
    }

    @Test func filesBeginWithTheirIdea() {
        for opening in ["import LeaseModel\n", "//\n", "// Words without an end\n", "\n// A word.\n"] {
            #expect(Shape.openingFaults(swift(opening)).count == 1)
        }
        expectNoFaults(Repository.files.flatMap(Shape.openingFaults))
    }

    @Test func headersAreOurOwn() {
        let header = SourceFile(path: "Sources/CLinux/x.h", text: "#define " + "_GNU_SOURCE\n")
        #expect(Shape.headerFaults(header).count == 1)
        expectNoFaults(Repository.files.flatMap(Shape.headerFaults))
    }
}

@Suite struct TreeTests {
    @Test func theTopLevelIsTidy() {
        #expect(Tree.topLevelFaults(["Package.swift", ".ci", "Makefile"]).count == 1)
        expectNoFaults(Tree.topLevelFaults(Repository.topLevel))
    }

    @Test func theManifestIsPlain() throws {
        for line in ["dependencies: [.package(path: \"x\")]", "swiftSettings: [.unsafeFlags([])]"] {
            #expect(Tree.manifestFaults(SourceFile(path: "Package.swift", text: line)).count == 1)
        }
        expectNoFaults(Tree.manifestFaults(try #require(Repository.file("Package.swift"))))
    }

    @Test func noMachineIsMentioned() {
        #expect(Tree.mentionFaults(swift("// see /" + "work/main\n")).count == 1)
        #expect(Tree.mentionFaults(swift("\"/" + "home/me\"\n// as in DESIGN" + ".md\n")).count == 2)
        #expect(Tree.mentionFaults(swift("// $XDG_STATE/" + "home/me\n")).isEmpty)
        expectNoFaults(Repository.files.flatMap(Tree.mentionFaults))
    }
}

@Suite struct ProtocolPageTests {
    let page = Repository.file("protocol/PROTOCOL.md")?.text
    let codes = Repository.file("Sources/LeaseWire/ErrorCode.swift")?.text
    let limits = Repository.file("Sources/LeaseModel/Limits.swift")?.text

    @Test func thePageListsTheCodes() throws {
        let source = "case badTag = \"bad-tag\"\ncase storage\n"
        #expect(ProtocolPage.codeFaults(page: "## Errors\n| `bad-tag` |\n", errorCodes: source).count == 1)
        let good = "## Errors\n| `bad-tag` |\n| `storage` |\n"
        #expect(ProtocolPage.codeFaults(page: good, errorCodes: source).isEmpty)
        #expect(ProtocolPage.codeFaults(page: good + "| `storage` |\n", errorCodes: source).count == 1)
        #expect(ProtocolPage.codeFaults(page: good + "ERR no-such x\n", errorCodes: source).count == 1)
        #expect(ProtocolPage.codeFaults(page: good + "| `bad-dog` |\n", errorCodes: source).count == 1)
        expectNoFaults(
            ProtocolPage.codeFaults(page: try #require(page), errorCodes: try #require(codes)))
    }

    @Test func thePageListsTheBounds() throws {
        let source = "    public var leasesMax = 2_000\n    public var bytesMax = 1 << 20\n"
        let good = "| `--leases-max` | 2,000 |\n| `--bytes-max` | 1,048,576 |\n"
        #expect(ProtocolPage.boundFaults(page: good, limits: source).isEmpty)
        #expect(ProtocolPage.boundFaults(page: "| `--leases-max` | 2,000 |", limits: source).count == 1)
        #expect(ProtocolPage.boundFaults(page: good, limits: source + "    public var aMax = 1\n").count == 1)
        let other = good.replacing("2,000", with: "3,000")
        #expect(ProtocolPage.boundFaults(page: other, limits: source).count == 1)
        #expect(ProtocolPage.boundFaults(page: good + "--dogs-max", limits: source).count == 1)
        expectNoFaults(
            ProtocolPage.boundFaults(page: try #require(page), limits: try #require(limits)))
    }
}

@Suite struct FaultsPageTests {
    @Test func itNamesTestsThatThereAre() throws {
        let test = SourceFile(path: "Tests/New/NewTests.swift", text: "@Test func itWorks() {}\n")
        #expect(FaultsPage.faults(page: "| 1 | `NewTests.itWorks` |\n", files: [test]).isEmpty)
        #expect(FaultsPage.faults(page: "| 1 | `NewTests.itFails` |\n", files: [test]).count == 1)
        #expect(FaultsPage.faults(page: "| 1 | `no-such.txt` |\n", files: [test]).count == 1)
        #expect(FaultsPage.faults(page: "| 2 | none |\n", files: [test]).count == 1)
        let page = try #require(Repository.file("Tests/FAULTS.md")).text
        expectNoFaults(FaultsPage.faults(page: page, files: Repository.files))
    }
}
