// The command line: what is taken, and that every refusal says what to write instead.

import LeaseModel
import LeaseServer
import Testing

@testable import leased

/// The sentence that a wrong command line is answered with; nil: it was taken.
private func refusal(_ arguments: String...) -> String? {
    do {
        _ = try Options.read(arguments)
        return nil
    } catch {
        #expect(error.exitCode == 64)
        return error.sentence
    }
}

@Suite struct OptionsTests {
    @Test func aBoundOnAllCapsThoseThatAreNotGiven() throws {
        let options = try Options.read(["--connections-max=9", "--waiters-max", "5"])
        #expect(options.limits.connectionsPerUserMax == 9)
        #expect(options.limits.waitersPerUserMax == 5)
        #expect(options.limits.waitersPerConnectionMax == 5)
    }

    @Test func nothingGivenIsTheDefaults() throws {
        let options = try Options.read([])
        #expect(options == Options())
        #expect(options.action == .run && options.sync == .always && options.mode == 0o600)
        #expect(options.grace == .seconds(5) && options.logLevel == .info && options.limits == Limits())
    }

    @Test func everyOptionIsTakenInBothForms() throws {
        let pairs = [
            ("--socket", "s"), ("--data", "d=e"), ("--policy", "-p"), ("--sync", "20ms"), ("--grace", "0s"),
            ("--mode", "0660"), ("--clock", "manual"), ("--ready-fd", "3"), ("--log-level", "debug"),
            ("--leases-per-user-max", "7"),
        ]
        var wanted = Options()
        wanted.socketPath = "s"
        wanted.dataPath = "d=e"
        wanted.policyPath = "-p"
        wanted.sync = .every(.milliseconds(20))
        wanted.grace = .zero
        wanted.mode = 0o660
        wanted.hasManualClock = true
        wanted.readyFD = 3
        wanted.logLevel = .debug
        wanted.limits.leasesPerUserMax = 7
        wanted.exitsWithParent = true
        wanted.action = .check
        let flags = ["--exit-with-parent", "--check"]
        #expect(try Options.read(flags + pairs.flatMap { [$0.0, $0.1] }) == wanted)
        #expect(try Options.read(pairs.map { "\($0.0)=\($0.1)" } + flags) == wanted)
    }

    @Test func helpAndVersionEndTheReading() throws {
        #expect(try Options.read(["--help", "--nonsense"]).action == .help)
        #expect(try Options.read(["--check", "--version", "x"]).action == .version)
        #expect(refusal("--nonsense", "--help") != nil)
    }

    @Test(arguments: [
        (["--sokcet=/x"], "there is no option \"--sokcet\"; did you mean --socket?"),
        (["-socket", "/x"], "there is no option \"-socket\"; did you mean --socket?"),
        (
            ["--waiters-max-per-user"],
            "there is no option \"--waiters-max-per-user\"; leased --help shows them all"
        ),
        (["--group=x"], "there is no option \"--group\"; leased --help shows them all"),
        (["--"], "there is no option \"--\"; leased --help shows them all"),
        (["check"], "\"check\" is not an option, and leased takes nothing else; did you mean --check?"),
        (
            ["a.policy"],
            "\"a.policy\" is not an option, and leased takes nothing else; leased --help shows all options"
        ),
        ([""], "\"\" is not an option, and leased takes nothing else; leased --help shows all options"),
        (["--check", "--check"], "--check is given twice; leave one of them out"),
        (["--data=a", "--data", "b"], "--data is given twice; leave one of them out"),
        (["--memory=yes"], "--memory takes no value; write it without one"),
        (["--socket"], "--socket needs a value: --socket=PATH"),
        (["--socket="], "--socket needs a value: --socket=PATH"),
        (["--socket", "--check"], "--socket needs a value: --socket=PATH"),
        (
            ["--memory", "--data=x"],
            "--memory keeps no data, so --data can't stand beside it; leave out one of them"
        ),
        (
            ["--connections-max=9", "--connections-per-user-max=10"],
            "--connections-per-user-max must not be more than --connections-max"
        ),
    ])
    func wrongLineIsAnswered(arguments: [String], sentence: String) {
        do {
            _ = try Options.read(arguments)
            Issue.record("was taken: \(arguments)")
        } catch {
            #expect(error == Complaint(.usage, sentence))
        }
    }

    @Test(arguments: [
        ("--grace=5", "a duration as in 500ms, 30s, 10m, 2h or 1d, or 0s, not \"5\"; did you mean 5s?"),
        ("--grace=soon", "a duration as in 500ms, 30s, 10m, 2h or 1d, or 0s, not \"soon\""),
        ("--grace=99999d", "at most 3650d, not \"99999d\""),
        (
            "--sync=alway",
            "always, never or a duration as in 500ms, 30s, 10m, 2h or 1d, not \"alway\";"
                + " did you mean always?"
        ),
        (
            "--sync=20",
            "always, never or a duration as in 500ms, 30s, 10m, 2h or 1d, not \"20\"; did you mean 20s?"
        ),
        (
            "--sync=0s",
            "always, never or a duration as in 500ms, 30s, 10m, 2h or 1d, not \"0s\"; did you mean always?"
        ),
        ("--clock=manula", "system or manual, not \"manula\"; did you mean manual?"),
        ("--log-level=warn", "error, info or debug, not \"warn\""),
        ("--mode=0680", "permissions in octal from 0000 to 0777, as in 0660, not \"0680\""),
        ("--mode=+600", "permissions in octal from 0000 to 0777, as in 0660, not \"+600\""),
        ("--mode=1600", "permissions in octal from 0000 to 0777, as in 0660, not \"1600\""),
        ("--ready-fd=-1", "the number of an open descriptor from 0 to 2147483647, not \"-1\""),
        ("--leases-max=0", "a whole number from 1 to 1000000000, not \"0\""),
        ("--leases-max=2M", "a whole number from 1 to 1000000000, not \"2M\""),
        (
            "--leases-max=99999999999999999999",
            "a whole number from 1 to 1000000000, not \"99999999999999999999\""
        ),
        ("--output-bytes-max=1T", "a whole number from 1 to 1000000000000, not \"1T\""),
        (
            "--kept-bytes-max=1000000000001",
            "a whole number from 1 to 1000000000000, not \"1000000000001\""
        ),
    ])
    func wrongValueIsAnswered(argument: String, sentence: String) {
        let flag = argument.prefix { $0 != "=" }
        #expect(refusal(argument) == "\(flag) wants \(sentence)")
    }

    @Test func everyBoundHasItsFlag() throws {
        for child in Mirror(reflecting: Limits()).children {
            let label = try #require(child.label)
            let usual = try #require(child.value as? Int)
            let name = label.reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
            let entry = try #require(OptionTable.bounds.first { $0.name == name }, "no --\(name)")
            #expect(entry.help.hasSuffix("(default \(usual))"))
            var options = Options()
            // What holds by default may be said as well.
            for value in ["123", "\(usual)"] {
                try entry.set(&options, to: value)
                let set = Mirror(reflecting: options.limits).children.first { $0.label == label }
                #expect(set?.value as? Int == Int(value))
            }
        }
    }

    @Test func helpNamesEveryOptionInOneScreensWidth() {
        let help = OptionTable.help
        for entry in OptionTable.all { #expect(help.contains("  \(entry.usage) ")) }
        #expect(Set(OptionTable.all.map(\.name)).count == OptionTable.all.count)
        #expect(help.split(separator: "\n").allSatisfy { $0.utf8.count <= 100 })
        #expect(help.hasSuffix("\n"))
    }
}
