// What must not grow with the work, part by part.

import CTestSupport
import Glibc
import TestSupport

enum Growth {
    private static let parts: [(name: String, findings: @Sendable () throws(Failure) -> [Finding])] = [
        ("held", Held.findings), ("ending", Ending.findings), ("lines", Lines.findings),
        ("crowd", Crowd.findings), ("quiet", Quiet.findings),
    ]

    static var names: [String] { parts.map(\.name) }

    /// - Parameter name: of the part that is measured; nil: all.
    static func table(only name: String? = nil) throws(Failure) -> String {
        raiseDescriptorLimit()
        // The daemon has the other core.
        if sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 { _ = ctest_pin_thread(0, 1) }
        var table = Finding.head
        for part in parts where name == nil || part.name == name {
            complain("growth: \(part.name) ...")
            for finding in try part.findings() { table += finding.line }
        }
        return table
    }

    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
