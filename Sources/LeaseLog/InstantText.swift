// The text of the last instant, for the next record.

internal import LeaseModel

/// An instant as it was written last: within a pass it is the same for all records.
package struct InstantText: Sendable {
    /// A sign, 10 digits of seconds, a point and 9 decimals.
    private static let bytesMax = 24
    let instant: Instant
    let count: Int
    private(set) var bytes: InlineArray<24, UInt8>

    /// None yet.
    package init() {
        instant = .zero
        count = 0
        bytes = InlineArray(repeating: 0)
    }

    init(_ instant: Instant, _ text: UnsafeRawBufferPointer) {
        precondition(text.count <= Self.bytesMax, "no instant is longer")
        self.instant = instant
        count = text.count
        bytes = InlineArray(repeating: 0)
        for index in 0..<text.count {
            bytes[index] = text[index]
        }
    }
}
