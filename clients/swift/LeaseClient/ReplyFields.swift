// The fields of a reply as Swift's own values.

package import LeaseModel
internal import LeaseWire

extension ReplyLine {
    /// A text, with its percent-encoding taken away.
    func text(_ name: String) -> String? {
        value(name).map { String(decoding: Text(printed: $0).decoded, as: UTF8.self) }
    }

    /// A word of the protocol; empty where the line has none of that name.
    func word(_ name: String) -> String {
        String(decoding: value(name) ?? [], as: UTF8.self)
    }

    func count(_ name: String) -> Int? {
        number(name).flatMap { Int(exactly: $0) }
    }

    func flag(_ name: String) -> Bool {
        word(name) == "yes"
    }

    func milliseconds(_ name: String) -> Int64? {
        number(name).flatMap { Int64(exactly: $0) }
    }

    func duration(_ name: String) -> Swift.Duration? {
        milliseconds(name).map { Swift.Duration.milliseconds($0) }
    }

    func keys(_ name: String) -> [LeaseKey] {
        (value(name) ?? []).split(separator: UInt8(ascii: ",")).map { LeaseKey(Key(printed: Array($0))) }
    }
}

extension LeaseModel.Duration {
    /// Rounded up to the next nanosecond; never negative, and cut where it is very long.
    package init(_ duration: Swift.Duration) {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else {
            self = .zero
            return
        }
        let whole = LeaseModel.Duration.seconds(seconds).nanoseconds
        let (sum, overflow) = whole.addingReportingOverflow((attoseconds + 999_999_999) / 1_000_000_000)
        self.init(nanoseconds: overflow ? .max : sum)
    }
}

extension Swift.Duration {
    init(_ duration: LeaseModel.Duration) {
        self = .nanoseconds(duration.nanoseconds)
    }
}
