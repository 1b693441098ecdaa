// The command line: what is taken, and that every refusal says what to write instead.

import LeaseModel
import LeaseWire
import Testing

@testable import lease

private func read(_ words: String...) throws -> Invocation { try CommandLineReader.read(words) }

@Suite struct CommandLineTests {
    @Test func optionsStandAnywhereBeforeTheCommand() throws {
        let call = try read(
            "-S", "/s", "run", "-w30s", "user/1", "--ttl=10m", "user/2", "-k", "0s", "--json", "--", "make",
            "-n",
            "--")
        #expect(call.socket == "/s" && call.isJSON && call.words == ["user/1", "user/2"])
        #expect(call.wait == .seconds(30) && call.ttl == .seconds(600) && call.killAfter == .zero)
        #expect(call.command == ["make", "-n", "--"] && !call.isWithoutWait)
        #expect(call.timeInLine == .seconds(30))
        #expect(try read("run", "a/b", "-nE0", "--", "x").conflictCode == 0)
        #expect(try read("run", "a/b", "-w", "forever", "--", "x").timeInLine == .forever)
        #expect(try read("run", "a/b", "--", "x").timeInLine == .forever)
        #expect(try read("run", "a/b", "-n", "--", "x").timeInLine == .zero)
        #expect(try read("log", "verify", "f").words == ["f"])
        #expect(try read("run", "--help").wantsHelp)
        #expect(try read("help", "run").verb == .run)
    }

    @Test func mistakesAreAnsweredWithWhatWasMeant() {
        for (sentence, words) in [
            ("did you mean run?", ["rnu"]), ("did you mean --wait?", ["run", "a/b", "--wiat=3s", "--", "x"]),
            ("did you mean 30s?", ["run", "a/b", "-w", "30", "--", "x"]),
            ("from 0 to 255", ["run", "a/b", "-E", "256", "--", "x"]),
            ("from 0 to 255", ["run", "a/b", "-E", "-1", "--", "x"]),
            ("from 0 to 9", ["run", "a/b", "--priority=10", "--", "x"]),
            ("did you mean lease run a/b -- make all?", ["run", "a/b", "make", "all"]),
            ("behind -- stands nothing", ["run", "a/b", "--"]), ("KEY... is missing", ["run", "--", "x"]),
            ("given twice", ["run", "a/b", "-n", "-n", "--", "x"]),
            ("-n does not wait", ["acquire", "a/b", "-n", "-w1s"]),
            ("needs a value: --ttl=DURATION", ["run", "a/b", "--ttl", "--", "x"]),
            ("takes no value", ["list", "--json=1"]),
            ("has no option \"--max\"", ["acquire", "a/b", "--max=1s"]),
            ("term or ignore", ["run", "a/b", "--on-lost=kill", "--", "x"]), ("has no place", ["ping", "x"]),
            ("stands behind its verb", ["-n", "run", "a/b", "--", "x"]),
            ("lease log verify FILE", ["log", "f"]),
            ("what is to be done?", []),
        ] {
            do {
                _ = try CommandLineReader.read(words)
                Issue.record("\(words) was taken")
            } catch {
                #expect(error.code == 64 && error.sentence.contains(sentence), "\(error.sentence)")
            }
        }
    }

    @Test func helpHasAllThatIsTaken() {
        for entry in VerbTable.all {
            let text = Help.text(entry.verb)
            for option in entry.shownOptions {
                #expect(text.contains(option.usage) && text.contains(option.help))
            }
            // These two talk to no daemon that was there before.
            #expect(text.contains("--socket") == ![.sandbox, .log].contains(entry.verb))
            #expect(Help.text(.help).contains(entry.summary))
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= 110 })
        }
        // A letter is one option everywhere.
        var names: [Character: String] = [:]
        for option in OptionTable.general + VerbTable.all.flatMap(\.options) {
            guard let letter = option.letter else { continue }
            #expect(names[letter, default: option.name] == option.name)
            names[letter] = option.name
        }
    }

    @Test func timesAndPlacesReadWell() {
        let times: [(Int64, String)] = [
            (0, "0ms"), (640, "640ms"), (1_000, "1s"), (9_540, "9.5s"), (28_999, "28s"), (60_000, "1m"),
            (124_000, "2m04s"), (600_000, "10m"), (11_220_000, "3h07m"), (190_800_000, "2d05h"),
        ]
        for (milliseconds, text) in times { #expect(People.time(milliseconds) == text) }
        for text in ["1ms", "1999ms", "2s", "90s", "2m", "61m", "36h", "2d"] {
            #expect((try? OptionValue.duration(text)).map(People.typed) == text)
        }
        #expect(
            [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(People.ordinal) == [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
            ])
    }

    @Test func refusalsAreSentences() {
        let holder = "token=1 owner=tab-A pid=3312 uid=1000 age=124000ms left=476000ms"
        let who = "tab-A (pid 3312, uid 1000) for 2m04s, 7m56s left"
        for (line, sentence) in [
            (
                "BUSY key=user/42 why=held \(holder) limit=1 waiting=1",
                "user/42 is held by \(who); you'd be 2nd in line"
            ),
            (
                "BUSY key=p/x why=limit \(holder) limit=3 waiting=0",
                "p/x is held 3 times, which is its limit; the first to end is \(who); you'd be 1st in line"
            ),
            (
                "BUSY key=a/b why=queued ahead=wr limit=1 waiting=1",
                "a/b has room, but wr came before and waits; you'd be 2nd in line"
            ),
            (
                "BUSY key=a/b why=queue-full \(holder) limit=1 waiting=4",
                "the line for a/b is full: 4 wait; it is held by \(who)"
            ),
            (
                "BUSY key=a/b why=rate retry=4000ms limit=1 waiting=0",
                "a/b was granted as often as its rate allows for another 4s"
            ),
            (
                "BUSY key=a/b why=timeout \(holder) limit=1 waiting=0 waited=30000ms",
                "the wait for a/b was not enough; it is held by \(who)"
            ),
            ("BUSY key=a/b why=newly-made limit=1 waiting=0", "a/b is not granted (newly-made)"),
        ] {
            let bytes = Array(line.utf8)
            let read = ReplyLine(bytes.span)
            #expect(read.map { Refusal.sentence($0) } == sentence)
        }
        // It is what was asked for that counts, not what was left of it when it came to the daemon.
        let late = ReplyLine(Array("BUSY key=a/b why=timeout limit=1 waiting=0 waited=1996ms".utf8).span)
        #expect(late.map { Refusal.sentence($0, wait: .seconds(2)) } == "waiting 2s for a/b was not enough")
    }

    @Test func nothingDrivesATerminal() {
        #expect(
            Printed.shown(Array("a%20b%1B[31m%0A%C3%A9%C2%9B%E2%80%AE".utf8))
                == "a b%1B[31m%0Aé%C2%9B%E2%80%AE")
        #expect(JSON.text("é\u{1B}\"\\\u{1F600}").written == #""\u00e9\u001b\"\\\ud83d\ude00""#)
    }
}
