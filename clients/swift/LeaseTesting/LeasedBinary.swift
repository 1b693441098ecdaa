// Where the daemon's program is.

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

enum LeasedBinary {
    /// The first that can be executed: `$LEASED_BINARY` (that one or none), `leased` beside the running
    /// program, which is where SwiftPM builds it, and `leased` in the directories of `$PATH`.
    static func find() throws(LeaseRigError) -> String {
        if let told = variable("LEASED_BINARY"), !told.isEmpty {
            guard canExecute(told) else {
                throw LeaseRigError("LEASED_BINARY is \(told), which can't be executed")
            }
            return told
        }
        let folders = [folderOfThisProgram()].compactMap { $0 }
            + (variable("PATH") ?? "").split(separator: ":").map(String.init)
        for folder in folders where canExecute("\(folder)/leased") {
            return "\(folder)/leased"
        }
        throw LeaseRigError(
            "the program leased was not found in \(folders.joined(separator: ", ")); "
                + "set LEASED_BINARY to its path")
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func canExecute(_ path: String) -> Bool {
        access(path, X_OK) == 0
    }

    private static func folderOfThisProgram() -> String? {
        guard let path = realpath("/proc/self/exe", nil) ?? realpath(CommandLine.arguments[0], nil)
        else { return nil }
        defer { free(path) }
        let folders = String(cString: path).split(separator: "/").dropLast()
        return "/" + folders.joined(separator: "/")
    }
}
