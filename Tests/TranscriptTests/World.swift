// What a transcript is run against: a daemon with its connections and processes, real or simulated.

/// A transcript can't go on.
struct Stuck: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What came next on a connection.
enum Arrival: Equatable {
    case line([UInt8])
    /// The daemon has closed it.
    case closed
    /// Nothing, for as long as one can wait.
    case nothing
}

/// Names are those of the transcript.
protocol World: AnyObject {
    /// What `$UID` stands for.
    var uid: UInt32 { get }

    func start(flags: [String], policy: [UInt8]?) throws(Stuck)
    /// In order: nobody is granted anything more, those in line are answered. Ends when all is on the disk.
    func stop() throws(Stuck)
    /// The policy file is another one from now on. A daemon that serves reads it when it is told to.
    func write(policy: [UInt8]) throws(Stuck)
    /// SIGHUP.
    func hangUpSignal() throws(Stuck)
    /// At once, in the middle of everything.
    func kill() throws(Stuck)
    /// Whatever is done from now on comes to the daemon at the same moment.
    func pause() throws(Stuck)
    func resume() throws(Stuck)

    /// - Returns: the peer's pid, and its command as the daemon prints it.
    func connect(_ name: String, uid: UInt32?) throws(Stuck) -> (pid: Int32, command: String)
    func send(_ name: String, _ bytes: [UInt8]) throws(Stuck)
    func endInput(_ name: String) throws(Stuck)
    func hangUp(_ name: String) throws(Stuck)
    /// Takes the next line, without its end.
    func next(_ name: String) throws(Stuck) -> Arrival
    /// All that was sent has been looked at, and all that it caused has arrived.
    func settle() throws(Stuck)
    /// What has come to a connection and has not been taken.
    func unread(_ name: String) throws(Stuck) -> [UInt8]
    /// Whether the daemon has closed it. Asked after `unread`.
    func isClosed(_ name: String) throws(Stuck) -> Bool

    /// - Returns: its pid.
    func startProcess(_ name: String, uid: UInt32?) throws(Stuck) -> Int32
    func endProcess(_ name: String) throws(Stuck)
}
