// Business plans: two at once for each user, one result for the same request, and nobody crowded out.

import TestSupport
import Testing

@Suite struct PlanTests {
    private static let policy = """
        kind plan   user request  limit=1 ttl=1h keep=5m
        kind plans  user          limit=2 ttl=1h queue=8 rate=12/1h
        """

    /// Every request is a key of its own, and within it one of the two places of its user is taken.
    private func ask(_ site: Site, _ user: Int, _ name: String, _ plans: String...) throws -> Service {
        let keys = plans.map { "plan/u\(user)/\($0)" }
        return try site.service(name, ["once", "each", "go", "within=plans/u\(user)"] + keys)
    }

    @Test func businessPlans() throws {
        let site = try Site(PlanTests.policy, flags: ["--clock=manual"])
        let users = 30

        // All users ask at the same time for three plans each; the first user asks on a second device, too.
        var services = try (0..<users).map { try ask(site, $0, "s\($0)", "bakery", "cinema", "florist") }
        services.append(try ask(site, 0, "device", "bakery", "cinema", "florist"))
        for service in services { #expect(service.says("ready")) }
        try site.daemon.folder.write("go", [])
        for user in 0..<users { #expect(site.settles("plans/u\(user)", holders: 2, waiting: 1)) }

        // One user asks for a lot: eight are in line, the others are refused. Nobody else is in its way.
        let many = (0..<12).map { "plan/u0/more-\($0)" }
        let crowd = try site.service("crowd", ["once", "each", "within=plans/u0"] + many)
        #expect(holds { crowd.said.count { $0.contains(" queue-full ") } == 5 }, "\(crowd.said)")
        #expect(site.settles("plans/u0", holders: 2, waiting: 8))
        let newcomer = try site.service("newcomer", "once", "within=plans/new", "plan/new/bakery")
        #expect(newcomer.works)

        // Never more than two at once for each; one generation for each plan, whoever asked how often.
        try site.finish("all")
        for service in services + [crowd, newcomer] { _ = try service.end() }
        var results: [String: Set<String>] = [:]
        for user in 0..<users {
            #expect((1...2).contains(site.mostAtOnce("plan/u\(user)/")))
            for plan in ["bakery", "cinema", "florist"] {
                #expect(site.generations("plan/u\(user)/\(plan)") == 1)
            }
        }
        for line in services.flatMap(\.said) where line.hasPrefix("did ") || line.hasPrefix("got ") {
            let words = line.split(separator: " ").map(String.init)
            results[words[1], default: []].insert(words[2])
        }
        #expect(results.count == 3 * users && results.values.allSatisfy { $0.count == 1 })
        // The same plan of another user is another result: the keys carry the user.
        #expect(Set(results.values.compactMap(\.first)).count == 3 * users)
        try keptAndCounted(site, bakery: try #require(results["plan/u1/bakery"]?.first))
        #expect(try site.isQuiet())
        try site.daemon.stop()
    }

    /// For five minutes the result answers, and a user has so many generations in an hour.
    private func keptAndCounted(_ site: Site, bakery: String) throws {
        #expect(try site.ask("clock advance=299s") == "OK now=299000ms clock=manual")
        let soon = try site.service("soon", "once", "within=plans/u1", "plan/u1/bakery")
        #expect(try soon.end() == "got plan/u1/bakery \(bakery)")
        #expect(try site.ask("clock advance=1s") == "OK now=300000ms clock=manual")
        let late = try site.service("late", "once", "within=plans/u1", "plan/u1/bakery")
        #expect(try late.end().hasPrefix("did plan/u1/bakery late-"))

        // Twelve in an hour: four are done, eight more go through.
        let eager = try site.service(
            "eager", ["once", "each", "within=plans/u1"] + (0..<8).map { "plan/u1/eager-\($0)" })
        _ = try eager.end()
        #expect(eager.said.count { $0.hasPrefix("did ") } == 8, "\(eager.said)")
        let over = try site.ask("acquire plans/u1")
        #expect(over == "BUSY key=plans/u1 why=rate retry=3300000ms limit=2 waiting=0")
        #expect(try site.ask("acquire plans/u2").hasPrefix("OK "))
        #expect(try site.ask("clock advance=3300s") == "OK now=3600000ms clock=manual")
        #expect(try site.ask("acquire plans/u1").hasPrefix("OK "))
        for line in try site.askAll("list plans/").split(separator: "\n").dropFirst() {
            let token = try #require(line.split(separator: " ").first { $0.hasPrefix("token=") })
            #expect(try site.ask("release \(token.dropFirst(6))").hasPrefix("OK "))
        }
    }

    /// Also where the other user is one of the machine, and knows the key.
    @Test(.enabled(if: isRoot, "needs root, to be another user"))
    func aResultIsSharedWithNoOtherUserOfTheMachine() throws {
        let site = try Site(PlanTests.policy, flags: ["--private"], isForEverybody: true)
        let stranger = try site.daemon.connect(uid: 65_534)
        #expect(try site.ask("acquire plan/u1/bakery").hasPrefix("OK token=1 "))
        stranger.send("#s acquire plan/u1/bakery join wait=1m")
        #expect(site.settles("plan/u1/bakery", holders: 1, waiting: 1))
        #expect(try site.ask("release 1 result=secret").hasPrefix("OK token=1 "))
        #expect(tokenGranted(stranger.line()) == 2)
        #expect(stranger.ask("release 2 result=own")?.hasPrefix("OK token=2 ") == true)
        #expect(stranger.ask("acquire plan/u1/bakery join")?.hasPrefix("DONE token=2 result=own ") == true)
        try site.daemon.stop()
    }
}
