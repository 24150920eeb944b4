import TollkeyCore

/// A secret where it is written: a reference to be followed or, in a private file, the thing itself.
struct SecretReader {
    let reading: Reading

    struct Found {
        var secret: Secret
        /// The absolute path of the file it stands in, when that may change.
        var file: String?
    }

    /// `label` begins messages: `the secret "key"`. `fault` says what is wrong with a secret that could be had.
    func read(_ node: YamlNode, _ label: String, fault: (Secret) -> String?) -> Found? {
        switch node.content {
        case .refused:
            return nil
        case .list, .map:
            reading.report(node.position, "\(label) must be \(SecretReference.forms); found \(node.kind)")
            return nil
        case .scalar(let scalar):
            do throws(Misfit) {
                let found = try found(scalar.text)
                if let fault = fault(found.secret) { throw Misfit(fault) }
                return found
            } catch {
                reading.report(node.position, "\(label) \(error.message)")
                return nil
            }
        }
    }

    private func found(_ text: String) throws(Misfit) -> Found {
        guard let reference = try SecretReference.parse(text) else {
            if reading.literalsAllowed { return Found(secret: Secret(text)) }
            throw Misfit(
                """
                stands here in clear, in a file that others can read; write \(SecretReference.forms), or make the \
                file readable by its owner alone (chmod 600)
                """)
        }
        switch reference {
        case .environment:
            return Found(secret: try fetched(reference))
        case .file(let path):
            let path = FilePath.resolved(path, in: reading.directory)
            return Found(secret: try fetched(.file(path)), file: path)
        case .credential(let name):
            let path = reading.credentialsDirectory.map { FilePath.resolved(name, in: $0) }
            return Found(secret: try fetched(reference), file: path)
        }
    }

    private func fetched(_ reference: SecretReference) throws(Misfit) -> Secret {
        switch reading.secrets(reference) {
        case .success(let secret): return secret
        case .failure(let failure): throw Misfit("cannot be had: \(failure.message)")
        }
    }
}
