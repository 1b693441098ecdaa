// A program that says which signals it gets, each of them, and nothing else: what a shell's traps may lose.
//
// signalprobe SIGNAL COUNT     ends with 7 by the COUNT-th signal of this number

import Glibc

func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    guard write(1, bytes, bytes.count) == bytes.count else { exit(70) }
}

guard CommandLine.arguments.count == 3, let last = Int32(CommandLine.arguments[1]),
    let count = Int(CommandLine.arguments[2])
else { exit(64) }

// Blocked, they wait till they are asked for, so none comes amid the work on another.
var told = sigset_t()
sigemptyset(&told)
for number in [SIGINT, SIGUSR1, SIGTERM, SIGPWR] { sigaddset(&told, number) }
sigprocmask(SIG_BLOCK, &told, nil)
say("ready")
var counts: [Int32: Int] = [:]
while counts[last, default: 0] < count {
    let number = sigwaitinfo(&told, nil)
    guard number > 0 else { continue }
    counts[number, default: 0] += 1
    say("<\(number):\(counts[number]!)>")
}
exit(7)
