// What a step that waits for the disk means when it has failed: never that something is kept.

import LeaseModel
import LeaseServer
import Testing

@Suite struct LogScheduleTests {
    @Test(arguments: [LogJobResult.failed, .noSpace])
    func aSyncThatFailedIsNone(_ result: LogJobResult) {
        var schedule = LogSchedule(policy: .always)
        let acknowledgesOnWrite = schedule.acknowledgesOnWrite
        #expect(!acknowledgesOnWrite)
        schedule.wrote(upTo: 7)
        let turn = schedule.turn(at: .zero)
        #expect(turn == .submit(.sync(7)))
        schedule.submit(.sync(7))
        let completed = schedule.conclude(result)
        #expect(completed == .failed(what: "the log can't be synced"))
    }
}
