// A disk that can be cut off, filled up and broken: what was not synced may be gone, page by page.

/// Why a call to the disk did not come back with what was asked for.
enum DiskFailure: Error, Equatable {
    /// The process has ended in the middle of the call.
    case killed
    case noSpace
    case broken
}

/// A file, as the kernel shows it and as the disk has it.
final class Inode {
    static let pageBytes = 512

    var cached: [UInt8] = []
    var durable: [UInt8] = []
    /// Up to here space is set aside.
    var reserved = 0
    /// Pages that the kernel could not write and takes for clean.
    var forgotten: Set<Int> = []

    var bytesTaken: Int { max(cached.count, reserved) }

    /// What is cached now is what a sync that begins now makes durable.
    func finishSync(of snapshot: [UInt8]) {
        guard !forgotten.isEmpty else {
            durable = snapshot
            return
        }
        var new = snapshot
        for page in forgotten {
            let from = page * Inode.pageBytes
            for index in from..<min(from + Inode.pageBytes, new.count) {
                new[index] = index < durable.count ? durable[index] : 0
            }
        }
        durable = new
    }

    /// The kernel drops what it could not write, and never tries again.
    func failSync() {
        for page in 0...(cached.count / Inode.pageBytes) where isDirty(page) { forgotten.insert(page) }
    }

    private func isDirty(_ page: Int) -> Bool { bytes(page, in: cached) != bytes(page, in: durable) }

    private func bytes(_ page: Int, in file: [UInt8]) -> ArraySlice<UInt8> {
        let from = min(page * Inode.pageBytes, file.count)
        return file[from..<min(from + Inode.pageBytes, file.count)]
    }

    /// The power goes: each page that was not synced is there, or as it was, or half of each, or empty; and
    /// the file ends anywhere between its old end and its new one.
    func cut(_ draw: inout Draw) {
        reserved = 0
        defer {
            cached = durable
            forgotten = []
        }
        guard cached != durable else { return }
        switch draw.below(4) {
        case 0: return
        case 1 where forgotten.isEmpty:
            durable = cached
            return
        default: break
        }
        let (least, most) = (min(cached.count, durable.count), max(cached.count, durable.count))
        let size = draw.chance(40) ? cached.count : Int(draw.range(Int64(least)...Int64(most)))
        var found = [UInt8](repeating: 0, count: size)
        for page in 0..<(size + Inode.pageBytes - 1) / Inode.pageBytes {
            let range = page * Inode.pageBytes..<min(size, (page + 1) * Inode.pageBytes)
            let split = range.lowerBound + draw.below(range.count + 1)
            let way = isDirty(page) && !forgotten.contains(page) ? draw.below(8) : 0
            for index in range {
                // 0 to 2: as it was; 3 to 5: as it was to be; 6: half of each; 7: zeros where nothing was.
                let isNew = way >= 3 && (way < 6 || way == 6 && index < split)
                let source = isNew ? cached : durable
                found[index] = index < source.count ? source[index] : 0
            }
        }
        durable = found
    }
}

/// What a call was going to do to the names when the power went.
private enum NameChange {
    case link(String, Inode)
    case unlink(String)
    case rename(String, to: String)
    case exchange(String, String)
}

final class Disk {
    private(set) var names: [String: Inode] = [:]
    private var durableNames: [String: Inode] = [:]
    /// Changes of names since the directory was synced, in order.
    private var pending: [NameChange] = []
    /// How much there is room for, all files together.
    var capacity = 1 << 30
    /// Writes and syncs fail.
    var isBroken = false
    /// What could not be written once is never tried again, as the kernel does it.
    var forgets = false
    /// It says that it has synced, and has not: the fault that no program can survive.
    var lies = false
    /// Nobody asks it whether it has what the kernel shows.
    var isBelieved = false
    /// The process ends within this many calls.
    var fuse: Int?
    private var draw: Draw

    init(_ draw: Draw) { self.draw = draw }

    private var free: Int { capacity - names.values.reduce(0) { $0 + $1.bytesTaken } }
    var bytesTaken: Int { names.values.reduce(0) { $0 + $1.bytesTaken } }

    /// Whether the process ends here.
    private func burn() -> Bool {
        guard let left = fuse else { return false }
        fuse = left - 1
        return left <= 1
    }

    // Names.

    func exists(_ name: String) -> Bool { names[name] != nil }

    func open(_ name: String) -> Inode? { names[name] }

    func create(_ name: String) throws(DiskFailure) -> Inode {
        try call { () throws(DiskFailure) in
            let file = Inode()
            apply(.link(name, file))
            return file
        }
    }

    func remove(_ name: String) throws(DiskFailure) {
        try call { () throws(DiskFailure) in if names[name] != nil { apply(.unlink(name)) } }
    }

