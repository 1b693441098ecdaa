// Replies that were held back until their changes were on the disk, where that failed.

import LeaseModel

extension ReplyWriter {
    /// Appends one `ERR storage` for each reply in `held`, which holds complete ones, with its tag. Events
    /// in it are left out: they tell of changes that were not kept.
    package static func appendStorageFailure(
        _ reason: String, replacing held: Span<UInt8>, to output: inout [UInt8]
    ) {
        var start = 0
        while start < held.count {
            var end = start
            while end < held.count, held[end] != ASCII.lineFeed {
                end += 1
            }
            if let line = ReplyLine(held.extracting(start..<end)), case .reply = line.kind {
                append(.refused(.storage(reason)), tag: line.tag.span, to: &output)
            }
            start = end + 1
        }
    }
}
