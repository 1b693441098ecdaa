// What is read of a file is brought to the disk meanwhile, and looked for there.

import LeaseIO
import Testing

extension Floor {
    @Suite struct Following {
        private let mebibyte: Int64 = 1 << 20

        @Test func whatWasReadIsOnTheDisk() throws {
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            let log = try file("log", of: data, with: 0x61)
            let follower = try DiskFollower(log, in: data, name: "log")
            follower.follow(to: mebibyte, synced: 0)
            follower.follow(to: 6 * mebibyte, synced: 0)
            follower.follow(to: 9 * mebibyte, synced: 0)
            // The rest is not worth a look of its own.
            #expect(try follower.finish() == 6 * mebibyte)
        }

        /// Another file stands for what the disk has instead.
        @Test func whatTheDiskLacksIsNoticed() throws {
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            let log = try file("log", of: data, with: 0x61)
            _ = try file("other", of: data, with: 0x62)
            let follower = try DiskFollower(log, in: data, name: "other")
            follower.follow(to: 4 * mebibyte, synced: 0)
            follower.follow(to: 9 * mebibyte, synced: 0)
            #expect(try follower.finish() == 0)
        }

        @Test func whatIsKnownToBeThereIsNotLookedFor() throws {
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            let log = try file("log", of: data, with: 0x61)
            _ = try file("other", of: data, with: 0x62)
            let follower = try DiskFollower(log, in: data, name: "other")
            follower.follow(to: 3 * mebibyte, synced: 0)
            follower.follow(to: 9 * mebibyte, synced: 8 * mebibyte)
            #expect(try follower.finish() == 8 * mebibyte)
        }

        /// Nine MiB, the sixth of which tells two files apart.
        private func file(
            _ name: String, of data: borrowing DataDirectory, with byte: UInt8
        ) throws -> AppendFile {
            var file = try AppendFile(in: data, name: name)
            for number in 0..<9 {
                let filling = number == 5 ? byte : 0x2E
                try file.append([UInt8](repeating: filling, count: 1 << 20))
            }
            return file
        }
    }
}
