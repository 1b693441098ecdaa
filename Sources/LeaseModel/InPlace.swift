// What keeps a large value where it is.

/// A property of a large `~Copyable` struct that is asked something for every request. The compiler hands
/// what it could load into registers to a method as a value, however large: before each call of one that only
/// reads, all of it is copied to the stack (3 KB for the server, a tenth of a request's time). A value of any
/// type can't be loaded, only pointed at; so what holds one is passed by its address, and so is whatever
/// holds that.
public struct InPlace: ~Copyable, Sendable {
    private let anchor: any Sendable = ()

    public init() {}
}
