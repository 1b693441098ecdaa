// A data directory that a daemon of format 1 left behind, killed in the middle.

import Glibc

/// Its clock is manual.
package enum FormerDirectory {
    package static let log = """
        d331e981 0 0.000000000 log format=1 clock=manual compacted=no
        3577b4aa 1 0.000000000 started boot=00000000-0000-4000-8000-000000000001 shift=0ns \
        last-token=0 synced=0 wall=1795890373853
        a5e6bc3b 2 0.000000000 granted token=1 key=user/1 owner=tab-A uid=0 pid=8702 ttl=30000ms \
        request=job-1 note=first%20try synced=1 wall=1795890373891
        0b624e05 3 0.000000000 granted token=2 key=user/2,species/31/video owner=worker uid=0 \
        pid=8702 ttl=3600000ms synced=2 wall=1795890373893
        62690810 4 0.000000000 granted token=3 key=conversation/c9 owner=r1 uid=0 pid=8702 \
        ttl=10000ms shared=yes synced=3 wall=1795890373893
        223053a5 5 1.500000000 advanced synced=4 wall=1795890373893
        7b88505e 6 1.500000000 renewed token=1 ttl=60000ms synced=5 wall=1795890373897
        2602a86b 7 1.500000000 granted token=4 key=user/3 owner=eph uid=0 pid=8702 ttl=1200000ms \
        ephemeral=yes synced=6 wall=1795890373901
        2ea2ac06 8 1.500000000 released token=3 synced=7 wall=1795890373905
        10c49c65 9 1.500000000 granted token=5 key=user/4 owner=gone uid=0 pid=8702 ttl=1000ms \
        request=job-2 synced=8 wall=1795890373909
        98f91fab 10 2.500000000 expired token=5 synced=9 wall=1795890373911
        3da0daaf 11 3.500000000 advanced
        4e2f2462 12 3.500000000 granted token=6 key=user/5 owner=ev uid=0 pid=8702 ttl=3600000ms \
        synced=11 wall=1795890373913
        d718ec5d 13 3.500000000 evicted token=6 note=stuck synced=12 wall=1795890373917
        """

    package static let numbers = "numbers format=1 token=65536 sequence=262145 97474a48"

    /// What a daemon has to say of it, whose boot is another: requests, and how their replies begin.
    package static let talk = [
        ("check 1", "OK token=1 ttl=58000ms key=user/1 owner=tab-A "),
        ("check 2", "OK token=2 ttl=3596500ms key=user/2,species/31/video owner=worker "),
        ("check 3", "GONE token=3 why=released"),
        ("check 4", "GONE token=4 why=disconnected"),
        ("check 5", "GONE token=5 why=expired ago=1000ms"),
        ("check 6", "GONE token=6 why=evicted"),
    ]

    /// Writes it below a folder, in place of what is there. Another daemon was killed while it wrote the log
    /// anew.
    package static func put(in folder: TemporaryFolder, tornBy garbage: String = "") throws(Failure) {
        mkdir(folder("d"), 0o700)
        for name in ["log", "log.new", "numbers", "numbers.spare"] { unlink(folder("d/" + name)) }
        try folder.write("d/log", Array((log + "\n" + garbage).utf8))
        try folder.write("d/log.new", Array(log.utf8.prefix(400)))
        try folder.write("d/numbers", Array((numbers + "\n").utf8))
    }
}
