import TollkeyConfig
import TollkeyCore

extension Explain {
    /// The category that a call counts in, what holds there, and why.
    func category(
        _ provider: ProviderSettings, _ match: RouteTable.Match, _ head: borrowing RequestHead,
        _ request: [UInt8]
    ) -> [String] {
        let bytes = request.span
        let path = Array(request[head.target.path].dropFirst(match.prefixLength))
        let behind = path.isEmpty ? Array("/".utf8) : path
        let found = CategoryTable(provider.categories).match(
            method: bytes.extracting(head.method), path: behind.span)
        guard let found else {
            let reason =
                provider.categories.isEmpty ? "the provider has no 'categories'" : "no pattern is for it"
            return ["category  none: \(reason), so that nothing limits this call"]
        }
        let category = provider.categories[found.category]
        return ["category  \(category.name), by its pattern \(found.pattern.text)"] + limits(of: category)
    }

    private func limits(of category: CategorySettings) -> [String] {
        let limits = category.limits.map(\.text).joined(separator: " and ")
        let pause = Quantity.duration(category.retryAfterMax)
        return [
            "limits    \(limits.isEmpty ? "none" : limits); besides a pause that the provider asks for, up to \(pause)",
            "at limit  \(atLimit(category))",
        ]
    }

    /// What becomes of a call for which there is no permit.
    private func atLimit(_ category: CategorySettings) -> String {
        let refusal = "429 with Retry-After"
        let longest = Quantity.duration(category.waitMax)
        guard category.waitMax > .zero, category.waiting > 0 else { return "\(refusal) at once" }
        switch category.onLimit {
        case .reject:
            return
                "\(refusal) at once; with the header Prefer: wait=N in line for N seconds, up to \(longest)"
        case .wait:
            return "in line for up to \(longest), among up to \(category.waiting) calls; then \(refusal)"
        }
    }
}
