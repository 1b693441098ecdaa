// Compares leased with what people would use instead, on this machine, in one run.
//
// bench [--runs N] [--seconds S] [--only CONNECTIONSxIN-FLIGHT] [--sync never|always] [--place DIR]
//       [--markdown FILE [--readme FILE]]
// bench growth [held|ending|lines|crowd|quiet]
//
// The second measures, of leased alone, what must not grow with the work: each figure beside its target.
// With --markdown both are done, and written as a page.
//
// The server runs on one core, the load on another. Whatever of the peers is not installed is left out, and
// said.

import Glibc
import TestSupport

struct Wish {
    var runs = 5
    var seconds = 2.0
    var shapes = Shape.all
    var syncings = Syncing.allCases
    /// Where the servers keep their files.
    var place: String?
    var markdown: String?
    var readme: String?
}

func usage() -> Never {
    complain("usage: bench [--runs N] [--seconds S] [--only 64x16] [--sync never|always] [--place DIR]")
    complain("             [--markdown FILE [--readme FILE]]")
    complain("       bench growth [\(Growth.names.joined(separator: "|"))]")
    exit(64)
}

func readWish(_ arguments: ArraySlice<String>) -> Wish {
    var wish = Wish()
    var words = arguments
    while let word = words.popFirst() {
        guard let value = words.popFirst() else { usage() }
        switch word {
        case "--runs": wish.runs = max(1, Int(value) ?? 0)
        case "--seconds": wish.seconds = Double(value) ?? wish.seconds
        case "--only": wish.shapes = Shape.all.filter { "\($0.connections)x\($0.inFlight)" == value }
        case "--sync": wish.syncings = Syncing.allCases.filter { $0.rawValue == value }
        case "--place": wish.place = value
        case "--markdown": wish.markdown = value
        case "--readme": wish.readme = value
        default: usage()
        }
    }
    if wish.shapes.isEmpty || wish.syncings.isEmpty { usage() }
    if wish.readme != nil, wish.markdown == nil { usage() }
    return wish
}

/// A folder on a disk: in memory a sync costs nothing, and ratios would say nothing.
func chosenPlace(_ wish: Wish) throws(Failure) -> String {
    let places = wish.place.map { [$0] } ?? ["/tmp", "/var/tmp"]
    if let place = places.first(where: { !isInMemory($0) }) { return place }
    guard wish.syncings == [.never] else {
        throw Failure(
            "\(places.joined(separator: " and ")) is in memory; name a folder on a disk with --place, or "
                + "compare with --sync never")
    }
    return places[0]
}

func comparisons(_ wish: Wish, under place: String) throws(Failure) -> [Comparison] {
    let present = Peers.all.filter { $0.program != nil }
    for absent in Peers.all where absent.program == nil {
        complain("\(absent.name) is left out; apt-get install \(absent.package) brings it")
    }
    var found: [Comparison] = []
    for syncing in wish.syncings {
        for shape in wish.shapes {
            complain("--sync=\(syncing.rawValue), \(shape.name) ...")
            let outcomes = try compare(
                present, shape, syncing, runs: wish.runs, seconds: wish.seconds, under: place)
            found.append(Comparison(syncing: syncing, shape: shape, outcomes: outcomes))
        }
    }
    return found
}

func main() throws(Failure) {
    // Whoever else is at work on this machine comes after what is measured, where that may be had.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -20)
    let words = CommandLine.arguments.dropFirst()
    if words.first == "growth" {
        let name = words.dropFirst().first
        guard words.count <= 2, name.map(Growth.names.contains) ?? true else { usage() }
        let bystanders = Bystanders()
        let table = try Growth.table(only: name)
        return print("\(table)\n\(bystanders.sentence)")
    }
    let wish = readWish(words)
    let bystanders = Bystanders()
    let place = try chosenPlace(wish)
    let circumstances = Circumstances(
        place: place, runs: wish.runs, seconds: wish.seconds,
        syncMicroseconds: try syncMicroseconds(in: TemporaryFolder(under: place)))
    print(circumstances.lines.joined(separator: "\n") + "\n")
    let found = try comparisons(wish, under: place)
    print(Report.table(found))
    print(bystanders.sentence)
    guard let markdown = wish.markdown else { return }
    let growth = try Growth.table()
    print(growth)
    try Results.write(Results.page(circumstances, bystanders, found, growth: growth), to: markdown)
    if let readme = wish.readme {
        try Results.write(Results.insert(Report.summary(found), into: textOf(readme)), to: readme)
    }
}

do {
    try main()
} catch {
    complain("\(error)")
    exit(1)
}
