//! Authorities of an owner: CA certificates whose devices register themselves.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::BasicConstraints;

use super::{CertificateRecord, Lease, Registry, exists};
use crate::template::{Kind, Template};
use crate::{CertificateId, Error, Status};

/// A CA certificate to be registered, as `RegisterCACertificate` takes it with `--certificate-mode SNI_ONLY
/// --set-as-active`: without a verification certificate, and in as many accounts as like to.
///
/// The other mode, DEFAULT, is left out.
#[derive(Clone, Copy, Debug)]
pub struct CaCertificate<'a> {
    /// The certificate that signs the devices' certificates itself, in DER.
    pub der: &'a [u8],
    /// Whether certificates that it signed are registered when their devices connect (just-in-time registration).
    pub allow_auto_registration: bool,
    /// The body of a template for just-in-time provisioning. Without one, somebody else activates the certificates.
    pub template_body: Option<&'a str>,
}

/// A registered authority.
#[derive(Clone, Debug)]
pub(crate) struct CaRecord {
    pub(crate) id: CertificateId,
    verifier: Arc<dyn ClientCertVerifier>,
    allow_auto_registration: bool,
    pub(crate) template: Option<Arc<Template>>,
}

impl Registry {
    /// Registers an authority, as `RegisterCACertificate` does; gives the id that events name.
    ///
    /// # Errors
    /// [`Error::Certificate`] or [`Error::NoAuthority`] if the bytes are no certificate of an authority,
    /// [`Error::Template`], or [`Error::AlreadyExists`].
    pub fn register_ca_certificate(&self, ca: CaCertificate<'_>) -> Result<CertificateId, Error> {
        let certificate = Certificate::from_der(ca.der).map_err(Error::Certificate)?;
        let constraints = certificate.tbs_certificate().get_extension::<BasicConstraints>();
        if !constraints.map_err(Error::Certificate)?.is_some_and(|(_, constraints)| constraints.ca) {
            return Err(Error::NoAuthority);
        }
        let mut trusted = RootCertStore::empty();
        trusted.add(CertificateDer::from(ca.der.to_vec()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider)
            .build()
            .map_err(|_| Error::NoAuthority)?;
        let template = ca.template_body.map(|body| Template::parse(Kind::JustInTime, body)).transpose()?;
        let id = CertificateId::of(ca.der);
        let mut records = self.records();
        if records.authorities.contains_key(&id) {
            return Err(exists("CA certificate", id.as_str()));
        }
        let record = CaRecord {
            id: id.clone(),
            verifier,
            allow_auto_registration: ca.allow_auto_registration,
            template: template.map(Arc::new),
        };
        records.authorities.insert(id.clone(), record);
        Ok(id)
    }

    /// The authority that signed this certificate and lets its devices register themselves. What else the client
    /// presented does not matter: "presenting the CA certificate is optional".
    pub(crate) fn auto_registering_ca(&self, certificate: &[u8]) -> Option<CaRecord> {
        let authorities: Vec<CaRecord> = self.records().authorities.values().cloned().collect();
        let certificate = CertificateDer::from(certificate);
        authorities
            .into_iter()
            .filter(|ca| ca.allow_auto_registration)
            .find(|ca| ca.verifier.verify_client_cert(&certificate, &[], UnixTime::now()).is_ok())
    }

    /// Registers the certificate of a device that came by itself. If it is registered, tells since when.
    pub(crate) fn register_pending(&self, id: &CertificateId) -> Option<SystemTime> {
        match self.records().certificates.entry(id.clone()) {
            Entry::Occupied(known) => Some(known.get().since),
            Entry::Vacant(place) => {
                place.insert(CertificateRecord::new(Status::PendingActivation, Lease::Unlimited));
                None
            }
        }
    }
}
