// How the ring stands: where its next frame goes, or whether the log itself is synced instead.

internal import LeaseLog
internal import LeaseModel

/// A sync of the log makes all of the ring's frames needless, so the next one is written over its beginning.
struct RingState {
    private enum Stage { case none, making, ready }

    let size: Int
    private var stage = Stage.none
    private var syncsToCome: Int
    /// Bytes of the next frame's records.
    var pendingBytes = 0
    private var used = 0
    /// The last change of the last frame, or of the last sync of the log.
    private var last: Sequence64
    private var synced: Sequence64
    var mustSyncLog = false

    init(size: Int, syncsBefore: Int, sequence: Sequence64) {
        self.size = size
        syncsToCome = syncsBefore
        last = sequence
        synced = sequence
        if size == 0 { giveUp() }
    }

    var isReady: Bool { stage == .ready }
    var isWanted: Bool { stage == .none && syncsToCome == 0 }

    mutating func beginMaking() { stage = .making }

    /// Its first frame goes on behind a sync of the log.
    mutating func made() {
        stage = .ready
        mustSyncLog = true
        pendingBytes = 0
    }

    mutating func giveUp() {
        stage = .none
        syncsToCome = .max
        pendingBytes = 0
    }

    /// The ring's next frame, or nil where the log is to be synced.
    mutating func nextWrite(upTo sequence: Sequence64) -> RingWrite? {
        let bytes = RingFrame.headBytes + pendingBytes
        pendingBytes = 0
        defer { last = sequence }
        guard isReady, !mustSyncLog, sequence > last, used + bytes <= size else {
            mustSyncLog = false
            return nil
        }
        defer { used += bytes }
        return RingWrite(first: last + 1, last: sequence, offset: used, synced: synced)
    }

    mutating func logSynced(upTo sequence: Sequence64) {
        synced = max(synced, sequence)
        used = 0
        if stage == .none, syncsToCome > 0, syncsToCome < .max { syncsToCome -= 1 }
    }

    mutating func synced(_ write: RingWrite) { synced = write.last }
}
