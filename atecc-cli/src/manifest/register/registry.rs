//! What registration needs of a cloud, so that it can be tried against one that is simulated.

/// The registry of an account and region. Each call is made once; who calls repeats it.
pub(super) trait Registry {
    /// RegisterCertificateWithoutCA, ACTIVE at once.
    async fn register_certificate(&self, pem: &str) -> Result<Registration, CallError>;
    /// DescribeCertificate.
    async fn describe_certificate(&self, id: &str) -> Result<Description, CallError>;
    /// CreateThing; one that is there already is as good.
    async fn create_thing(&self, name: &str) -> Result<(), CallError>;
    /// AttachThingPrincipal; `certificate` is an ARN.
    async fn attach_thing_principal(&self, thing: &str, certificate: &str) -> Result<(), CallError>;
    /// AddThingToThingGroup.
    async fn add_thing_to_thing_group(&self, thing: &str, group: &str) -> Result<(), CallError>;
    /// AttachPolicy; `target` is the ARN of a certificate.
    async fn attach_policy(&self, policy: &str, target: &str) -> Result<(), CallError>;
}

/// What came of a certificate.
#[derive(Clone, Debug)]
pub(super) enum Registration {
    /// It is registered; this is its ARN.
    New { arn: String },
    /// It was before, under this id.
    AlreadyThere { id: String, arn: String },
}

/// A certificate in the registry.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) pem: String,
    /// ACTIVE, INACTIVE, REVOKED, ...
    pub(super) status: String,
}

/// Why a call did not do what it was for. Texts are sentences for the user, with what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallError {
    /// Too many calls: it comes again later, and did not count.
    Throttled(String),
    /// A fault of the server, or a conflict with another call: it comes again later.
    Passing(String),
    /// Nobody answers: it comes again later, and if that lasts, nothing else can be done either.
    Unreachable(String),
    /// This is refused, and something else may not be.
    Refused(String),
    /// Nothing can be done: no rights, no credentials, a wrong clock.
    Denied(String),
}
