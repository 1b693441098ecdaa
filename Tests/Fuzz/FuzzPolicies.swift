// The reader of policies under libFuzzer: a file is a policy or one mistake with its place, and every key is
// answered.

import LeaseModel

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    do throws(PolicyError) {
        let policy = try PolicyReader.read(input.span)
        askForKeys(of: policy)
        // Without its comments and blank lines it says the same.
        let source = policy.source.flatMap { $0.text + [UInt8(ascii: "\n")] }
        let again = try PolicyReader.read(source.span)
        precondition(again.kinds.map(\.name) == policy.kinds.map(\.name), "other kinds")
        precondition(again.kinds.map(\.rules) == policy.kinds.map(\.rules), "other rules of kinds")
        precondition(again.patterns.map(\.parts) == policy.patterns.map(\.parts), "other patterns")
        precondition(again.patterns.map(\.rules) == policy.patterns.map(\.rules), "other rules")
    } catch {
        let lines = input.count { $0 == UInt8(ascii: "\n") } + 1
        precondition((1...lines).contains(error.line), "the mistake has no such line")
        precondition(error.column >= 1 && error.column <= input.count + 1, "nor column")
        precondition(!error.message.isEmpty, "nothing is said")
    }
    return 0
}

private func askForKeys(of policy: Policy) {
    for kind in policy.kinds {
        // The values of parts are spelled as in keys.
        let parts = kind.parts.map { $0.values.first ?? [UInt8(ascii: "x")] }
        let spelling = Array(([kind.name] + parts).joined(separator: [UInt8(ascii: "/")]))
        guard spelling.count <= Limits.keyBytesMax else { continue }
        let key = Key(printed: spelling)
        precondition((try? Key.read(spelling.span)) == key, "a value has another spelling than in keys")
        guard let rules = try? policy.rules(for: key) else {
            preconditionFailure("a key of a kind that is named is refused")
        }
        precondition(rules.limit >= 1 && rules.limit <= Limits.slotsPerKeyMax, "no slot")
    }
    let stranger = Key(printed: Array("no-such-kind/1".utf8))
    let isNamed = policy.kinds.contains { $0.name == Array("no-such-kind".utf8) }
    precondition(isNamed || (try? policy.rules(for: stranger)) == nil, "a key of no kind has rules")
}
