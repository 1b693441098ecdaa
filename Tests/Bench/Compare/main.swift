// Compares leased with what people would use instead, on this machine, in one run.
//
// bench [--runs N] [--seconds S] [--only CONNECTIONSxIN-FLIGHT] [--sync never|always]
// bench growth [held|ending|lines|crowd|quiet]
//
// The second measures, of leased alone, what must not grow with the work: each figure beside its target.
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
}

func usage() -> Never {
    complain("usage: bench [--runs N] [--seconds S] [--only 64x16] [--sync never|always]")
    complain("       bench growth [held|ending|lines|crowd|quiet]")
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
        default: usage()
        }
    }
    if wish.shapes.isEmpty || wish.syncings.isEmpty { usage() }
    return wish
}

func main() throws(Failure) {
    let words = CommandLine.arguments.dropFirst()
    if words.first == "growth" {
        print(try Growth.table(only: words.dropFirst().first))
        return
    }
    let wish = readWish(words)
    let folder = try TemporaryFolder()
    print("Processor: \(fact("model name", of: "/proc/cpuinfo") ?? "unknown"), ", terminator: "")
    print("\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores")
    print("A sync of 64 bytes: \(Report.whole(try syncMicroseconds(in: folder))) us\n")
    if isInMemory(folder), wish.syncings.contains(.always) {
        throw Failure("\(folder.path) is in memory; set TMPDIR to a disk, or compare with --sync never")
    }
    let present = Peers.all.filter { $0.program != nil }
    for absent in Peers.all where absent.program == nil {
        print("\(absent.name) is left out; apt-get install \(absent.package) brings it\n")
    }
    var comparisons: [Comparison] = []
    for syncing in wish.syncings {
        for shape in wish.shapes {
            let outcomes = try compare(
                present, shape, syncing, runs: wish.runs, seconds: wish.seconds)
            comparisons.append(Comparison(syncing: syncing, shape: shape, outcomes: outcomes))
        }
    }
    print(Report.table(comparisons))
}

do {
    try main()
} catch {
    complain("\(error)")
    exit(1)
}
