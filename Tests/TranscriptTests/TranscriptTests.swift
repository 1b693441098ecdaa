// Every transcript, against the pure server: the protocol's examples are true.

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
}
