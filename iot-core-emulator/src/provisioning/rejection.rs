//! Why a request is rejected: `statusCode`, `errorCode` and `errorMessage`.
//!
//! `InvalidCertificateOwnershipToken` with its message was seen on AWS (aws-iot-device-sdk-js-v2, issue 69); the guide
//! names the fields and no codes, so the others are those that other emulators use.

use std::borrow::Cow;

use serde_json::{Value, json};

/// Why a request is rejected.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
}

impl Rejection {
    pub(super) const NO_TOKEN: Self =
        Self::of(400, "InvalidCertificateOwnershipToken", "Certificate ownership token cannot be empty.");
    pub(super) const UNKNOWN_TOKEN: Self =
        Self::of(400, "InvalidCertificateOwnershipToken", "Certificate ownership token is invalid.");
    pub(super) const UNREADABLE: Self = Self::of(400, "InvalidPayload", "Message cannot be parsed");
    /// "If the Lambda function doesn't return "allowProvisioning": "true" in the response, the provisioning request fails
    /// with ACCESS_DENIED" (developer guide, "Pre-provisioning hooks").
    pub(super) const ACCESS_DENIED: Self = Self::of(403, "AccessDenied", "Access denied");
    pub(super) const THROTTLED: Self = Self::of(429, "ThrottlingException", "Rate exceeded");

    const fn of(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message: Cow::Borrowed(message) }
    }

    pub(super) fn bad_request(problem: String) -> Self {
        Self { status: 400, code: "InvalidPayload", message: problem.into() }
    }

    pub(super) fn no_template(name: &str) -> Self {
        let message = format!("Template with name {name} does not exist.").into();
        Self { status: 400, code: "InvalidTemplate", message }
    }

    pub(super) fn provisioning_failed(problem: String) -> Self {
        Self { status: 400, code: "ProvisioningFailed", message: problem.into() }
    }

    pub(super) fn internal(problem: String) -> Self {
        Self { status: 500, code: "InternalFailure", message: problem.into() }
    }

    pub(super) fn document(&self) -> Value {
        json!({ "statusCode": self.status, "errorCode": self.code, "errorMessage": self.message })
    }
}
