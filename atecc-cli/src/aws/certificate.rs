//! Certificates in the registry.

use std::error::Error as StdError;

use aws_sdk_iot::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        register_certificate::RegisterCertificateError,
        register_certificate_without_ca::RegisterCertificateWithoutCAError,
    },
    types::{CertificateDescription, CertificateStatus},
};
use zeroize::Zeroizing;

use super::{AwsError, Client, call};

const DESCRIBE: &str = "DescribeCertificate";

/// Id and Amazon resource name, as an answer has them.
type Names = (Option<String>, Option<String>);

/// A certificate in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    /// On AWS, the SHA-256 of its DER in lower-case digits.
    pub(crate) id: String,
    /// Its Amazon resource name.
    pub(crate) arn: String,
}

/// What its device may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        let Some(found) = self.described(id).await? else { return Ok(None) };
        let arn = found.certificate_arn().ok_or_else(|| self.incomplete(DESCRIBE, "certificateArn"))?;
        let status = match found.status() {
            Some(CertificateStatus::Active) => Status::Active,
            Some(CertificateStatus::Inactive) => Status::Inactive,
            Some(CertificateStatus::PendingActivation) => Status::Pending,
            _ => Status::Closed,
        };
        Ok(Some((Registered { id: id.to_owned(), arn: arn.to_owned() }, status)))
    }

    /// The certificate with this id in PEM, and its status as AWS spells it, such as `INACTIVE`; `None`: this account has
    /// none in this region (`DescribeCertificate`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn certificate_description(
        &self,
        id: &str,
    ) -> Result<Option<(String, String)>, AwsError> {
        let Some(found) = self.described(id).await? else { return Ok(None) };
        let pem = found.certificate_pem().unwrap_or_default().to_owned();
        let status = found.status().map_or("without a status", CertificateStatus::as_str);
        Ok(Some((pem, status.to_owned())))
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
        let answer = request.send().await;
        let answer = answer.map(|answer| (answer.certificate_id, answer.certificate_arn));
        self.registered_or_known(OPERATION, answer, |error| match error {
            RegisterCertificateWithoutCAError::ResourceAlreadyExistsException(known) => {
                Some((known.resource_id.clone(), known.resource_arn.clone()))
            }
            _ => None,
        })
    }

    /// Registers the certificate in `pem` as active, which a CA issued that is registered here
    /// (`RegisterCertificate`). `authority` is that CA's certificate, in PEM; it is needed where several have
    /// the same subject. The flag says that the certificate was there already, in whatever status.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn register_certificate(
        &self,
        pem: &str,
        authority: Option<&str>,
    ) -> Result<(Registered, bool), AwsError> {
        const OPERATION: &str = "RegisterCertificate";
        let request = self.iot.register_certificate().certificate_pem(pem);
        let request = request.set_ca_certificate_pem(authority.map(str::to_owned));
        let answer = request.status(CertificateStatus::Active).send().await;
        let answer = answer.map(|answer| (answer.certificate_id, answer.certificate_arn));
        self.registered_or_known(OPERATION, answer, |error| match error {
            RegisterCertificateError::ResourceAlreadyExistsException(known) => {
                Some((known.resource_id.clone(), known.resource_arn.clone()))
            }
            _ => None,
        })
    }

    /// Has AWS issue a certificate, active, for the certificate request in `pem` (`CreateCertificateFromCsr`).
    /// Gives its PEM as well.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn create_certificate_from_request(
        &self,
        pem: &str,
    ) -> Result<(Registered, String), AwsError> {
        const OPERATION: &str = "CreateCertificateFromCsr";
        let request = self.iot.create_certificate_from_csr().certificate_signing_request(pem);
        let answer = request.set_as_active(true).send().await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        let registered = self.registered(OPERATION, answer.certificate_id, answer.certificate_arn)?;
        let pem = answer.certificate_pem.ok_or_else(|| self.incomplete(OPERATION, "certificatePem"))?;
        Ok((registered, pem))
    }

    /// Has AWS make a key and an active certificate for it (`CreateKeysAndCertificate`). Gives the
    /// certificate's PEM and the private key's, which came over the network and is nowhere else.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn create_keys_and_certificate(
        &self,
    ) -> Result<(Registered, String, Zeroizing<String>), AwsError> {
        const OPERATION: &str = "CreateKeysAndCertificate";
        let answer = self.iot.create_keys_and_certificate().set_as_active(true).send().await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        let key = answer.key_pair.and_then(|pair| pair.private_key).map(Zeroizing::new);
        let key = key.ok_or_else(|| self.incomplete(OPERATION, "keyPair"))?;
        let pem = answer.certificate_pem.ok_or_else(|| self.incomplete(OPERATION, "certificatePem"))?;
        Ok((self.registered(OPERATION, answer.certificate_id, answer.certificate_arn)?, pem, key))
    }

    /// Lets the device with this certificate connect (`UpdateCertificate`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn activate_certificate(&self, id: &str) -> Result<(), AwsError> {
        let request = self.iot.update_certificate().certificate_id(id);
        let answer = request.new_status(CertificateStatus::Active).send().await;
        answer.map(drop).map_err(|error| self.failed("UpdateCertificate", &error))
    }

    /// What AWS knows of the certificate with this id, if anything.
    async fn described(&self, id: &str) -> Result<Option<CertificateDescription>, AwsError> {
        match self.iot.describe_certificate().certificate_id(id).send().await {
            Ok(answer) => {
                let found = answer.certificate_description;
                found.map(Some).ok_or_else(|| self.incomplete(DESCRIBE, "certificateDescription"))
            }
            Err(error) if call::is_not_found(&error) => Ok(None),
            Err(error) => Err(self.failed(DESCRIBE, &error)),
        }
    }

    /// The certificate, of a CA too, that `operation` made, or that was there already, which the flag says: then `known`
    /// finds its names in the error.
    pub(super) fn registered_or_known<E>(
        &self,
        operation: &'static str,
        answer: Result<Names, SdkError<E, HttpResponse>>,
        known: impl FnOnce(&E) -> Option<Names>,
    ) -> Result<(Registered, bool), AwsError>
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let ((id, arn), is_known) = match answer {
            Ok(names) => (names, false),
            Err(error) => match error.as_service_error().and_then(known) {
                Some(names) => (names, true),
                None => return Err(self.failed(operation, &error)),
            },
        };
        Ok((self.registered(operation, id, arn)?, is_known))
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
