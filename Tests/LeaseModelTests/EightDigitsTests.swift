// Digits, eight at a time: written and read back.

import LeaseModel
import Testing

@Suite struct EightDigitsTests {
    /// What stands behind the digits does not matter, whatever byte it is.
    @Test func readsHowManyStandThereAndWhatTheyMean() {
        for behind in UInt8.min...UInt8.max where !isDigit(behind) {
            for count in 0...8 {
                let digits = Array("97531864".utf8.prefix(count))
                let read = EightDigits.read(eight(digits + Array(repeating: behind, count: 8 - count)))
                #expect(read.count == count)
                #expect(read.number == UInt64(String(decoding: digits, as: UTF8.self)) ?? 0)
            }
        }
    }

    @Test func whatComesBehindIsNoPartOfIt() {
        let read = EightDigits.read(eight(Array("12 45678".utf8)))
        #expect(read.number == 12 && read.count == 2)
    }

    @Test func eachDigitCountsInItsPlace() {
        var number: UInt64 = 1
        for _ in 0..<8 {
            for digit in 1...9 as ClosedRange<UInt64> {
                let written = EightDigits.of(number * digit) | 0x3030_3030_3030_3030
                let read = EightDigits.read(written)
                #expect(read.number == number * digit && read.count == 8)
            }
            number *= 10
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private func eight(_ bytes: [UInt8]) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
