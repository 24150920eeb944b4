import TollkeyCore

extension ProviderReader {
    /// The user's lines over those of the variant, these over the description. Without a description, the user's own
    /// lines are one, and the variant lies over them.
    func merged() -> YamlNode {
        let description = entry.value["use"]?.text.flatMap(reading.description)
        let whole = description.map { entry.value.laid(over: $0) } ?? entry.value
        guard let name = whole["variant"]?.text, let variant = whole["variants"]?[name],
            variant.entries != nil
        else { return whole }
        return description.map { entry.value.laid(over: variant.laid(over: $0)) } ?? variant.laid(over: whole)
    }

    /// `variants`, and whether `variant` is one of them.
    func readVariants(_ map: inout MapReader) -> [YamlNode.Entry] {
        let variants = map.entries("variants", max: Bounds.variants)?.value ?? []
        guard let chosen = map.value("variant", .text { text throws(Misfit) in text }) else {
            return variants
        }
        let names = variants.map(\.key)
        guard !names.contains(chosen.value) else { return variants }
        let known =
            names.isEmpty
            ? "it has no \"variants\"; take this out"
            : "there is \(names.filter(Quantity.isName).joined(separator: " and "))"
        let near = NearMiss.of(chosen.value, among: names).map { "did you mean \"\($0)\"?" }
        reading.report(chosen.position, "\"variant\" names none of the provider's; \(near ?? known)")
        return variants
    }

    /// Those that are not chosen are not read; a wrong word in one is found nevertheless.
    func checkVariants(_ variants: [YamlNode.Entry], _ map: MapReader) {
        for variant in variants where map.isNamed(variant, "a variant") {
            guard let entries = variant.value.entries else {
                reading.report(
                    variant.value.position,
                    "a variant must be a map (\"key: value\" lines below it); found \(variant.value.kind)")
                continue
            }
            for entry in entries {
                let name = Quantity.quoted(entry.key)
                if ["use", "variant", "variants"].contains(entry.key) {
                    reading.report(entry.position, "\(name) has no meaning in a variant; take it out")
                } else if !map.knows(entry.key) {
                    reading.report(entry.position, "\(name) is an unknown key of a provider; take it out")
                }
            }
        }
    }
}
