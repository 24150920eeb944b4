/// The provider descriptions inside the binary, in the vocabulary of a user's own file.
package enum ShippedProviders {
    package static let names = ["jpay", "pixlpay", "piaxis", "tezpay", "tuku"]

    /// The description's YAML, comments and all; nil when none has that name.
    package static func text(of name: String) -> [UInt8]? {
        switch name {
        case "jpay": PackageResources.jpay_yaml
        case "pixlpay": PackageResources.pixlpay_yaml
        case "piaxis": PackageResources.piaxis_yaml
        case "tezpay": PackageResources.tezpay_yaml
        case "tuku": PackageResources.tuku_yaml
        default: nil
        }
    }

    /// How positions in a description are shown: `shipped:NAME`.
    package static func file(of name: String) -> String { "shipped:\(name)" }
}
