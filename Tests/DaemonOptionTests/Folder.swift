// A private folder for a test.

import Glibc

/// Gone, with the plain files and empty directories in it, at the end of the test.
final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/opt-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no folder under /tmp")
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit {
        guard let listing = opendir(path) else { return }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { remove(self(name)) }
        }
        rmdir(path)
    }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes a file; returns its path.
    func put(_ name: String, _ bytes: [UInt8]) -> String {
        let raw = open(self(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(write(raw, bytes, bytes.count) == bytes.count, "can't prepare a file")
        close(raw)
        return self(name)
    }

    func mode(_ name: String) -> UInt32? {
        var found = stat()
        return lstat(self(name), &found) == 0 ? found.st_mode & 0o7777 : nil
    }
}
