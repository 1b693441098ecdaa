// Why a call could not be carried out now, as the thread of the connection sees it.

internal import LeaseModel
internal import LeaseWire

enum Outage: Error, Sendable, Equatable {
    case unreachable(SocketSearch, Unreachable)
    /// It was connected to, but says nothing.
    case silent(path: String)
    /// It closed the connection, and did not come back.
    case gone(path: String)
    /// It said `ERR` about the connection, or that it stops.
    case refused(path: String, code: [UInt8], message: [UInt8])
    /// This process has no descriptor or thread to spare.
    case noResources(code: Int32)
}
