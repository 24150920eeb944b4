import CCurl
import COpenSSL
import TollkeyCore

extension Transfer {
    /// libcurl makes the TLS connection; whom it trusts and who we are is told by a context like that of calls that are
    /// forwarded, so that there is one answer to both. This call's alone: libcurl sets flags in its store.
    func setTLS(_ options: inout CurlOptions) {
        let least = call.tls.leastVersion == .tls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2
        options.set(CURLOPT_SSLVERSION, least)
        options.set(CURLOPT_SSL_VERIFYPEER, 1)
        options.set(CURLOPT_SSL_VERIFYHOST, 2)
        // Without these libcurl adds the system's authorities to those of the context. Should it not take the
        // context's, it trusts nobody.
        options.set(CURLOPT_CAINFO, Optional<String>.none)
        options.set(CURLOPT_CAPATH, Optional<String>.none)
        options.set(CURLOPT_CA_CACHE_TIMEOUT, 0)
        options.set(CURLOPT_SSL_OPTIONS, Int(CURLSSLOPT_NO_PARTIALCHAIN))
        options.set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        guard tls != nil else { return }
        options.set(CURLOPT_SSL_CTX_DATA, pointer: Unmanaged.passUnretained(self).toOpaque())
        options.onTLS { _, context, this in
            guard let context, let transfer = Transfer.from(this) else { return CURLE_SSL_CONNECT_ERROR }
            return transfer.prepare(OpaquePointer(context)) ? CURLE_OK : CURLE_SSL_CONNECT_ERROR
        }
    }

    /// Makes libcurl's `context` like ours.
    private func prepare(_ context: OpaquePointer) -> Bool {
        isHandshaking = true
        guard let ours = tls?.pointer else { return false }
        SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(ours))
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_security_level(context, SSL_CTX_get_security_level(ours))
        SSL_CTX_set_options(context, SSL_CTX_get_options(ours))
        // libcurl writes session keys into the file that SSLKEYLOGFILE names.
        SSL_CTX_set_keylog_callback(context, nil)
        if let certificate = SSL_CTX_get0_certificate(ours), let key = SSL_CTX_get0_privatekey(ours) {
            var chain: OpaquePointer?
            SSL_CTX_ctrl(ours, SSL_CTRL_GET_CHAIN_CERTS, 0, &chain)
            guard SSL_CTX_use_cert_and_key(context, certificate, key, chain, 1) == 1 else { return false }
        }
        // libcurl compares the name too, after the handshake; OpenSSL does it within, and says why.
        let parameters = SSL_CTX_get0_param(context)
        let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
        X509_VERIFY_PARAM_set_hostflags(parameters, flags)
        guard
            X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1
                || X509_VERIFY_PARAM_set1_host(parameters, serverName, 0) == 1
        else { return false }
        ERR_clear_error()
        SSL_CTX_set_ex_data(context, Self.place, Unmanaged.passUnretained(self).toOpaque())
        SSL_CTX_set_info_callback(context) { ssl, event, value in
            guard let ssl else { return }
            Transfer.from(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), Transfer.place))?
                .note(ssl, event, value)
        }
        return true
    }

    /// Where a context of libcurl's keeps the transfer it belongs to.
    private static let place = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nil, nil, nil, nil)

    /// The peer's farewell; and what went wrong, in OpenSSL's words, which are about certificates and TLS, never about what was sent.
    private func note(_ ssl: OpaquePointer, _ event: Int32, _ value: Int32) {
        if event == SSL_CB_READ_ALERT, value & 0xff == SSL_AD_CLOSE_NOTIFY {
            hasFarewell = true
        } else if event == SSL_CB_READ_ALERT, value >> 8 == SSL3_AL_FATAL {
            refusal = "it refuses: \(String(cString: SSL_alert_desc_string_long(value)))"
        } else if event == SSL_CB_CONNECT_EXIT, value <= 0, refusal == nil {
            let verdict = SSL_get_verify_result(ssl)
            let code = ERR_peek_error()
            if verdict != Int(X509_V_OK) {
                refusal =
                    "the certificate is refused: \(String(cString: X509_verify_cert_error_string(verdict)))"
            } else if code != 0, let reason = ERR_reason_error_string(code) {
                refusal = String(cString: reason)
            }
        }
    }
}
