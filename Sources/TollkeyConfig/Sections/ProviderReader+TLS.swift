import TollkeyCore

extension ProviderReader {
    /// `tls`. The PEM files are tried by whoever wants the settings.
    func readTLS(_ map: inout MapReader, _ provider: inout ProviderSettings) {
        let directory = reading.directory
        let path = Format<String>.text { text throws(Misfit) in
            try FilePath.parse(text, in: directory)
        }
        var tls = TLSSettings()
        let place = map.map("tls") { map in
            map.set(&tls.ca, "ca", path)
            let certificate = map.value("certificate", path)
            let key = map.value("key", path)
            tls.certificate = certificate?.value
            tls.key = key?.value
            if let certificate, !map.has("key") {
                reading.report(
                    certificate.position, "\"certificate\" needs its \"key\"; name the file of both")
            }
            if let key, !map.has("certificate") {
                reading.report(key.position, "\"key\" needs its \"certificate\"; name the file of both")
            }
            map.set(&tls.leastVersion, "least_version", .choice(of: [.tls12, .tls13]))
            map.set(&tls.serverName, "server_name", .text(HostName.parseOrAddress))
        }
        provider.tls = tls
        if let place, (tls.certificate == nil) == (tls.key == nil), let fault = reading.faultOf(tls) {
            reading.report(place, fault)
        }
        if let place, provider.upstream.scheme == .http {
            reading.report(place, "\"tls\" has no meaning for an upstream of http://; take it out")
        }
    }
}
