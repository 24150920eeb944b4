import Testing
import TollkeyCore

struct ProblemDetailsTests {
    @Test func `a problem has the members of RFC 9457 and ours, in one line`() {
        var failure = Failure(.upstreamBroke, "It said \"no\".\n", retryAfter: 3)
        failure.mayHaveBeenProcessed = true
        #expect(
            ProblemDetails(failure, provider: "acme", requestID: "r-1").json == #"""
                {"type":"urn:tollkey:problem:upstream-broke",\#
                "title":"The provider broke off or answered nonsense","status":502,\#
                "detail":"It said \"no\".\n","provider":"acme","request_id":"r-1","may_have_been_processed":true}

                """#)
    }

    @Test func `what is not known is not said`() {
        #expect(
            ProblemDetails(Failure(.noRoute, "None."), provider: nil, requestID: "r").json == #"""
                {"type":"urn:tollkey:problem:no-route","title":"No provider has this path","status":404,\#
                "detail":"None.","request_id":"r"}

                """#)
    }

    @Test(arguments: FailureKind.allCases)
    func `every kind can be told`(_ kind: FailureKind) {
        var failure = Failure(kind, "x")
        failure.mayHaveBeenProcessed = false
        let json = ProblemDetails(failure, provider: nil, requestID: "r").json
        #expect(json.hasPrefix("{\"type\":\"urn:tollkey:problem:\(kind.rawValue)\",\"title\":\""))
        #expect(json.hasSuffix(",\"may_have_been_processed\":false}\n"))
    }
}
