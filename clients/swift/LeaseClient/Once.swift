// Single flight: of several who want the same work done, one does it, and all get its result.

internal import LeaseModel
internal import LeaseWire

#if canImport(FoundationEssentials)
    private import FoundationEssentials
#else
    private import Foundation
#endif

/// What came of work that is done once for all who want it.
public struct LeaseResult<Value> {
    public let value: Value
    /// Whether this call did the work.
    public let didWork: Bool
    /// The lease under which it was done.
    public let token: UInt64
    /// How long ago it was done, where the result had been kept; else nil.
    public let age: Swift.Duration?
    /// Whether the others can have it, too: false where this call did the work and its result is too long, or
    /// its lease was over before it was done.
    public let isShared: Bool
}

extension LeaseResult: Sendable where Value: Sendable {}
extension LeaseResult: Equatable where Value: Equatable {}

extension LeaseClient {
    /// The longest result that can be shared, in bytes as the protocol prints them: everything but
    /// printable ASCII counts three.
    public static let resultBytesMax = Limits.resultBytesMax

    /// Does some work, or takes the result of whoever does it already.
    ///
    /// Where nobody holds the key and no result is kept, the body does the work under a lease, as in
    /// ``withLease(on:ttl:waitingUpTo:priority:shared:note:isolation:_:)``, and all who wait for it meanwhile
    /// get what it returns. Where it throws, the next one in line does the work.
    ///
    ///     let page = try await leases.once(on: "background/ann", keep: .seconds(300)) { lease in
    ///         Array(try await draw().utf8)
    ///     }
    ///
    /// - Parameters:
    ///   - key: What the work is for; a key with one slot.
    ///   - ttl: How long the lease lasts after each renewal. By default what the policy says.
    ///   - keep: How long the result also answers later calls. By default what the policy says.
    ///   - refreshing: Does the work anew, after somebody else's where that is under way. Its result replaces
    ///     the one that is kept.
    ///   - wait: How long to wait for somebody else's work; by default a minute, or less where the policy's
    ///     `max-wait` is less.
    ///   - note: For others to read, at most 255 bytes.
    ///   - body: The work. What it returns can be shared up to ``resultBytesMax``.
    /// - Throws: What the body threw; ``LeaseError``, as `withLease` does.
    public func once(
        on key: LeaseKey, ttl: Swift.Duration? = nil, keep: Swift.Duration? = nil,
        refreshing: Bool = false, waitingUpTo wait: Swift.Duration? = nil, note: String? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (Lease) async throws -> [UInt8]
    ) async throws -> LeaseResult<[UInt8]> {
        try await once(
            on: key, ttl: ttl, keep: keep, refreshing: refreshing, wait: wait, note: note,
            encode: { $0 }, decode: { $0 }, body)
    }

    /// Does some work, or takes the result of whoever does it already: as
    /// ``once(on:ttl:keep:refreshing:waitingUpTo:note:isolation:_:)``, with a value that travels as JSON.
    ///
    /// - Throws: Also what its coding throws, as where somebody else's result is no such value.
    public func once<Value: Codable>(
        _ type: Value.Type, on key: LeaseKey, ttl: Swift.Duration? = nil, keep: Swift.Duration? = nil,
        refreshing: Bool = false, waitingUpTo wait: Swift.Duration? = nil, note: String? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (Lease) async throws -> Value
    ) async throws -> LeaseResult<Value> {
        try await once(
            on: key, ttl: ttl, keep: keep, refreshing: refreshing, wait: wait, note: note,
            encode: { Array(try JSONEncoder().encode($0)) },
            decode: { try JSONDecoder().decode(type, from: Data($0)) }, body)
    }

    private func once<Value>(
        on key: LeaseKey, ttl: Swift.Duration?, keep: Swift.Duration?, refreshing: Bool,
        wait: Swift.Duration?, note: String?,
        encode: (Value) throws -> [UInt8], decode: ([UInt8]) throws -> Value,
        isolation: isolated (any Actor)? = #isolation, _ body: (Lease) async throws -> Value
    ) async throws -> LeaseResult<Value> {
        var request = try acquireRequest([key], ttl: ttl, priority: 0, isShared: false, note: note)
        request.joins = !refreshing
        let record = makeRecord(request.keys)
        let answer = try await ask(
            .acquire(request), .acquire(record), waitEnd: waitEnd(wait ?? .seconds(60)),
            mayWaitLess: wait == nil
        ).answer
        if answer.status == .done {
            return LeaseResult(
                value: try decode(Text(printed: answer.first.value("result") ?? []).decoded),
                didWork: false, token: answer.first.number("token") ?? 0,
                age: answer.first.duration("age"), isShared: true)
        }
        let work = await run(body, under: Lease(record, keys: [key]))
        let shared = work.result.flatMap { value in Result { Text(encoding: try encode(value)) } }
        let fitting = (try? shared.get()).flatMap { $0.bytes.count <= Limits.resultBytesMax ? $0 : nil }
        let end = await release(
            record, result: fitting, keep: fitting == nil ? nil : keep.map { LeaseModel.Duration($0) })
        let value = try work.value(endingWith: end)
        // What can't be encoded can't be shared, and somebody has to hear of that.
        _ = try shared.get()
        return LeaseResult(
            value: value, didWork: true, token: record.token, age: nil,
            isShared: fitting != nil && end.wasReleased)
    }

    /// Drops the kept result of a key, so that the work is done anew. For whose work it was, and for
    /// administrators.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: ``LeaseError``: `forbidden`, `invalid`, `unavailable`.
    @discardableResult
    public func forget(_ key: LeaseKey) async throws -> Bool {
        do {
            _ = try await ask(.forget(try key.read()), .repeatable)
            return true
        } catch LeaseError.invalid(let refusal) where refusal.code == "nothing-kept" {
            return false
        }
    }
}
