// At which places a client looks for the socket.

import Testing

@testable import LeaseClient

struct SocketSearchTests {
    private func search(
        told: String? = nil, _ environment: [String: String] = [:], owners: [String: UInt32] = [:]
    ) -> SocketSearch {
        SocketSearch(told: told, environment: { environment[$0] }, uid: 7, owner: { owners[$0] })
    }

    @Test func whatIsToldIsTaken() {
        let all = ["LEASED_SOCKET": "/e", "XDG_RUNTIME_DIR": "/r"]
        let found = search(told: "/t", all, owners: ["/r/leased/leased.sock": 7])
        #expect(found.path == "/t" && found.places == ["/t"] && found.choice == .told)
    }

    @Test func thenTheEnvironment() {
        let found = search(["LEASED_SOCKET": "/e", "XDG_RUNTIME_DIR": "/r"])
        #expect(found.path == "/e" && found.places == ["/e"] && found.choice == .environment)
    }

    @Test func thenTheFirstThatExists() {
        let environment = ["LEASED_SOCKET": "", "XDG_RUNTIME_DIR": "/r", "TMPDIR": "/t/"]
        var owners: [String: UInt32] = ["/t/leased-7/leased.sock": 7, "/t/leased-7": 7]
        let places = ["/r/leased/leased.sock", "/run/leased/leased.sock", "/t/leased-7/leased.sock"]
        #expect(search(environment, owners: owners).path == places[2])
        owners[places[1]] = 0
        #expect(search(environment, owners: owners).path == places[1])
        #expect(search(environment, owners: owners).places == Array(places[...1]))
        owners[places[0]] = 7
        #expect(search(environment, owners: owners).path == places[0])
    }

    @Test func withoutASocketAllPlacesAreNamed() {
        let found = search()
        #expect(found.path == nil && found.choice == .usual)
        #expect(found.places == ["/run/leased/leased.sock", "/tmp/leased-7/leased.sock"])
    }

    @Test func aFolderOfSomebodyElseIsPassedOver() {
        let owners: [String: UInt32] = ["/tmp/leased-7/leased.sock": 8, "/tmp/leased-7": 8]
        #expect(search(owners: owners).path == nil)
    }
}
