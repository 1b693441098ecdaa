// Shorthand for the tests of this target.

import LeaseModel

func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

func read(_ text: String) throws(PolicyError) -> Policy {
    try PolicyReader.read(bytes(text).span)
}

/// Takes text that already is in a key's one spelling.
func key(_ text: String) -> Key {
    Key(printed: bytes(text))
}
