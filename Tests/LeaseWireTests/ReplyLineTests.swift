// Lines of the daemon read back, and held-back replies that may not go out.

import LeaseModel
import Testing

@testable import LeaseWire

struct ReplyLineTests {
    @Test func replies() throws {
        let ok = try #require(replyLine("#a1 OK lines=12 key=user/42 more=yes"))
        #expect(ok.kind == .reply(.ok) && ok.tag == bytes("a1") && ok.lines == 12)
        #expect(ok.fields.map { String(decoding: $0.name, as: UTF8.self) } == ["lines", "key", "more"])
        #expect(ok.value("key") == bytes("user/42") && ok.value("none") == nil)
        let busy = try #require(replyLine("BUSY key=user/42 why=held owner=a=b/c age=1569ms"))
        #expect(
            busy.kind == .reply(.busy) && busy.value("owner") == bytes("a=b/c") && busy.number("age") == 1_569
        )
        #expect(busy.lines == 0 && busy.code == nil)
        #expect(replyLine("GONE token=17 why=unknown")?.kind == .reply(.gone))
        #expect(replyLine("DONE token=17 result=x")?.kind == .reply(.done))
        #expect(replyLine("ERR some-new-code it is new")?.code == nil)
        #expect(replyLine("ERR forbidden token=1 uid=2 lease a=b is")?.message == bytes("lease a=b is"))
    }

    @Test func otherLines() throws {
        let holder = try #require(replyLine("  holder token=17 note="))
        #expect(holder.kind == .continuation && holder.word == bytes("holder") && holder.value("note") == [])
        let event = try #require(replyLine("#n * expiring token=17 left=6000ms"))
        #expect(event.kind == .event && event.tag == bytes("n") && event.word == bytes("expiring"))
        #expect(replyLine("* seq=105 granted key=user/42")?.word == bytes("granted"))
        for bad in ["", " ", "ok", "WHAT", "# OK", "#a", "#a/b OK"] {
            #expect(replyLine(bad) == nil, "\(bad)")
        }
    }

    @Test func storageFailureAnswersEachHeldReplyOnce() {
        let held = """
            OK token=17 ttl=30000ms
            #a1 OK lines=2
              holder token=17
              #a2 OK is no reply here
            * seq=1 granted key=user/1
            #a3 * lost token=17 why=expired
            #a3 GONE token=17 why=expired ago=1ms

            """
        var output: [UInt8] = []
        ReplyWriter.appendStorageFailure("write: I/O error", replacing: bytes(held).span, to: &output)
        let failure = "ERR storage the log failed, so the daemon stops: write: I/O error\n"
        #expect(String(decoding: output, as: UTF8.self) == "\(failure)#a1 \(failure)#a3 \(failure)")
    }
}
