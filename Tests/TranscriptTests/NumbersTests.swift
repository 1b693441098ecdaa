// What was set aside of tokens and sequence numbers may have been given out, whatever the log still has.

import LeaseModel
import LeaseServer
import Testing

@Suite struct NumbersTests {
    /// As after the loss of an unsynced end of the log: the file of numbers is all that knows of them.
    @Test func aStartGoesOnBehindAllThatWasSetAside() {
        var server = Server(policy: .builtIn, options: ServerOptions())
        let moment = Moment(boot: Text("boot-1"), now: .zero, wallMilliseconds: 0)
        _ = server.endRecovery(at: moment)
        server.begin(at: moment, reserved: Numbers(token: 500, sequence: 900))
        let (used, next) = (server.numbersUsed, server.numbersToBeginWith)
        #expect(used.token == 500)
        #expect(used.sequence > 900)
        #expect(next.token > 500)
        #expect(next.sequence > used.sequence)
    }
}
