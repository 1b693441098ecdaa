// What the server wants done: it does nothing by itself.

package import LeaseCore
package import LeaseModel

/// A wish of the server to whoever runs it. What comes of it is told by the call that the case names.
package enum Directive: Equatable {
    /// Watch this process, or say `processEnded` if it is no longer there.
    case watch(ProcessIdentity)
    case unwatch(ProcessIdentity)
    /// Look at the process of this pid; answer with `inspected`.
    case inspect(pid: Int32, ticket: UInt64)
    /// Read the policy again; answer with `policyRead`.
    case readPolicy
    /// Set space aside in the log, so that it can grow to `wanted` bytes, or at least to `least`; answer with
    /// `spaceReserved`, always.
    case reserveSpace(wanted: Int, least: Int)
    /// Write down that numbers up to these may be used, synced; answer with `numbersReserved`.
    case reserveNumbers(Numbers)
    /// Nothing more comes from or goes to this connection.
    case close(ConnectionID)
    case pauseReading(ConnectionID)
    case resumeReading(ConnectionID)
    /// Make an empty file for the compacted log; its bytes come with each batch. Say `compactionFailed` if
    /// not.
    case beginCompaction
    /// Set aside space for `size` bytes in it and sync it; answer with `compactionSynced`.
    case syncCompaction(size: Int)
    /// Sync it again, put it in the log's place, and sync the directory. Until `compactionInstalled` says
    /// that this is done, nothing counts as logged.
    case installCompaction
    case dropCompaction
}

/// The greatest numbers that may be used.
package struct Numbers: Equatable, Sendable {
    package var token: Token
    package var sequence: Sequence64

    package init(token: Token, sequence: Sequence64) {
        self.token = token
        self.sequence = sequence
    }
}
