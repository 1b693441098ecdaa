// Which format has a word or a field first: a file of an older one can't hold it.

import LeaseModel

extension Change {
    /// The oldest format in which this can be written.
    var format: UInt64 {
        switch self {
        case .granted(let grant): grant.format
        case .held(let lease): lease.grant.format
        case .ended(let ending): ending.rests.isEmpty ? 1 : 2
        case .resting, .kept, .forgotten, .result: 2
        case .renewed, .bound, .resumed, .advanced, .started, .stopped, .compacted, .remembered: 1
        }
    }
}

extension Grant {
    fileprivate var format: UInt64 { maxHold == nil ? 1 : 2 }
}
