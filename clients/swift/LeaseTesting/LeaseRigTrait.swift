// A daemon for each test that says so.

#if canImport(Testing)
    public import Testing

    /// Gives each test a daemon of its own, as ``LeaseRig/current``.
    ///
    ///     @Test(.leaseRig(clock: .manual)) func oneAtATime() async throws {
    ///         let rig = LeaseRig.current
    ///         …
    ///     }
    public struct LeaseRigTrait: TestTrait, SuiteTrait, TestScoping {
        let clock: LeaseRig.Clock
        let policy: String?
        let flags: [String]

        /// A suite hands it down to its tests.
        public var isRecursive: Bool { true }

        public func provideScope(
            for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
        ) async throws {
            let rig = try await LeaseRig.start(clock: clock, policy: policy, flags: flags)
            do {
                try await LeaseRig.$running.withValue(rig) { try await function() }
            } catch {
                try await rig.stop()
                throw error
            }
            try await rig.stop()
        }
    }

    extension Trait where Self == LeaseRigTrait {
        /// A daemon of its own for each test: see ``LeaseRig/start(clock:policy:flags:)``.
        public static func leaseRig(
            clock: LeaseRig.Clock = .system, policy: String? = nil, flags: [String] = []
        ) -> LeaseRigTrait {
            LeaseRigTrait(clock: clock, policy: policy, flags: flags)
        }
    }

    extension LeaseRig {
        @TaskLocal static var running: LeaseRig?

        /// The rig of the running test, which has the trait `.leaseRig()`.
        public static var current: LeaseRig {
            guard let running else { preconditionFailure("give the test the trait .leaseRig()") }
            return running
        }
    }
#endif
