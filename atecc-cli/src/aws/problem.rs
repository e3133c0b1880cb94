//! What AWS, or the way to it, has against a call, as a sentence that says what to do.

use std::{error::Error as StdError, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iot::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use rustls::CertificateError;

use super::{Place, clock::Skew};

/// What is wrong. Each kind wants something else to be done.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Problem {
    #[error(
        "{0}; run `aws configure` or `aws sso login`, set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or name a profile that has some with --profile"
    )]
    NoCredentials(String),
    #[error(
        "the credentials have expired; get new ones (`aws sso login`, or `aws sts get-session-token` again) and run \
         this once more"
    )]
    Expired,
    #[error(
        "AWS does not know these credentials here ({0}); check AWS_ACCESS_KEY_ID or the profile, and that the region \
         is switched on in this account"
    )]
    UnknownCredentials(String),
    #[error(
        "the secret access key does not belong to the access key id; copy both anew into the profile or the \
         environment"
    )]
    WrongSecret,
    #[error("{0}; set it (`timedatectl set-ntp true`) and run this once more")]
    Clock(Skew),
    #[error("these credentials may not do {action}: {message}; whoever administers the account can allow it")]
    Denied { action: String, message: String },
    #[error(
        "{0}; what is there and what is wanted are in conflict: look at it in the console, and remove one of them"
    )]
    Conflict(String),
    #[error("{0}; create it first, or check its name, the account and the region")]
    NotFound(String),
    #[error("AWS does not take it ({code}): {message}")]
    Rejected { code: String, message: String },
    #[error(
        "a limit of the account is reached: {0}; delete what is no longer used, or ask AWS for more (Service Quotas)"
    )]
    Limit(String),
    #[error(
        "AWS limits the rate of this call and did so several times; run this again in a minute, or ask for a \
         higher quota (Service Quotas)"
    )]
    Throttled,
    #[error(
        "AWS has a failure of its own ({0}); run this again in a few minutes, and look at \
         https://health.aws.amazon.com if it stays"
    )]
    Unavailable(String),
    #[error(
        "{host} answers as no AWS IoT control API does (HTTP status {status}, {content}); check \
         --endpoint-url and AWS_ENDPOINT_URL, and whether a proxy or a login page stands between"
    )]
    NotAws { host: String, status: u16, content: String },
    #[error(
        "the name {host} is not found; check the region and --endpoint-url, and whether this machine is on \
         the network (`getent hosts amazonaws.com`)"
    )]
    NoSuchHost { host: String },
    #[error("there is no way from this machine to {host}; check its network (`ip address`, `ip route`)")]
    NoNetwork { host: String },
    #[error(
        "nobody listens at {host} ({reason}); check --endpoint-url, the proxy (HTTPS_PROXY) and the firewall, \
         which must let HTTPS out"
    )]
    Unreachable { host: String, reason: String },
    #[error(
        "no answer from {host} in time; check the network, and whether a firewall or proxy (HTTPS_PROXY) stands between"
    )]
    Timeout { host: String },
    #[error(
        "the certificate of {host} is not trusted ({reason}); install `ca-certificates`, or have the proxy \
         that opens connections leave this one alone"
    )]
    Untrusted { host: String, reason: String },
    #[error("the request could not be made: {0}; report this if it stays")]
    Other(String),
}

impl Problem {
    /// What was behind `error`.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>, operation: &str, place: &Place) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let host = place.host();
        match error {
            SdkError::ServiceError(answer) => match answer.err().code() {
                Some(code) => service(code, answer.err().message(), answer.raw(), operation),
                None => not_aws(answer.raw(), host),
            },
            SdkError::ResponseError(answer) => not_aws(answer.raw(), host),
            SdkError::TimeoutError(_) => Self::Timeout { host },
            other => on_the_way(other, place),
        }
    }
}

