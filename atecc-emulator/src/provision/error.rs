//! Why no chip could be made.

/// Why no chip could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// The system's clock cannot stand in a certificate.
    #[error(
        "the system's clock is not between 2000 and 2049; set it, since the certificate carries its date"
    )]
    Clock,
    /// A key came out invalid.
    #[error("a key could not be made")]
    Key,
    /// No random numbers.
    #[error("the operating system gives no random numbers")]
    Randomness,
    /// The certificate template did not take the names.
    #[error("the certificate template does not fit")]
    Template,
}
