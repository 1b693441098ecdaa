// The policy file, from its path to a policy or to what is wrong with it.

import Glibc
import LeaseIO
import LeaseModel

/// Reads the policy file.
enum PolicyFile {
    /// The policy in a file, or the built-in one for nil. What is wrong in the file is said as
    /// `FILE:LINE:COLUMN: message`, what is wrong with the file as a sentence.
    static func read(_ path: String?) throws(Complaint) -> Policy {
        do throws(Problem) {
            return try load(path)
        } catch {
            throw error.complaint
        }
    }

    /// Why there is no policy.
    enum Problem: Error {
        case unreadable(Complaint)
        case wrong(PolicyError, path: String)

        var complaint: Complaint {
            switch self {
            case .unreadable(let complaint): complaint
            case .wrong(let error, let path):
                Complaint(.config, "\(path):\(error.line):\(error.column): \(error.message)")
            }
        }

        /// For who asked for it on the wire.
        var refusal: Refusal {
            switch self {
            case .unreadable(let complaint): .noPolicy(complaint.sentence)
            case .wrong(let error, _): .badPolicy(error)
            }
        }
    }

    /// The same, for a daemon that serves already.
    static func load(_ path: String?) throws(Problem) -> Policy {
        guard let path else { return .builtIn }
        let bytes: [UInt8]
        do throws(Complaint) {
            bytes = try self.bytes(path)
        } catch {
            throw .unreadable(error)
        }
        do throws(PolicyError) {
            return try PolicyReader.read(bytes.span)
        } catch {
            throw .wrong(error, path: path)
        }
    }

    /// What `--check` prints of a good policy, without the line's end.
    static func check(_ path: String?) throws(Complaint) -> String {
        let policy = try read(path)
        let kinds = count(policy.kinds.count, "kind")
        let patterns = count(policy.patterns.count, "pattern")
        return "\(path ?? "the built-in policy") is good: \(kinds), \(patterns)"
    }

    private static func bytes(_ path: String) throws(Complaint) -> [UInt8] {
        do throws(Errno) {
            return try readRegularFile(path, bytesMax: Limits.policyBytesMax)
        } catch {
            switch error {
            case Errno(code: EFBIG):
                throw Complaint(
                    .config,
                    "the policy file \(path) is larger than \(Limits.policyBytesMax) bytes")
            case .notRegularFile:
                throw Complaint(.unreadablePolicy, "the policy file \(path) is not a regular file")
            default:
                throw Complaint(
                    error.code == EIO ? .io : .unreadablePolicy,
                    "can't read the policy file \(path): \(error)")
            }
        }
    }

    private static func count(_ number: Int, _ what: String) -> String {
        number == 1 ? "1 \(what)" : "\(number) \(what)s"
    }
}