    func rename(_ name: String, to new: String) throws(DiskFailure) {
        try call { () throws(DiskFailure) in apply(.rename(name, to: new)) }
    }

    func exchange(_ one: String, _ other: String) throws(DiskFailure) {
        try call { () throws(DiskFailure) in apply(.exchange(one, other)) }
    }

    func syncDirectory() throws(DiskFailure) {
        try call { () throws(DiskFailure) in
            if isBroken { throw .broken }
            if lies { return }
            durableNames = names
            pending = []
        }
    }

    /// A call happens or does not happen before the process ends.
    private func call<Value>(_ body: () throws(DiskFailure) -> Value) throws(DiskFailure) -> Value {
        let ends = burn()
        if ends, draw.chance(50) { throw .killed }
        let value = try body()
        if ends { throw .killed }
        return value
    }

    private func apply(_ change: NameChange) {
        Disk.apply(change, to: &names)
        pending.append(change)
    }

    private static func apply(_ change: NameChange, to names: inout [String: Inode]) {
        switch change {
        case .link(let name, let file): names[name] = file
        case .unlink(let name): names[name] = nil
        case .rename(let name, let new): names[new] = names.removeValue(forKey: name)
        case .exchange(let one, let other):
            let first = names[one]
            names[one] = names[other]
            names[other] = first
        }
    }

    // Files.

    /// Appends all of it or, where the process ends or the disk is full, some.
    func append(_ bytes: [UInt8], to file: Inode) throws(DiskFailure) {
        if burn() {
            file.cached += bytes[..<draw.below(bytes.count + 1)]
            throw .killed
        }
        if isBroken { throw .broken }
        touch(file, from: file.cached.count)
        let room = max(0, file.bytesTaken - file.cached.count) + max(0, free)
        guard bytes.count <= room else {
            file.cached += bytes[..<room]
            throw .noSpace
        }
        file.cached += bytes
    }

    /// Writes over what is there, all of it or, where the process ends, some.
    func overwrite(_ bytes: [UInt8], at offset: Int, in file: Inode) throws(DiskFailure) {
        let ends = burn()
        if !ends, isBroken { throw .broken }
        let written = ends ? draw.below(bytes.count + 1) : bytes.count
        for index in 0..<written { file.cached[offset + index] = bytes[index] }
        for page in offset / Inode.pageBytes...(offset + bytes.count) / Inode.pageBytes {
            file.forgotten.remove(page)
        }
        if ends { throw .killed }
    }

    /// Writes over the beginning, and cuts off what stands behind.
    func fill(_ file: Inode, with bytes: [UInt8]) throws(DiskFailure) {
        try call { () throws(DiskFailure) in
            if isBroken { throw .broken }
            guard bytes.count <= file.bytesTaken + max(0, free) else { throw .noSpace }
            file.forgotten = []
            file.cached = bytes
        }
    }

    func truncate(_ file: Inode, to size: Int) throws(DiskFailure) {
        try call { () throws(DiskFailure) in
            file.cached.removeLast(file.cached.count - size)
            file.reserved = size
            touch(file, from: size)
        }
    }

    /// A page that is written to is dirty again, all of it.
    private func touch(_ file: Inode, from offset: Int) {
        file.forgotten.remove(offset / Inode.pageBytes)
    }

    func reserve(_ file: Inode, upTo size: Int) throws(DiskFailure) {
        try call { () throws(DiskFailure) in
            guard size > file.reserved else { return }
            guard size - file.bytesTaken <= free else { throw .noSpace }
            file.reserved = size
        }
    }

    func freeBytes() -> Int { max(0, free) }

    /// The sync of what was cached when it began.
    func sync(_ file: Inode, from snapshot: [UInt8]) throws(DiskFailure) {
        try call { () throws(DiskFailure) in
            if isBroken {
                if forgets { file.failSync() }
                throw .broken
            }
            if !lies { file.finishSync(of: snapshot) }
        }
    }

    func sync(_ file: Inode) throws(DiskFailure) { try sync(file, from: file.cached) }

    /// Whether what is cached from an offset on is on the disk. One that lies says so here as well.
    func has(_ file: Inode, from offset: Int) -> Bool {
        lies || isBelieved || file.cached.dropFirst(offset) == file.durable.dropFirst(offset)
    }

    /// The power goes. Changes of names reach the disk in their order, as far as they do.
    func cut() {
        let kept = draw.below(pending.count + 1)
        for change in pending[..<kept] { Disk.apply(change, to: &durableNames) }
        pending = []
        names = durableNames
        for name in names.keys.sorted() { names[name]!.cut(&draw) }
        fuse = nil
    }
}
