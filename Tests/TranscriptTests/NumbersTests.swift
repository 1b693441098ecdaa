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

    /// As great as they may be in the log.
    @Test func numbersFromWhichNothingCanGoOnAreNotRead() {
        for numbers in [Numbers(token: .max, sequence: 1), Numbers(token: 1, sequence: .max >> 1 + 1)] {
            #expect(NumbersFile.decode(NumbersFile.encode(numbers)) == nil)
        }
    }

    /// Any bit, any length, anything behind: there is one spelling, and no other is read.
    @Test func whatIsNotWhatWasWrittenIsNotRead() {
        for numbers in [
            Numbers(token: 0, sequence: 0), Numbers(token: 65_537, sequence: 262_150),
            Numbers(token: .max >> 1, sequence: .max >> 1),
        ] {
            let bytes = NumbersFile.encode(numbers)
            #expect(NumbersFile.decode(bytes) == numbers)
            for bit in 0..<8 * bytes.count {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << (bit % 8)
                #expect(NumbersFile.decode(flipped) == nil, "bit \(bit)")
            }
            for count in bytes.indices {
                #expect(NumbersFile.decode(Array(bytes[..<count])) == nil, "\(count) bytes")
                let zeroed = bytes[..<count] + Array(repeating: 0, count: bytes.count - count)
                #expect(NumbersFile.decode(Array(zeroed)) == nil, "\(count) bytes and zeros")
            }
            #expect(NumbersFile.decode(bytes + [0]) == nil && NumbersFile.decode(bytes + bytes) == nil)
            #expect(NumbersFile.decode([0x20] + bytes) == nil)
        }
    }
}
