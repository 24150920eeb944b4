extension SandboxCredentials {
    /// What `provider` wants, in words, every credential masked.
    package func summary(of provider: Provider) -> String {
        switch provider {
        case .piaxis: "api-key: \(Masking.cut(piaxisAPIKey)), or Authorization: Bearer (OAuth)"
        case .tezpay: "Authorization: Bearer (login with client_id \(Masking.cut(tezpayClientID)))"
        case .pixlpay: "Authorization: Bearer \(Masking.cut(pixlpayToken))"
        case .tuku: "Authorization: Bearer \(Masking.cut(tukuAPIKey)) and X-App-ID: \(Masking.cut(tukuAppID))"
        case .jpay: "Authorization: Bearer (login with app_key \(Masking.cut(jpayAppKey)))"
        case .acme: "what the path says: client \(Masking.cut(acmeClientID)), key \(Masking.cut(acmeAPIKey))"
        }
    }
}
