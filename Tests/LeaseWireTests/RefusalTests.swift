// Every refusal is one line that can be read back, whatever a client put into it.

import LeaseModel
import Testing

@testable import LeaseWire

struct RefusalTests {
    private static let hostile = [UInt8](0...255) + [UInt8](repeating: 0xFF, count: 8_000)
    private static let hostileString = String(decoding: hostile, as: UTF8.self)
    private static let longKey = key("user/" + String(repeating: "%FF", count: 83))

    private static let all: [(Refusal, ErrorCode)] = [
        (.lineTooLong, .lineTooLong), (.lineNotEnded, .lineNotEnded), (.badTag, .badTag),
        (.tagInUse(bytes("a1")), .tagInUse), (.noVerb, .noVerb),
        (.controlCharacter(byte: 0x1B, column: 8_192), .controlCharacter),
        (.unknownVerb(hostile, meant: nil), .unknownVerb),
        (.unknownVerb(hostile, meant: .acquire), .unknownVerb),
        (.unknownWord(hostile, .acquire, meant: nil), .unknownWord),
        (.unknownWord(hostile, .acquire, meant: "shared"), .unknownWord),
        (.unknownOption(hostile, .acquire, meant: nil), .unknownOption),
        (.unknownOption([], .acquire, meant: "ttl="), .unknownOption),
        (.givenTwice(longKey.bytes), .givenTwice), (.missing(.acquire, what: "a key"), .missingWord),
        (.tooManyKeys, .tooManyKeys), (.tooManyPrefixes, .tooManyKeys), (.badKey(hostile, .noParts), .badKey),
        (.badKey(hostile, .emptyPart), .badKey),
        (.badKey(hostile, .mustBeEncoded(byte: 0)), .badKey), (.badKey(hostile, .badPercent), .badKey),
        (.badKey(hostile, .tooLong(bytes: 24_000)), .badKey), (.badToken(hostile), .badToken),
        (.badValue(option: "ttl", value: hostile, want: "a unit"), .badValue),
        (.badValue(option: "ttl", value: [], want: "a unit"), .badValue),
        (.unknownKey(longKey, .kind(name: hostile, meant: nil)), .unknownKind),
        (.unknownKey(longKey, .kind(name: hostile, meant: hostile)), .unknownKind),
        (.unknownKey(longKey, .parts(kind: bytes("user"), wanted: hostileString)), .wrongParts),
        (
            .unknownKey(longKey, .value(part: hostile, allowed: Array(repeating: hostile, count: 40))),
            .partNotAllowed
        ),
        (.ttlTooLong(longKey, max: .seconds(600)), .ttlTooLong),
        (.waitTooLong(longKey, max: .seconds(60)), .waitTooLong),
        (.priorityTooHigh(longKey, max: 3), .priorityTooHigh),
        (.cannotJoin(.severalKeys), .cannotJoin), (.cannotJoin(.shared), .cannotJoin),
        (.cannotJoin(.severalSlots(longKey, limit: 2)), .cannotJoin),
        (.tooOld(oldest: .max), .tooOld), (.notYet(newest: 0), .notYet),
        (.nothingKept(longKey), .nothingKept), (.keptByAnother(longKey, uid: .max), .forbidden),
        (.badPolicy(PolicyError(line: 3, column: 7, message: hostileString)), .badPolicy),
        (.noPolicy(hostileString), .badPolicy),
        (.requestDiffers(Text("r 1")), .requestDiffers),
        (.noProcess(.max), .noProcess), (.processOfAnother(1), .forbidden),
        (.forbidden(.max, uid: .max), .forbidden),
        (.administratorsOnly(.evict), .forbidden), (.noSuchTag(bytes("a1")), .noSuchTag),
        (.clockNotManual, .clockNotManual),
        (.tooManyConnections(max: 10_000, flag: "--connections-max"), .tooManyConnections),
        (.tooManyLeases(max: 1, flag: "--leases-max"), .tooManyLeases),
        (.tooManyWaiters(max: 1, flag: hostileString), .tooManyWaiters),
        (.tooManyCounted(max: 1, flag: hostileString), .tooManyCounted), (.noSpace, .noSpace),
        (.storage("write: Input/output error"), .storage), (.storage(hostileString), .storage),
        (.withdrawn, .withdrawn), (.stopping, .stopping), (.compactionStopped, .compactionStopped),
    ]

    @Test func eachIsOneLineThatReadsBack() throws {
        for (refusal, code) in RefusalTests.all {
            let line = written(.refused(refusal), tag: "tag-1")
            #expect(line.utf8.count < Limits.lineBytesMax, "\(line)")
            #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(line)")
            let read = try #require(replyLine(line))
            #expect(read.kind == .reply(.err))
            #expect(read.tag == bytes("tag-1"))
            #expect(read.code == code)
            let message = String(decoding: read.message, as: UTF8.self)
            #expect(message.contains(" ") && line.hasSuffix(" " + message), "\(line)")
        }
        #expect(Set(RefusalTests.all.map(\.1)) == Set(ErrorCode.allCases))
    }

    @Test func numbersStandBetweenCodeAndMessage() throws {
        let line = written(.refused(.ttlTooLong(key("user/42"), max: .seconds(600))))
        #expect(
            line
                == "ERR ttl-too-long max=600000ms the policy bounds the ttl of user/42; "
                + "write ttl=600000ms or less"
        )
        let read = try #require(replyLine(line))
        #expect(read.number("max") == 600_000)
        #expect(read.fields.count == 1)
    }
}
