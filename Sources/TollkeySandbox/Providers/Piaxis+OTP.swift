import Synchronization

/// Piaxis' one-time codes, which a release of escrow needs.
extension Piaxis {
    /// What a person said yes to.
    struct Approval {
        let operation: String
        /// Nil opens any.
        let escrow: String?
    }

    /// As the document's request for a code names it.
    private static let releaseOperation = "escrow_release"

    func requestOTP(_ call: Call, now: Int64) -> Answer {
        guard let body = call.declaredJSON, let operation = body["operation"]?.string else {
            return words(for: .badRequest("operation is required"), now: now)
        }
        let id = Chance.name("otp_", bytes: 5)
        let approval = Approval(operation: operation, escrow: body["escrow_id"]?.string)
        state.withLock { $0.otps.add(id, approval, expiresAt: now + lifetimes.piaxisOTP) }
        return Answer(
            200,
            [
                "status": "success", "message": "OTP sent successfully", "otp_id": .text(id),
                "expires_in": .number(lifetimes.piaxisOTP), "meta": meta(now: now),
            ])
    }

    /// A code can be tried until it is right or too old; once right, it is spent.
    func verifyOTP(_ call: Call, now: Int64) -> Answer {
        let body = call.declaredJSON
        let id = body?["otp_id"]?.string ?? ""
        let isRight = body?["otp_code"]?.string == credentials.piaxisOTPCode
        let token = Chance.name("verify_", bytes: 16)
        let isVerified = state.withLock { state in
            guard isRight, case .good(let approval) = state.otps.find(id, now: now) else { return false }
            state.otps.remove(id)
            state.verifications.add(token, approval, expiresAt: now + lifetimes.piaxisVerification)
            return true
        }
        guard isVerified else { return error(400, "INVALID_OTP", "OTP code is invalid or expired", now: now) }
        return Answer(
            200,
            [
                "status": "success", "verification_token": .text(token),
                "expires_in": .number(lifetimes.piaxisVerification), "meta": meta(now: now),
            ]
        ).issuing(token)
    }

    func releaseEscrow(_ call: Call, now: Int64) -> Answer {
        let token = call.header("x-verification-token") ?? ""
        let escrow = call.json?["escrow_id"]
        guard case .good(let approval) = state.withLock({ $0.verifications.find(token, now: now) }),
            approval.operation == Self.releaseOperation,
            approval.escrow == nil || approval.escrow == escrow?.string
        else { return error(403, "OTP_REQUIRED", "Operation requires OTP verification", now: now) }
        return Answer(200, envelope(["escrow_id": escrow ?? .null, "status": "released"], now: now))
    }
}
