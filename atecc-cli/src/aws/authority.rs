//! Certificate authorities in the registry: who issues certificates that AWS takes.

use aws_sdk_iot::{
    operation::register_ca_certificate::RegisterCACertificateError,
    types::{AutoRegistrationStatus, CaCertificateStatus, CertificateMode, RegistrationConfig},
};

use super::{AwsError, Client, Registered, call};

/// What is to be known of a CA in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// Its certificate, in PEM.
    pub(crate) pem: String,
    /// `DEFAULT` mode: with this certificate, signed by the CA, whose common name is the registration code. Without:
    /// `SNI_ONLY`, in which several accounts may have the same CA, and nobody proves to have its key.
    pub(crate) verification: Option<String>,
    /// How its devices get in.
    pub(crate) entrance: Entrance,
}

/// What happens when a device with an unknown certificate of the CA connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// Nothing: each certificate is registered before.
    Closed,
    /// Just-in-time registration: the certificate is registered, and waits for somebody to activate it.
    Registers,
    /// Just-in-time provisioning: this template, run with this role, makes a thing of it.
    Provisions { template: String, role: String },
}

impl Entrance {
    fn configuration(&self) -> Option<RegistrationConfig> {
        let Self::Provisions { template, role } = self else { return None };
        Some(RegistrationConfig::builder().template_body(template).role_arn(role).build())
    }
}

impl Client {
    /// The code that proves, as the common name of a certificate, that a CA's owner speaks for this account
    /// (`GetRegistrationCode`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn registration_code(&self) -> Result<String, AwsError> {
        const OPERATION: &str = "GetRegistrationCode";
        let answer = self.iot.get_registration_code().send().await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        answer.registration_code.ok_or_else(|| self.incomplete(OPERATION, "registrationCode"))
    }

    /// The CA with this id, and whether its devices get in as `entrance` says; `None`: it is not registered
    /// (`DescribeCACertificate`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn authority(
        &self,
        id: &str,
        entrance: &Entrance,
    ) -> Result<Option<(Registered, bool)>, AwsError> {
        const OPERATION: &str = "DescribeCACertificate";
        let answer = match self.iot.describe_ca_certificate().certificate_id(id).send().await {
            Ok(answer) => answer,
            Err(error) if call::is_not_found(&error) => return Ok(None),
            Err(error) => return Err(self.failed(OPERATION, &error)),
        };
        let found = answer.certificate_description();
        let found = found.ok_or_else(|| self.incomplete(OPERATION, "certificateDescription"))?;
        let registers = found.auto_registration_status() == Some(&AutoRegistrationStatus::Enable);
        let there = answer.registration_config();
        let is_same = match entrance {
            Entrance::Closed => !registers,
            Entrance::Registers => registers && there.is_none_or(|there| there.template_body().is_none()),
            Entrance::Provisions { template, role } => {
                registers
                    && there.is_some_and(|there| {
                        there.template_body() == Some(template) && there.role_arn() == Some(role)
                    })
            }
        };
        let is_as_wanted = is_same && found.status() == Some(&CaCertificateStatus::Active);
        let registered = self.registered(OPERATION, Some(id.to_owned()), found.certificate_arn.clone())?;
        Ok(Some((registered, is_as_wanted)))
    }

    /// Registers a CA as active (`RegisterCACertificate`). The flag says that it was there already, and stays
    /// as it was.
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn register_authority(
        &self,
        authority: &Authority,
    ) -> Result<(Registered, bool), AwsError> {
        const OPERATION: &str = "RegisterCACertificate";
        let mode = match authority.verification {
            Some(_) => CertificateMode::Default,
            None => CertificateMode::SniOnly,
        };
        let request = self.iot.register_ca_certificate().ca_certificate(&authority.pem);
        let request = request.set_verification_certificate(authority.verification.clone());
        let request = request.certificate_mode(mode).set_as_active(true);
        let request = request.allow_auto_registration(authority.entrance != Entrance::Closed);
        let request = request.set_registration_config(authority.entrance.configuration());
        let answer = request.send().await;
        let answer = answer.map(|answer| (answer.certificate_id, answer.certificate_arn));
        self.registered_or_known(OPERATION, answer, |error| match error {
            RegisterCACertificateError::ResourceAlreadyExistsException(known) => {
                Some((known.resource_id.clone(), known.resource_arn.clone()))
            }
            _ => None,
        })
    }

    /// Activates a registered CA, and lets its devices in as `entrance` says (`UpdateCACertificate`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn update_authority(&self, id: &str, entrance: &Entrance) -> Result<(), AwsError> {
        let registration = match entrance {
            Entrance::Closed => AutoRegistrationStatus::Disable,
            _ => AutoRegistrationStatus::Enable,
        };
        let request = self.iot.update_ca_certificate().certificate_id(id);
        let request =
            request.new_status(CaCertificateStatus::Active).new_auto_registration_status(registration);
        let request = match entrance.configuration() {
            Some(configuration) => request.registration_config(configuration),
            None => request.remove_auto_registration(true),
        };
        request.send().await.map(drop).map_err(|error| self.failed("UpdateCACertificate", &error))
    }
}
