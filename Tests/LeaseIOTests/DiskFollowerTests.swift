// What is read of a file is brought to the disk meanwhile, and looked for there.

import LeaseIO
import Testing

extension Floor {
    @Suite struct Following {
        private let mebibyte: Int64 = 1 << 20

        @Test func whatWasReadIsOnTheDisk() throws {
            // The rest is not worth a look of its own.
            #expect(try end(onDisk: "log", (1, synced: 0), (6, synced: 0), (9, synced: 0)) == 6 * mebibyte)
        }

        @Test func whatTheDiskLacksIsNoticed() throws {
            #expect(try end(onDisk: "other", (4, synced: 0), (9, synced: 0)) == 0)
        }

        @Test func whatIsKnownToBeThereIsNotLookedFor() throws {
            #expect(try end(onDisk: "other", (3, synced: 0), (9, synced: 8)) == 8 * mebibyte)
        }

        /// What is found of `log`, read up to so many MiB, where this file stands for what the disk has.
        private func end(onDisk name: String, _ steps: (read: Int64, synced: Int64)...) throws -> Int64 {
            let folder = Folder()
            let data = try DataDirectory(path: folder.path)
            let log = try file("log", of: data, with: 0x61)
            _ = try file("other", of: data, with: 0x62)
            let follower = try DiskFollower(log, in: data, name: name)
            for step in steps { follower.follow(to: step.read * mebibyte, synced: step.synced * mebibyte) }
            return try follower.finish()
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
