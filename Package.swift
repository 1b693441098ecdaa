// swift-tools-version: 6.2
import PackageDescription

/// The same strictness for every target: a warning is an error, imports say what they show, `any` is
/// written out.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A room of the product. What it may depend on is the arrow between the rooms: the build enforces it.
func room(_ name: String, needs: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: needs, swiftSettings: strict)
}

func tests(_ name: String, of needs: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: needs, swiftSettings: strict)
}

let package = Package(
    name: "leased",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "leased", targets: ["leased"]),
        .executable(name: "lease", targets: ["lease"]),
        .library(name: "LeaseClient", targets: ["LeaseClient"]),
        .library(name: "LeaseTesting", targets: ["LeaseTesting"]),
    ],
    targets: [
        room("LeaseModel"),
        room("LeaseWire", needs: ["LeaseModel"]),
        .target(name: "CChecksum"),
        room("LeaseLog", needs: ["LeaseModel", "CChecksum"]),
        room("LeaseCore", needs: ["LeaseModel"]),
        room("LeaseServer", needs: ["LeaseModel", "LeaseWire", "LeaseLog", "LeaseCore"]),
        .target(name: "CLinux"),
        room("LeaseIO", needs: ["CLinux"]),
        .executableTarget(
            name: "leased",
            dependencies: ["LeaseModel", "LeaseLog", "LeaseServer", "LeaseIO"],
            swiftSettings: strict),
        .target(
            name: "LeaseClient", dependencies: ["LeaseModel", "LeaseWire"], path: "clients/swift/LeaseClient",
            swiftSettings: strict),
        .target(
            // With it, the daemon is built beside the tests that want one.
            name: "LeaseTesting",
            dependencies: [
                "LeaseClient", "LeaseModel", .target(name: "leased", condition: .when(platforms: [.linux])),
            ],
            path: "clients/swift/LeaseTesting", swiftSettings: strict),
        .executableTarget(
            name: "clientprobe", dependencies: ["LeaseClient", "LeaseTesting"], path: "Tests/ClientProbe",
            swiftSettings: strict),
        tests(
            "LeaseClientTests",
            of: [
                "LeaseClient", "LeaseTesting", "LeaseModel", "LeaseWire", "TestSupport", "SeededRandom",
                "clientprobe",
            ]),
        tests("LeaseModelTests", of: ["LeaseModel", "SeededRandom"]),
        tests("LeaseWireTests", of: ["LeaseModel", "LeaseWire", "SeededRandom"]),
        tests("LeaseIOTests", of: ["LeaseIO"]),
        tests("LeaseLogTests", of: ["LeaseLog", "LeaseModel", "SeededRandom"]),
        .target(name: "CTestSupport", path: "Tests/CTestSupport"),
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["CTestSupport"], path: "Tests/TestSupport", swiftSettings: strict),
        tests(
            "TranscriptTests",
            of: ["LeaseModel", "LeaseWire", "LeaseCore", "LeaseServer", "TestSupport", "SeededRandom"]),
        tests("DaemonOptionTests", of: ["leased", "LeaseModel", "LeaseServer"]),
        .executableTarget(
            name: "contender", dependencies: ["SeededRandom"], path: "Tests/Contender", swiftSettings: strict),
        .executableTarget(name: "signalprobe", path: "Tests/SignalProbe", swiftSettings: strict),
        .executableTarget(name: "bench-load", path: "Tests/Bench/Load"),
        .executableTarget(name: "bench-floor", dependencies: ["CChecksum"], path: "Tests/Bench/Floor"),
        .executableTarget(
            name: "bench-pure", dependencies: ["LeaseModel", "LeaseServer"], path: "Tests/Bench/Pure",
            swiftSettings: strict),
        .executableTarget(
            name: "bench",
            dependencies: ["leased", "bench-load", "bench-floor", "TestSupport", "CTestSupport"],
            path: "Tests/Bench/Compare", swiftSettings: strict),
        tests("DaemonTests", of: ["leased", "contender", "TestSupport", "CTestSupport", "SeededRandom"]),
        // The checker knows nothing of the product: it judges by what went over the wire.
        .target(name: "SimulationChecker", path: "Tests/Simulation/Checker", swiftSettings: strict),
        .target(
            name: "Simulation",
            dependencies: ["LeaseModel", "LeaseLog", "LeaseCore", "LeaseServer", "SimulationChecker"],
            path: "Tests/Simulation/World", swiftSettings: strict),
        .executableTarget(
            name: "simulate", dependencies: ["Simulation", "SimulationChecker"], path: "Tests/Simulation/Command",
            swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["LeaseModel", "LeaseLog", "LeaseServer", "Simulation", "SimulationChecker"],
            path: "Tests/Simulation/Tests",
            swiftSettings: strict),
        .target(name: "CLaunch"),
        .executableTarget(
            name: "lease",
            dependencies: [
                "LeaseModel", "LeaseWire", "LeaseLog", "LeaseCore", "LeaseIO", "LeaseClient", "CLaunch",
            ],
            swiftSettings: strict),
        tests(
            "CommandTests",
            of: [
                "lease", "leased", "contender", "signalprobe", "LeaseModel", "LeaseWire", "LeaseClient",
                "TestSupport", "SeededRandom",
            ]),
        tests("FaultTests", of: ["leased", "TestSupport", "CTestSupport", "SeededRandom"]),
        .executableTarget(
            name: "generator", dependencies: ["LeaseClient"], path: "Tests/Generator", swiftSettings: strict),
        tests("Scenarios", of: ["leased", "lease", "generator", "TestSupport"]),
        tests("StyleTests", of: []),
        tests("LeaseCoreTests", of: ["LeaseCore", "LeaseModel", "SeededRandom"]),
    ]
)
