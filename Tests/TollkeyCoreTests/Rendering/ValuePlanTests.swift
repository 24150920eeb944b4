import Testing
import TollkeyCore

struct ValuePlanTests {
    private let plan = ValuePlan([
        ValueSettings(
            name: "id", kind: .encoded(template("${secret.user}:${credential.access}"), as: .base64)),
        ValueSettings(name: "digest", kind: .hash(.sha256, of: template("${value.id}"), as: .hex)),
        ValueSettings(name: "nonce", kind: .uuid),
        ValueSettings(name: "now", kind: .time(.unix)),
        ValueSettings(name: "chance", kind: .random(8, as: .hex)),
        ValueSettings(
            name: "signature",
            kind: .hmac(.sha256, key: template("${secret.k}"), of: template("${request.body}"), as: .hex)),
        ValueSettings(
            name: "token",
            kind: .jwt(
                key: template("${secret.k}"),
                claims: [NamedTemplate(name: "sig", value: template("${value.signature}${value.nonce}"))])),
        ValueSettings(
            name: "fields",
            kind: .rsa(
                .sha256, key: template("${secret.k}"),
                of: template("${request.field.a}${request.header.x-y}"),
                as: .hex)),
        ValueSettings(name: "fixed", kind: .jwt(key: template("${value.digest}"), claims: [])),
    ])

    @Test(arguments: [
        ("text", true), ("${secret.user}${credential.a.b}${input.c}", true), ("${value.id}", true),
        ("${value.digest}", true), ("${value.fixed}", true), ("${value.nonce}", false),
        ("a${value.now}", false), ("${value.chance}", false), ("${value.signature}", false),
        ("${value.token}", false), ("${request.method}", false), ("", true),
    ])
    func `constant is what secrets and credentials alone decide`(_ notation: String, _ isConstant: Bool) {
        #expect(plan.isConstant(template(notation)) == isConstant)
    }

    @Test(arguments: [
        ("${value.token}", ["nonce", "signature", "token"]), ("${value.fixed}", ["id", "digest", "fixed"]),
        ("${value.now}${value.id}", ["id", "now"]), ("${secret.k}", []), ("${value.unknown}", []),
    ])
    func `values are used directly and through others`(_ notation: String, _ names: [String]) {
        #expect(plan.values(usedBy: [template(notation)]).map(\.name) == names)
    }

    @Test(arguments: [
        ("${value.token}", true), ("${value.fields}", true), ("${request.body}", true),
        ("${request.field.a}", true), ("${value.fixed}${value.nonce}", false),
        ("${request.method}${request.path}${request.query}${request.header.x}", false),
        ("${request.url}${request.target}${request.host}", false),
    ])
    func `the content is needed where it is used, also through others`(_ notation: String, _ isNeeded: Bool) {
        #expect(plan.requestParts(of: [template("x"), template(notation)]).needContent == isNeeded)
    }

    @Test func `parts of a request are found through values`() {
        #expect(plan.requestParts(of: [template("${value.token}")]) == [.body])
        #expect(
            plan.requestParts(of: [template("${value.fields}"), template("${request.url}")])
                == [.field([.member("a")]), .header("x-y"), .url])
    }
}
