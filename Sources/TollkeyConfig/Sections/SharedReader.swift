import TollkeyCore

/// `shared` and `shared_fallback`: the Redis server that replicas have in common.
struct SharedReader {
    let reading: Reading

    /// With the place of `shared`. nil when it is absent, or has been reported.
    func read(_ top: inout MapReader) -> Placed<SharedSettings>? {
        let found = top.node("shared")
        let fallback = top.value("shared_fallback", .choice(of: SharedSettings.Fallback.allCases))
        if let place = top.place(of: "shared_fallback"), !top.has("shared") {
            reading.report(
                place,
                "\"shared_fallback\" is for \"shared\", and there is none; add it, or take this out")
        }
        let isMap = found?.value.entries != nil
        // Read when it is absent too, so that its keys are known.
        var map = MapReader(
            isMap ? found?.value : nil, path: "shared", at: isMap ? found?.position : nil, reading: reading)
        var settings = readMap(&map)
        map.finish()
        guard let found else { return nil }
        if !isMap {
            settings = read(found.value, "shared").map(SharedSettings.init)
            if let settings {
                check(Placed(value: settings, position: found.value.position), isPlainMeant: false)
            }
        }
        if let fallback { settings?.fallback = fallback.value }
        return settings.map { Placed(value: $0, position: found.position) }
    }

    private func readMap(_ map: inout MapReader) -> SharedSettings? {
        let url = map.node("url")
        let address = url.flatMap { read($0.value, "url") }
        var settings = address.map(SharedSettings.init)
        let user = map.value("user", .text(Self.user))
        let password = readPassword(&map)
        if let user {
            if address?.user != nil { reportTwice("user", at: user.position) }
            settings?.user = user.value
        }
        if let password {
            if address?.password != nil { reportTwice("password", at: password.position) }
            settings?.password = password.value
        }
        let ca = readCA(&map)
        settings?.ca = ca?.value
        var prefix: String?
        map.set(&prefix, "prefix", .text(Self.prefix))
        if let prefix { settings?.prefix = prefix }
        let insecure = map.value("insecure", .flag)
        if let place = map.place, !map.has("url") {
            reading.report(place, "\"shared\" needs a \"url\"; add it, as in url: rediss://redis.internal")
        }
        guard let settings, let url else { return settings }
        let hasPassword = map.has("password")
        check(
            Placed(value: settings, position: url.value.position), isPlainMeant: insecure?.value == true,
            passwordIsGiven: hasPassword)
        if let ca, !settings.isEncrypted {
            reading.report(ca.position, "\"ca\" has no meaning for redis://; write rediss://, or take it out")
        }
        if let insecure, insecure.value, settings.isEncrypted {
            reading.report(
                insecure.position, "\"insecure\" permits redis://, and this is rediss://; take it out")
        }
        return settings
    }

    private func readPassword(_ map: inout MapReader) -> Placed<Secret>? {
        let format = Format<Secret> { node, key, reading in
            SecretReader(reading: reading).read(node, "\"\(key)\"") { $0.fault(isKey: true) }?.secret
        }
        return map.value("password", format)
    }

    private func readCA(_ map: inout MapReader) -> Placed<String>? {
        let directory = reading.directory
        let path = Format<String>.text { text throws(Misfit) in try FilePath.parse(text, in: directory) }
        guard let ca = map.value("ca", path) else { return nil }
        var tls = TLSSettings()
        tls.ca = ca.value
        if let fault = reading.faultOf(tls) { reading.report(ca.position, fault) }
        return ca
    }

    /// The server's URL: a reference to it, or in clear when it has no password.
    private func read(_ node: YamlNode, _ key: String) -> RedisURL? {
        if let text = node.text, text.utf8.starts(with: "${".utf8) {
            let found = SecretReader(reading: reading).read(node, "\"\(key)\"") { $0.fault(isKey: true) }
            let text = found?.secret.reveal { String(decoding: $0, as: UTF8.self) }
            return text.flatMap { parse($0, key, at: node.position) }
        }
        let format = Format<String>.text { text throws(Misfit) in
            guard !text.contains("${") else {
                throw Misfit(
                    "mixes text and a reference; write shared: {url: …, password: \"${env:NAME}\"}")
            }
            return text
        }
        guard let text = format.read(node, key, reading), let url = parse(text, key, at: node.position) else {
            return nil
        }
        if url.password != nil, !reading.literalsAllowed {
            reading.report(
                node.position,
                """
                "\(key)" has a password in clear, in a file that others can read; write \
                shared: {url: …, password: "${env:NAME}"}, the whole as \(SecretReference.forms), or make the file \
                readable by its owner alone (chmod 600)
                """)
        }
        return url
    }

    private func parse(_ text: String, _ key: String, at position: SourcePosition) -> RedisURL? {
        do throws(Misfit) {
            return try RedisURL(parsing: text)
        } catch {
            reading.report(position, "\"\(key)\" \(error.message)")
            return nil
        }
    }

    /// `passwordIsGiven`: whether it is there, good or bad.
    private func check(
        _ shared: Placed<SharedSettings>, isPlainMeant: Bool, passwordIsGiven: Bool = false
    ) {
        let settings = shared.value
        if settings.user != nil, settings.password == nil, !passwordIsGiven {
            reading.report(
                shared.position,
                """
                the Redis server is given a user without a password; add "password", or write \
                rediss://:PASSWORD@HOST for a password alone
                """)
        }
        guard !settings.isEncrypted, !isPlainMeant, !UpstreamURL.isLoopback(settings.host) else { return }
        reading.report(
            shared.position,
            """
            the Redis server is another machine without TLS, so that everybody on the way could read its password \
            and change counts; write rediss://, or, if something else protects the way, shared: {url: …, \
            insecure: true}
            """)
    }

    private func reportTwice(_ what: String, at position: SourcePosition) {
        reading.report(position, "\"url\" has a \(what) too; keep one of them")
    }

    private static func user(_ text: String) throws(Misfit) -> String {
        guard (1...Bounds.wordBytes).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !text.contains("${")
        else {
            throw Misfit(
                "must be 1 to \(Bounds.wordBytes) ASCII characters without a space, and no reference")
        }
        return text
    }

    private static func prefix(_ text: String) throws(Misfit) -> String {
        guard Quantity.isName(text) else {
            throw Misfit("must be 1 to \(Bounds.nameLength) letters, digits, \"_\" and \"-\"")
        }
        return text
    }
}

extension SharedSettings {
    fileprivate init(_ url: RedisURL) {
        self.init(host: url.host)
        if let port = url.port { self.port = port }
        isEncrypted = url.isEncrypted
        user = url.user
        password = url.password
        database = url.database
    }
}
