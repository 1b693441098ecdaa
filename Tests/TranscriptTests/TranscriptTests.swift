// Every transcript, against the pure server and against the built daemon: the protocol's examples are true.

import Glibc
import TestSupport
import Testing

@Suite struct TranscriptTests {
    @Test func thereAreTranscripts() {
        #expect(!Transcript.all.isEmpty, "no transcripts in \(Transcript.folder)")
    }

    @Test(arguments: Transcript.all)
    func simulated(_ transcript: Transcript) {
        var runner = Runner(transcript, in: SimulatedWorld())
        runner.run()
    }

    @Test(arguments: Transcript.all.filter { !$0.hasOtherUsers })
    func real(_ transcript: Transcript) throws {
        var runner = Runner(transcript, in: try RealWorld())
        runner.run()
    }

    @Test(
        .enabled(if: geteuid() == 0, "only root can connect as another user"),
        arguments: Transcript.all.filter(\.hasOtherUsers))
    func realWithOtherUsers(_ transcript: Transcript) throws {
        var runner = Runner(transcript, in: try RealWorld())
        runner.run()
    }
}
