// What a power cut would leave, worked out from the system calls: nothing but what was synced.

/// Follows the files of a data directory through a trace, and says where an answer came too early.
struct DurabilityModel {
    /// A file, whatever it is called.
    private final class File {
        var written = 0
        var synced = 0
        /// The write by which a token, or the number of an end, came in.
        var marks: [String: Int] = [:]
        /// The last change of each write of a log, in their order.
        var lasts: [(write: Int, sequence: UInt64)] = []
        /// The first change of the ring's first frame.
        var first: UInt64 = 0
        /// What is to be synced before anything is appended.
        var isCut = false

        /// A frame at the beginning begins a new turn: nothing of the one before counts from then on.
        func forget(overwritten call: SystemCall) {
            guard call.arguments.split(separator: ",").last?.hasPrefix(" 0)") == true else { return }
            marks = [:]
            let number = call.strings.first?.split(separator: "=").dropFirst().first?.prefix { $0.isNumber }
            first = number.flatMap { UInt64($0) } ?? 0
        }

        /// The last change that no power cut takes from it.
        var lastSynced: UInt64 { lasts.last { $0.write <= synced }?.sequence ?? 0 }

        func hasSynced(_ mark: String) -> Bool { marks[mark].map { $0 <= synced } ?? false }
    }

    private let folder: String
    private var named: [String: File] = [:]
    /// What each name may stand for after a power cut: nil is nothing.
    private var possible: [String: [File?]] = [:]
    private var syncsUnderWay: [(path: String, File, upTo: Int)] = []
    private(set) var faults: [String] = []
    private(set) var answers = 0
    private(set) var syncsOfRing = 0

    init(folder: String) { self.folder = folder }

    func mayStandForTwo(_ name: String) -> Bool { possible[name, default: []].count == 2 }

    mutating func follow(_ calls: [SystemCall]) {
        for call in calls {
            switch (call.name, call.moment) {
            case ("write", .began), ("pwrite64", .began): write(call)
            case ("fdatasync", .began), ("fsync", .began): syncBegan(call)
            case ("fdatasync", .ended), ("fsync", .ended): syncEnded(call)
            case ("ftruncate", .ended): file(of: call)?.isCut = true
            case ("renameat", .began), ("renameat2", .began): rename(call)
            case ("sendto", .began): answered(call)
            default: break
            }
        }
    }

    private mutating func file(of call: SystemCall) -> File? {
        guard call.path.hasPrefix(folder + "/") else { return nil }
        let name = String(call.path.dropFirst(folder.count + 1))
        if let known = named[name] { return known }
        let new = File()
        named[name] = new
        return new
    }

    private mutating func write(_ call: SystemCall) {
        guard let file = file(of: call), let text = call.strings.first else { return }
        if possible["numbers", default: []].contains(where: { $0 === file }) {
            faults.append("written into what may be called numbers after a power cut")
        }
        if file.isCut, call.path.hasSuffix("/log") { faults.append("appended to a cut that was not synced") }
        file.written += 1
        // What a frame is written over is lost; a cut may leave any part of it.
        if call.name == "pwrite64" { file.forget(overwritten: call) }
        for line in text.split(separator: "\\n") {
            let words = line.split(separator: " ")
            if words.first == "numbers" {
                file.marks = [String(words[2]): file.written]
                continue
            }
            if words.count > 3, let number = UInt64(words[1]) { file.lasts.append((file.written, number)) }
            guard words.count > 4, words[4].hasPrefix("token=") else { continue }
            let isEnd = ["released", "expired"].contains(words[3])
            file.marks[(isEnd ? "end of " : "") + words[4].dropFirst(6)] = file.written
        }
    }

    private mutating func syncBegan(_ call: SystemCall) {
        if let file = file(of: call) { syncsUnderWay.append((call.path, file, file.written)) }
    }

    private mutating func syncEnded(_ call: SystemCall) {
        if call.path == folder, call.succeeded {
            for (name, file) in named { possible[name] = [file] }
            return
        }
        guard let index = syncsUnderWay.firstIndex(where: { $0.path == call.path }) else { return }
        let sync = syncsUnderWay.remove(at: index)
        guard call.succeeded else { return }
        if call.path.hasSuffix("/log.ring") { syncsOfRing += 1 }
        sync.1.synced = max(sync.1.synced, sync.upTo)
        sync.1.isCut = false
    }

    /// The calls are by name, below the directory. From its beginning on either may be there.
    private mutating func rename(_ call: SystemCall) {
        guard call.strings.count == 2 else { return }
        let (from, to) = (String(call.strings[0]), String(call.strings[1]))
        guard let moved = named[from] else { return }
        if moved.synced < moved.written { faults.append("\(from) is called \(to), and is not synced") }
        let replaced = named[to]
        possible[to, default: [replaced]].append(moved)
        named[to] = moved
        named[from] = call.arguments.contains("RENAME_EXCHANGE") ? replaced : nil
    }

    /// Every log that may be there after a power cut has to have what was answered, or all that a ring which
    /// has it goes on behind; and every `numbers` its token.
    private mutating func answered(_ call: SystemCall) {
        guard let text = call.strings.first else { return }
        for line in text.split(separator: "\\n") {
            var words = line.split(separator: " ")
            if words.first?.hasPrefix("#") == true { words.removeFirst() }
            guard words.count > 2, words[0] == "OK", words[1].hasPrefix("token=") else { continue }
            let token = String(words[1].dropFirst(6))
            let mark = (words[2].hasPrefix("held=") ? "end of " : "") + token
            answers += 1
            let rings = possible["log.ring"] ?? [nil]
            for log in possible["log"] ?? [nil] where log?.hasSynced(mark) != true {
                let last = log?.lastSynced ?? 0
                if rings.allSatisfy({ $0?.hasSynced(mark) == true && $0!.first <= last + 1 }) { continue }
                faults.append("answered before it was synced: \(line)")
            }
            for numbers in possible["numbers"] ?? [nil] {
                let reserved = numbers?.marks.first { $0.value <= numbers!.synced }?.key.dropFirst(6)
                if UInt64(reserved ?? "") ?? 0 < UInt64(token)! {
                    faults.append("the token was not set aside: \(line)")
                }
            }
        }
    }
}