/// An error of AWS by its code (API reference of AWS IoT; "Common errors" of the General Reference).
fn service(code: &str, message: Option<&str>, answer: &HttpResponse, operation: &str) -> Problem {
    let text = message.unwrap_or(code);
    let text = text.strip_suffix('.').unwrap_or(text).to_owned();
    let is_late = ["Signature expired", "Signature not yet current", "not yet valid"];
    let is_late = is_late.iter().any(|words| text.contains(words));
    let skew = Skew::of(answer);
    match code {
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Problem::Clock(skew),
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "AuthFailure" => {
            if is_late || skew.is_large() { Problem::Clock(skew) } else { Problem::WrongSecret }
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Problem::Expired,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "NotSignedUp"
        | "OptInRequired"
        | "SubscriptionRequiredException" => Problem::UnknownCredentials(text),
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedException"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "ForbiddenException" => {
            if text.contains("expired") && text.contains("token") {
                return Problem::Expired;
            }
            Problem::Denied { action: format!("iot:{operation}"), message: text }
        }
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "TooManyRequestsException" => Problem::Throttled,
        "LimitExceededException" | "VersionsLimitExceededException" => Problem::Limit(text),
        "ResourceAlreadyExistsException"
        | "ConflictException"
        | "CertificateConflictException"
        | "ConflictingResourceUpdateException"
        | "VersionConflictException"
        | "ResourceRegistrationFailureException"
        | "TransferConflictException" => Problem::Conflict(text),
        "ResourceNotFoundException" => Problem::NotFound(text),
        "InternalFailureException"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalException"
        | "ServiceUnavailableException"
        | "ServiceUnavailable" => Problem::Unavailable(text),
        _ if answer.status().as_u16() >= 500 => Problem::Unavailable(format!("{code}: {text}")),
        _ => Problem::Rejected { code: code.to_owned(), message: text },
    }
}

/// An answer without an error of AWS in it.
fn not_aws(answer: &HttpResponse, host: String) -> Problem {
    let content = answer.headers().get("content-type").unwrap_or("without a content type").to_owned();
    let status = answer.status().as_u16();
    match status {
        429 => Problem::Throttled,
        502..=504 => Problem::Unavailable(format!("HTTP status {status}")),
        _ => Problem::NotAws { host, status, content },
    }
}

/// What kept the request from leaving, or the answer from coming.
fn on_the_way<E>(error: &SdkError<E, HttpResponse>, place: &Place) -> Problem
where
    E: StdError + 'static,
{
    let host = place.host();
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<CredentialsError>() {
            return Problem::NoCredentials(credentials(error, place));
        }
        match cause.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(error)) => return certificate(error, host),
            Some(error) => return Problem::Unreachable { host, reason: error.to_string() },
            None => {}
        }
        if let Some(error) = cause.downcast_ref::<io::Error>()
            && error.get_ref().is_none()
        {
            return by_system(error, host);
        }
    }
    // Without what `Debug` adds to it.
    let text = causes(error).map(|cause| one_line(&cause.to_string())).collect::<Vec<_>>().join(": ");
    match error {
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Problem::Timeout { host },
        // The resolver of the HTTP library tells it in words only.
        SdkError::DispatchFailure(_) if text.contains("dns error") => Problem::NoSuchHost { host },
        SdkError::DispatchFailure(failure) if failure.is_io() => Problem::Unreachable { host, reason: text },
        _ => Problem::Other(text),
    }
}

/// What the operating system has against a connection.
fn by_system(error: &io::Error, host: String) -> Problem {
    match error.kind() {
        io::ErrorKind::TimedOut => Problem::Timeout { host },
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkDown => {
            Problem::NoNetwork { host }
        }
        _ => Problem::Unreachable { host, reason: error.to_string() },
    }
}

/// A server's certificate is good from one day to another, so it shows a wrong clock before any signature does.
fn certificate(error: &CertificateError, host: String) -> Problem {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Problem::Clock(Skew::Certificate(host)),
        error => Problem::Untrusted { host, reason: error.to_string() },
    }
}

/// Which of the places where credentials can be failed, and how.
fn credentials(error: &CredentialsError, place: &Place) -> String {
    // The last cause is the one that names file, line or command; those before it are layers of the SDK.
    let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
    match (error, &place.profile) {
        (CredentialsError::CredentialsNotLoaded(_), None) => {
            "no credentials are in the environment, in ~/.aws, or with this machine's role".into()
        }
        (_, Some(profile)) => format!("profile {profile} gives no credentials: {}", one_line(&reason)),
        (_, None) => format!("there are no credentials: {}", one_line(&reason)),
    }
}

/// `error` and all behind it.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// What is behind `error`. An `io::Error` hides what it wraps.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inside) => Some(inside),
        None => error.source(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_network_is_told_from_a_server_that_does_not_listen() {
        let says = |code| by_system(&io::Error::from_raw_os_error(code), "aws.test".into()).to_string();
        // ENETUNREACH, EHOSTUNREACH, ETIMEDOUT and ECONNREFUSED of Linux.
        assert!(says(101).contains("ip route") && says(113).contains("ip route"));
        assert!(says(110).contains("no answer from aws.test in time"));
        assert!(says(111).contains("nobody listens at aws.test"));
    }

    #[test]
    fn what_an_io_error_wraps_is_found() {
        let inside = rustls::Error::InvalidCertificate(CertificateError::NotValidYet);
        let error = io::Error::other(io::Error::other(inside));
        assert!(causes(&error).any(|cause| cause.is::<rustls::Error>()));
    }
}
