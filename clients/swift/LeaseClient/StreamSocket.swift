// The system calls of a connection: none blocks but `wait`, and none raises a signal.

internal import LeaseModel

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

enum StreamSocket {
    enum Received {
        case bytes([UInt8])
        case nothing
        case closed
    }

    enum Sent {
        case sent(Int)
        case full
        case closed
    }

    /// A descriptor that does not block, and that no executed program gets.
    static func connect(to path: String, until deadline: Instant) throws(Unreachable) -> Int32 {
        var address = try address(of: path)
        let descriptor = socket(AF_UNIX, streamType, 0)
        guard descriptor >= 0 else { throw .system(code: errno) }
        do throws(Unreachable) {
            try makeReady(descriptor)
            while !(try tryConnecting(descriptor, to: &address)) {
                guard BootClock.now() < deadline else { throw .notAnswering }
                // The daemon's queue is full, and nothing tells when there is room.
                usleep(5_000)
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    static func receive(from descriptor: Int32) -> Received {
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            while true {
                let count = recv(descriptor, room.baseAddress, room.count, 0)
                if count > 0 { return .bytes(Array(room[..<count])) }
                if count == 0 { return .closed }
                if errno == EINTR { continue }
                return errno == EAGAIN || errno == EWOULDBLOCK ? .nothing : .closed
            }
        }
    }

    static func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Sent {
        while true {
            #if canImport(Glibc)
                let count = bytes.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            #else
                let count = bytes.withUnsafeBytes { Darwin.send(descriptor, $0.baseAddress, $0.count, 0) }
            #endif
            if count >= 0 { return .sent(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? .full : .closed
        }
    }

    /// Waits until the descriptor is ready, the deadline has passed, or a while is over; a signal ends it,
    /// too. So look again at what was waited for.
    static func wait(for descriptor: Int32, _ events: Int16, until deadline: Instant) {
        var look = pollfd(fd: descriptor, events: events, revents: 0)
        poll(&look, 1, BootClock.pollMilliseconds(until: deadline))
    }

    #if canImport(Glibc)
        private static let streamType = Int32(SOCK_STREAM.rawValue)
    #else
        private static let streamType = SOCK_STREAM
    #endif

    private static func address(of path: String) throws(Unreachable) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytesMax = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard path.utf8.count <= bytesMax else { throw .pathTooLong(bytesMax: bytesMax) }
        guard !path.utf8.isEmpty, !path.utf8.contains(0) else { throw .noSocket }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return address
    }

    private static func makeReady(_ descriptor: Int32) throws(Unreachable) {
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0
        else { throw .system(code: errno) }
        #if !canImport(Glibc)
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &yes, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }

    /// - Returns: false where there is no room for another connection at the moment.
    private static func tryConnecting(
        _ descriptor: Int32, to address: inout sockaddr_un
    ) throws(Unreachable) -> Bool {
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #if canImport(Glibc)
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                #else
                    Darwin.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                #endif
            }
        }
        if code == 0 { return true }
        switch errno {
        case EAGAIN, EINTR: return false
        case ENOENT, ENOTDIR: throw .noSocket
        case ECONNREFUSED: throw .notListening
        case EACCES, EPERM: throw .permissionDenied
        case let other: throw .system(code: other)
        }
    }
}
