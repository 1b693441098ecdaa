// The options of `lease bench`.

import LeaseModel

extension OptionTable {
    static let bench = [
        OptionEntry("c", "connections", "N", "so many connections (default 8)") {
            call, value throws(WrongValue) in
            call.bench.connections = Int(try OptionValue.number(value, 1...10_000, "a whole number"))
        },
        OptionEntry("i", "in-flight", "N", "so many requests under way on each (default 8)") {
            call, value throws(WrongValue) in
            call.bench.inFlight = Int(try OptionValue.number(value, 1...1_000, "a whole number"))
        },
        OptionEntry("d", "duration", "DURATION", "measure for so long (default 5s)") {
            call, value throws(WrongValue) in
            call.bench.duration = try OptionValue.duration(value)
        },
        OptionEntry(nil, "keys", "N", "so many different keys (default 10000)") {
            call, value throws(WrongValue) in
            call.bench.keys = Int(try OptionValue.number(value, 1...100_000_000, "a whole number"))
        },
        OptionEntry(nil, "contended", "PERCENT", "so many requests want keys that others want (default 0)") {
            call, value throws(WrongValue) in
            call.bench.contendedPercent = Int(try OptionValue.number(value, 0...100, "a whole number"))
        },
        OptionEntry(nil, "renewals", "N", "renew each lease so often before its release (default 0)") {
            call, value throws(WrongValue) in
            call.bench.renewals = Int(try OptionValue.number(value, 0...1_000_000, "a whole number"))
        },
        OptionEntry(nil, "waiters", "N", "keep so many requests more in line for one key (default 0)") {
            call, value throws(WrongValue) in
            call.bench.waiters = Int(try OptionValue.number(value, 0...1_000_000, "a whole number"))
        },
        OptionEntry("t", "ttl", "DURATION", "the leases' time to live (default 30s)") {
            call, value throws(WrongValue) in
            call.ttl = try OptionValue.duration(value)
        },
        OptionEntry(nil, "kind", "KIND", "of the keys, which have one part behind it (default bench)") {
            call, value throws(WrongValue) in
            call.bench.kind = value
        },
    ]
}
