// IDs that make an acquire safe to send again.

internal import LeaseModel

enum RequestID {
    /// 128 random bits: new for each acquire, in whatever process.
    static func fresh() -> Text {
        var generator = SystemRandomNumberGenerator()
        let number = UInt128(generator.next()) << 64 | UInt128(generator.next())
        return Text("swift-" + String(number, radix: 36))
    }
}
