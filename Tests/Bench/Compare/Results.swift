// The page of results: the machine, the method, and the tables, written by one command.

import Glibc
import TestSupport

/// What was measured on, and how.
struct Circumstances {
    let place: String
    let runs: Int
    let seconds: Double
    let syncMicroseconds: Double

    var lines: [String] {
        var system = utsname()
        uname(&system)
        let kernel = withUnsafePointer(to: &system.release) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        let memory = Int64(fact("MemTotal", of: "/proc/meminfo")?.split(separator: " ").first ?? "") ?? 0
        return [
            "Processor: \(fact("model name", of: "/proc/cpuinfo") ?? "unknown"), "
                + "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores; \(memory >> 20) GiB of memory; "
                + "Linux \(kernel)",
            "Files: on \(fileSystem(of: place)) under \(place); a sync of 64 bytes takes "
                + "\(Report.whole(syncMicroseconds)) us there",
            "Medians of \(runs) runs of \(seconds) s, each server in turn; servers on core 0, load on core 1",
        ]
    }

    private func fileSystem(of place: String) -> String {
        let mounts = textOf("/proc/self/mounts").split(separator: "\n").map { $0.split(separator: " ") }
        let found = mounts.filter { mount in
            mount.count > 2 && (place + "/").hasPrefix(mount[1] == "/" ? "/" : mount[1] + "/")
        }
        return found.max { $0[1].count < $1[1].count }.map { String($0[2]) } ?? "a file system"
    }
}

enum Results {
    static func page(
        _ circumstances: Circumstances, _ bystanders: Bystanders, _ comparisons: [Comparison], growth: String
    ) -> String {
        """
        # Results

        Written by `swift run -c release bench --markdown Tests/Bench/RESULTS.md --readme README.md`: all of
        this page, in one run. Absolute figures are of this machine; what counts is the ratios.

        ## The machine
        \((circumstances.lines + [bystanders.sentence]).map { "- \($0)" }.joined(separator: "\n"))

        ## The method
        - A request is a key taken, or given back. Every loop of the load generator takes a key that nobody
          else wants, gives it back, and takes it again; "64 x 16" is 64 connections with 16 such loops each.
          What is answered is looked at: a refusal ends the run. The first half second of a run counts in
          processor time alone.
        - All of them run at nice -20, where that may be had, and all servers of a row are up at once, though
          one at a time is driven.
        - Redis: `SET k o NX PX 30000`, and a script that compares and deletes; `appendonly yes`, with
          `appendfsync no` for `never` and `always` for `always`, and no rewriting of its file (leased does
          compact its log); over its Unix socket. memcached: `add` and `delete`, one thread, nothing kept.
          beanstalkd: `put` and `delete` with its binlog, `-F` or `-f 0`. etcd: a transaction that wants the
          key not to be there, and a delete, over HTTP. PostgreSQL: `INSERT ... ON CONFLICT` and `DELETE`, a
          transaction each, as simple queries over its Unix socket; `fsync` and `synchronous_commit` are off
          for `never`.
        - The floor is a C program with one epoll loop, which answers a fixed line to each line, appends 64
          bytes for each to a file with one write a wake-up, and syncs once a wake-up for `always`. No server
          that promises the same can be faster by doing less; one that syncs while it reads the next batch
          can be, or one that, as leased does for `always`, syncs a file whose room is there already.
        - The floor with leases is the same program, which also does what no lock server can do without: it
          reads each line, looks its key or token up in a table, keeps a deadline, writes the record that
          leased's log has of it, and gives leased's answer. It has no policy, nobody waits or watches,
          nothing is counted, bounded or recovered. What lies between it and the floor is the promise; what
          lies between leased and it is all else that leased does, and how it is written.
        - Processor time is what the kernel accounts to the server's processes, divided by all requests;
          which of it was the kernel's own work (to wake, to receive, to send, to write) is told by its ticks.
          "Busy" is the share of its core that the server used, and the load generator of its own: where the
          load generator is the busier one, the ratio of requests says less than that of processor time.

        ## Beside others
        \(Report.table(comparisons))
        ## As work grows
        `swift run -c release bench growth` measures just these, under `--sync=never`, from outside. Where
        a request waits for the answer to the one before, most of its time is that of the machine, which
        wakes a sleeping core: so a ping on the same connection, or the floor, stands beside it, and for a
        hand-over also a client that does not sleep till then.

        \(growth)
        """
    }

    private static let (begin, end) = ("<!-- bench: begin -->", "<!-- bench: end -->")

    /// Puts a table between the two marks of a page.
    static func insert(_ table: String, into page: String) throws(Failure) -> String {
        guard let before = page.firstRange(of: begin), let after = page.firstRange(of: end),
            before.upperBound <= after.lowerBound
        else { throw Failure("the page has no \(begin) ... \(end)") }
        return page[..<before.upperBound] + "\n" + table + page[after.lowerBound...]
    }

    static func write(_ text: String, to path: String) throws(Failure) {
        guard let file = fopen(path, "w") else { throw Failure("\(path) can't be written") }
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw Failure("\(path) can't be written")
        }
    }
}
