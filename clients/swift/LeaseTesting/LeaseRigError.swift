// Why a test has no daemon, or not what it waits for.

/// What goes wrong with a ``LeaseRig``.
public struct LeaseRigError: Error, CustomStringConvertible, Sendable {
    /// What is the matter, in a sentence.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
