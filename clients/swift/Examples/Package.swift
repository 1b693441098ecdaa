// swift-tools-version: 6.2
// Short programs that use the client, as a package of somebody else's would.

import PackageDescription

let client: Target.Dependency = .product(name: "LeaseClient", package: "leased")
let testing: Target.Dependency = .product(name: "LeaseTesting", package: "leased")

let package = Package(
    name: "Examples",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "leased", path: "../../..")],
    targets: [
        .executableTarget(name: "ImageServer", dependencies: [client]),
        .executableTarget(name: "MessageWorker", dependencies: [client]),
        .executableTarget(name: "SpeciesStudio", dependencies: [client]),
        .executableTarget(name: "BackgroundImages", dependencies: [client]),
        .executableTarget(name: "BusinessPlans", dependencies: [client]),
        .executableTarget(name: "Chat", dependencies: [client]),
        .testTarget(name: "TabTests", dependencies: [client, testing]),
    ]
)
