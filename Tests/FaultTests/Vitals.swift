// What a running daemon uses: memory, descriptors, time of the processor.

import Glibc
import TestSupport
import Testing

extension Daemon {
    /// Resident memory, in KiB.
    var residentKilobytes: Int {
        field("VmRSS:", of: "/proc/\(pid ?? 0)/status").flatMap { Int($0) } ?? 0
    }

    var openDescriptors: Int { names(in: "/proc/\(pid ?? 0)/fd").count }

    /// Time of the processor that it has used, in hundredths of a second.
    var ticksUsed: Int {
        let stat = text(of: "/proc/\(pid ?? 0)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard stat.count > 12 else { return 0 }
        return (Int(stat[11]) ?? 0) + (Int(stat[12]) ?? 0)
    }

    var isAlive: Bool { program?.exitCode(within: 0) == nil }
}

/// Waits until something holds.
func eventually(
    _ what: Comment, within seconds: Int64 = Int64(patience), _ location: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) rethrows {
    let deadline = milliseconds() + seconds * 1_000
    while try !condition() {
        guard milliseconds() < deadline else {
            Issue.record(what, sourceLocation: location)
            return
        }
        usleep(5_000)
    }
}

extension Client {
    /// Asks for a reply of several lines, and takes all of it.
    func firstLine(of request: String) -> String? {
        send("#first \(request)\n#end ping")
        var first: String?
        while let line = line(), line != "#end OK" { first = first ?? line }
        return first.map { String($0.dropFirst("#first ".count)) }
    }
}

/// The memory of a sanitizer's build says nothing.
let isSanitized = getenv("ASAN_OPTIONS") != nil || getenv("TSAN_OPTIONS") != nil
