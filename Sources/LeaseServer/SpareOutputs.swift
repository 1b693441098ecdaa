// Memory for what goes out, handed from one connection to the next.

/// Buffers that were sent to their end. Who writes next goes on with one of them, so that a busy connection's
/// buffer need not grow anew for each of its batches, and an idle connection keeps no large one.
struct SpareOutputs {
    private static let countMax = 64
    /// So much may stay with an idle connection.
    private static let keptBytesMax = 1 << 10
    /// One that was larger than this was so for a reply that is rare.
    private static let bytesMax = 64 << 10

    private var buffers: [[UInt8]] = []

    /// Gives room to an output that has none.
    mutating func give(to output: inout [UInt8]) {
        guard output.capacity == 0, let buffer = buffers.popLast() else { return }
        output = buffer
    }

    /// Takes the room of an output that is at its end.
    mutating func take(from output: inout [UInt8]) {
        guard output.capacity > SpareOutputs.keptBytesMax else {
            output.removeAll(keepingCapacity: true)
            return
        }
        var buffer: [UInt8] = []
        swap(&buffer, &output)
        guard buffers.count < SpareOutputs.countMax, buffer.capacity <= SpareOutputs.bytesMax else { return }
        buffer.removeAll(keepingCapacity: true)
        buffers.append(buffer)
    }
}
