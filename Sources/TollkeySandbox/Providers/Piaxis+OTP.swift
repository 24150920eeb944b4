import Synchronization

/// Piaxis' one-time codes, which a release of escrow needs.
extension Piaxis {
    func requestOTP(_ call: Call, now: Int64) -> Answer {
        guard call.json?["operation"]?.string != nil else {
            return words(for: .badRequest("operation is required"), now: now)
        }
        let id = Chance.name("otp_", bytes: 5)
        state.withLock { $0.otps.add(id, (), expiresAt: now + lifetimes.piaxisOTP) }
        return Answer(
            200,
            [
                "status": "success", "message": "OTP sent successfully", "otp_id": .text(id),
                "expires_in": .number(lifetimes.piaxisOTP), "meta": meta(now: now),
            ])
    }

    /// A code can be tried until it is right or too old; once right, it is spent.
    func verifyOTP(_ call: Call, now: Int64) -> Answer {
        let body = call.json
        let id = body?["otp_id"]?.string ?? ""
        let isRight = body?["otp_code"]?.string == credentials.piaxisOTPCode
        let isVerified = state.withLock { state in
            guard case .good = state.otps.find(id, now: now), isRight else { return false }
            state.otps.remove(id)
            return true
        }
        guard isVerified else { return error(400, "INVALID_OTP", "OTP code is invalid or expired", now: now) }
        let token = Chance.name("verify_", bytes: 16)
        state.withLock { $0.verifications.add(token, (), expiresAt: now + lifetimes.piaxisVerification) }
        return Answer(
            200,
            [
                "status": "success", "verification_token": .text(token),
                "expires_in": .number(lifetimes.piaxisVerification), "meta": meta(now: now),
            ])
    }

    func releaseEscrow(_ call: Call, now: Int64) -> Answer {
        let token = call.header("x-verification-token") ?? ""
        guard case .good = state.withLock({ $0.verifications.find(token, now: now) }) else {
            return error(403, "OTP_REQUIRED", "Operation requires OTP verification", now: now)
        }
        let id = call.json?["escrow_id"] ?? .null
        return Answer(200, envelope(["escrow_id": id, "status": "released"], now: now))
    }
}
