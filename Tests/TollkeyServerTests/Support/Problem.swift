import FoundationEssentials
import Testing

/// The content of a local answer.
struct Problem: Decodable {
    let type: String
    let title: String
    let status: Int
    let detail: String
    let provider: String?
    let category: String?
    let requestID: String
    let mayHaveBeenProcessed: Bool?

    enum CodingKeys: String, CodingKey {
        case type, title, status, detail, provider, category
        case requestID = "request_id"
        case mayHaveBeenProcessed = "may_have_been_processed"
    }
}

/// Checks all that is promised of a local answer (RFC 9457) and lends what is particular about it.
@discardableResult
func expectProblem(
    _ answer: Message, _ status: Int, _ kind: String, mayHaveBeenProcessed: Bool? = nil,
    at location: SourceLocation = #_sourceLocation
) throws -> Problem {
    #expect(answer.status == status, sourceLocation: location)
    #expect(answer.values(of: "Tollkey-Problem") == [kind], sourceLocation: location)
    #expect(answer.values(of: "Content-Type") == ["application/problem+json"], sourceLocation: location)
    let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
    #expect(problem.type == "urn:tollkey:problem:\(kind)", sourceLocation: location)
    #expect(problem.status == status, sourceLocation: location)
    #expect(!problem.title.isEmpty && !problem.detail.isEmpty, sourceLocation: location)
    #expect(!problem.requestID.isEmpty, sourceLocation: location)
    #expect(problem.mayHaveBeenProcessed == mayHaveBeenProcessed, sourceLocation: location)
    return problem
}
