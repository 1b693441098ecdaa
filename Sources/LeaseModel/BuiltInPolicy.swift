// The policy of a daemon that was given none.

extension Policy {
    /// Three kinds, each key of them for one holder at a time.
    public static let builtIn: Policy = {
        let text = """
            kind user          id                                limit=1 ttl=10m
            kind conversation  id                                limit=1 ttl=1m
            kind species       id media:image,video              limit=1 ttl=10m

            """
        do throws(PolicyError) {
            return try PolicyReader.read(Array(text.utf8).span)
        } catch {
            fatalError("the built-in policy must be readable: line \(error.line): \(error.message)")
        }
    }()
}
