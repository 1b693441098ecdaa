// `lease sandbox`: a daemon that is ready before its command, and gone after it, however it ends.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct SandboxTests {
    private let folder: TemporaryFolder
    private let environment: [String]

    init() throws {
        folder = try TemporaryFolder()
        // Its folders are made here, so that nothing can be left unseen.
        environment = ["PATH=/usr/bin:/bin", "TMPDIR=\(folder.path)", "L=\(lease)", "LEASE_HELD=user/1=1"]
    }

    private func start(_ words: String...) throws -> Running {
        try Running([lease, "sandbox"] + words, environment: environment, in: folder, name: "run")
    }

    private var left: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.filter { $0.hasPrefix("lease-") }
            ?? []
    }

    private func daemons() -> [pid_t] {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) }
            .filter { contents("/proc/\($0)/cmdline").contains("--socket=\(folder.path)/lease-") } ?? []
    }

    @Test func itIsThereForTheCommandAndGoneAfterwards() throws {
        let script =
            "$L ping && $L acquire user/1 && $L run -n user/1 -- true; echo $? ${LEASE_HELD-none}; exit 3"
        let ended = try start("--", "sh", "-c", script).end()
        #expect(
            ended.code == 3
                && ended.output.hasSuffix("answers (" + ended.output.components(separatedBy: "answers (")[1]))
        #expect(ended.output.contains("\n1\n75 none\n"), "\(ended.output) \(ended.errors)")
        #expect(left == [] && daemons() == [])
        #expect(try start("--", "sh", "-c", "kill -TERM $$").end().code == 143)
        #expect(try start("--", "no-such-program").end().code == 127)
        #expect(left == [] && daemons() == [])
    }

    @Test func itsClockAndPolicyAreAsWanted() throws {
        try folder.write("policy", Array("kind dog name limit=2 ttl=1m\n".utf8))
        let script = "$L acquire dog/rex; $L status --json; $L policy"
        let ended = try start("--clock=manual", "--policy", folder("policy"), "--", "sh", "-c", script).end()
        #expect(ended.code == 0 && ended.output.contains(#""clock":"manual""#), "\(ended.errors)")
        #expect(ended.output.contains("1: kind dog name limit=2 ttl=1m\n"))
        try folder.write("policy", Array("kind dgo\n".utf8))
        let bad = try start("--policy", folder("policy"), "--", "echo", "no").end()
        #expect(
            bad.code == 78 && bad.output.contains("no\n") == false && bad.errors.contains("dgo"),
            "\(bad.errors)")
        #expect(left == [] && daemons() == [])
    }

    @Test func killedItLeavesNothing() throws {
        for signal in [SIGKILL, SIGTERM] {
            let running = try start("--", "sh", "-c", "sleep 81 & echo $$ $!; wait")
            #expect(running.says("\n"))
            let pids = running.output.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }.suffix(2)
            #expect(left.count == 1 && daemons().count == 1)
            running.program.signal(signal)
            #expect(running.end().code == 128 + signal)
            #expect(holds { left == [] && daemons() == [] && pids.allSatisfy { !isAlive($0) } })
            unlink(folder("run.out"))
        }
    }
}
