// The words of the log, each spelled once: the encoder writes them, the decoder compares with them.

import LeaseModel

/// The first word of a record, with the space before it.
enum Word {
    static let log: StaticString = " log"
    static let granted: StaticString = " granted"
    static let grantedToken: StaticString = " granted token="
    static let renewed: StaticString = " renewed"
    static let released: StaticString = " released"
    static let releasedToken: StaticString = " released token="
    static let expired: StaticString = " expired"
    static let evicted: StaticString = " evicted"
    static let processEnded: StaticString = " process-ended"
    static let disconnected: StaticString = " disconnected"
    static let bound: StaticString = " bound"
    static let resumed: StaticString = " resumed"
    static let advanced: StaticString = " advanced"
    static let started: StaticString = " started"
    static let stopped: StaticString = " stopped"
    static let compacted: StaticString = " compacted"
    static let held: StaticString = " held"
    static let remembered: StaticString = " remembered"
    static let kept: StaticString = " kept"
    static let forgotten: StaticString = " forgotten"
    static let result: StaticString = " result"
    static let resting: StaticString = " resting"

    static func of(_ reason: EndReason) -> StaticString {
        switch reason {
        case .released: released
        case .expired: expired
        case .evicted: evicted
        case .processEnded: processEnded
        case .disconnected: disconnected
        }
    }
}

/// The names of fields, with the space before and the `=` behind; marks that only ever say yes are whole
/// fields.
enum Field {
    static let format: StaticString = " format="
    static let clockSystem: StaticString = " clock=system"
    static let clockManual: StaticString = " clock=manual"
    static let compactedYes: StaticString = " compacted=yes"
    static let compactedNo: StaticString = " compacted=no"
    static let token: StaticString = " token="
    static let key: StaticString = " key="
    static let owner: StaticString = " owner="
    static let uid: StaticString = " uid="
    static let pid: StaticString = " pid="
    static let ttl: StaticString = " ttl="
    static let maxHold: StaticString = " max-hold="
    static let shared: StaticString = " shared=yes"
    static let ephemeral: StaticString = " ephemeral=yes"
    static let process: StaticString = " while="
    static let request: StaticString = " request="
    static let note: StaticString = " note="
    static let takenBack: StaticString = " taken-back=yes"
    static let rest: StaticString = " rest="
    static let grace: StaticString = " grace="
    static let restart: StaticString = " restart=yes"
    static let boot: StaticString = " boot="
    static let shift: StaticString = " shift="
    static let lastToken: StaticString = " last-token="
    static let since: StaticString = " since="
    static let ownUntil: StaticString = " own-until="
    static let until: StaticString = " until="
    static let orphaned: StaticString = " orphaned="
    static let why: StaticString = " why="
    static let at: StaticString = " at="
    static let lines: StaticString = " lines="
    static let keep: StaticString = " keep="
    static let result: StaticString = " result="
    static let newest: StaticString = " newest="
    static let synced: StaticString = " synced="
    static let wall: StaticString = " wall="
    static let milliseconds: StaticString = "ms"
    static let nanoseconds: StaticString = "ns"
}

/// The numbers of the formats, and the bounds of a line.
package enum LogFormat {
    /// What this program writes.
    package static let number: UInt64 = 2
    /// The oldest that it reads. A file of it is written anew before anything is appended.
    package static let oldest: UInt64 = 1
    /// The longest line that is read, with its LF. The longest that is written is under 9,500 bytes.
    package static let lineBytesMax = 16_384
    /// The greatest number of a change, and token, that is read: as many more can be counted before one would
    /// not fit. Nothing that is written is held against it: no daemon lives to give so many.
    package static let numberMax = UInt64(Int64.max)
}
