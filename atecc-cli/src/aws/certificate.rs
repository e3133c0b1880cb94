//! Certificates in the registry.

use aws_sdk_iot::types::CertificateStatus;
use serde::Serialize;

use super::{AwsError, Client, call};

/// A certificate in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    /// On AWS, the SHA-256 of its DER in lower-case digits.
    pub(crate) id: String,
    /// Its Amazon resource name.
    pub(crate) arn: String,
}

/// What its device may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Connect.
    Active,
    /// Nothing, until it is activated.
    Inactive,
    /// Nothing, until whoever listens to just-in-time registration lets it in.
    Pending,
    /// Nothing, for good or until somebody decides otherwise: revoked, or in transfer to another account.
    Closed,
}

impl Client {
    /// The certificate with this id and its status; `None`: this account has none in this region
    /// (`DescribeCertificate`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn certificate(&self, id: &str) -> Result<Option<(Registered, Status)>, AwsError> {
        const OPERATION: &str = "DescribeCertificate";
        let answer = match self.iot.describe_certificate().certificate_id(id).send().await {
            Ok(answer) => answer,
            Err(error) if call::is_not_found(&error) => return Ok(None),
            Err(error) => return Err(self.failed(OPERATION, &error)),
        };
        let found = answer.certificate_description();
        let found = found.ok_or_else(|| self.incomplete(OPERATION, "certificateDescription"))?;
        let arn = found.certificate_arn().ok_or_else(|| self.incomplete(OPERATION, "certificateArn"))?;
        let status = match found.status() {
            Some(CertificateStatus::Active) => Status::Active,
            Some(CertificateStatus::Inactive) => Status::Inactive,
            Some(CertificateStatus::PendingActivation) => Status::Pending,
            _ => Status::Closed,
        };
        Ok(Some((Registered { id: id.to_owned(), arn: arn.to_owned() }, status)))
    }

    /// Registers the certificate in `pem` as active, whoever issued it (`RegisterCertificateWithoutCA`). The flag says
    /// that it was there already, in whatever status.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn register_certificate_without_ca(
        &self,
        pem: &str,
    ) -> Result<(Registered, bool), AwsError> {
        const OPERATION: &str = "RegisterCertificateWithoutCA";
        let request = self.iot.register_certificate_without_ca();
        let request = request.certificate_pem(pem).status(CertificateStatus::Active);
        match request.send().await {
            Ok(answer) => {
                let registered = self.registered(OPERATION, answer.certificate_id, answer.certificate_arn)?;
                Ok((registered, false))
            }
            Err(error) => {
                let failure = self.failed(OPERATION, &error);
                let known = error.into_service_error();
                let aws_sdk_iot::operation::register_certificate_without_ca::RegisterCertificateWithoutCAError::ResourceAlreadyExistsException(known) = known else { return Err(failure) };
                Ok((self.registered(OPERATION, known.resource_id, known.resource_arn)?, true))
            }
        }
    }

    /// Lets the device with this certificate connect, or no longer (`UpdateCertificate`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn activate_certificate(&self, id: &str) -> Result<(), AwsError> {
        let request = self.iot.update_certificate().certificate_id(id);
        let answer = request.new_status(CertificateStatus::Active).send().await;
        answer.map(drop).map_err(|error| self.failed("UpdateCertificate", &error))
    }

    pub(super) fn registered(
        &self,
        operation: &'static str,
        id: Option<String>,
        arn: Option<String>,
    ) -> Result<Registered, AwsError> {
        let arn = arn.ok_or_else(|| self.incomplete(operation, "certificateArn"))?;
        let id = id.or_else(|| arn.rsplit('/').next().map(str::to_owned)).unwrap_or_default();
        Ok(Registered { id, arn })
    }
}
