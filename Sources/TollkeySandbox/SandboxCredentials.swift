/// Every credential the sandbox accepts. The defaults are fixed and worth nothing anywhere else, so that an
/// example configuration can name them.
package struct SandboxCredentials: Sendable {
    /// `api-key`, full access.
    package var piaxisAPIKey = "pk_sandbox_4f7c19d2a86b3e50"
    /// `merchant_id` of the authorize call, `client_id` of the token calls.
    package var piaxisClientID = "3b0e8c52-6f1d-4a97-8e24-c5d9a7f01b63"
    /// What the imagined telephone shows.
    package var piaxisOTPCode = "123456"

    package var tezpayClientID = "7d1f0b9e-2c4a-4e8b-9f36-51a8e0c7d2b4"
    package var tezpayClientSecret = "tezsecret_sandbox_6b1e94c07fd2a358"
    /// Always valid, for callers that cannot log in.
    package var tezpayStaticToken = "teztoken_sandbox_e29a7710c4b85d36"

    /// Has every scope.
    package var pixlpayToken = "pxl_sandbox_91c3d7e5a0f24b68"
    /// Has `products:read` and `orders:read` only.
    package var pixlpayReadToken = "pxr_sandbox_08d6f2b4c19e7a53"

    package var tukuAppID = "app_sandbox_57e2"
    /// Valid until it is regenerated; the regenerated one lives as long as the run.
    package var tukuAPIKey = "tuk_sandbox_c60f8b1d93e7a425"

    /// Signs what stands in `X-Request-Token`.
    package var tukuSecretKey = "tuksecret_sandbox_d5a1938e7c20f64b"

    package var jpayAppKey = "jpk_sandbox_2e95d04b"
    package var jpayAppSecret = "jpsecret_sandbox_a7f31c58e60d92b4"
    /// Always valid, for callers that cannot log in.
    package var jpayStaticToken = "jptoken_sandbox_4c8e06f1d7b9a352"

    package var acmeClientID = "acme_sandbox_71c0"
    /// Also the password of Basic, and the key of signatures.
    package var acmeClientSecret = "acmesecret_sandbox_38fd6a02b9c7e514"
    /// `api_key` in the query.
    package var acmeAPIKey = "acmekey_sandbox_e40b7d1956a8c2f3"

    package init() {}
}
