//! The emulator's own certificate authority, made anew at every start.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;

/// Stands where Amazon Root CA 3 would: ECDSA P-256, and every name says EMULATOR.
pub(crate) struct Authority {
    /// What clients must trust.
    pub(crate) root_pem: String,
    /// The server's certificate.
    pub(crate) server: CertificateDer<'static>,
    /// The server's key.
    pub(crate) server_key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Makes a root and one server certificate for the endpoints of all accounts, as AWS has one for a region.
    pub(crate) fn for_endpoints<'a>(endpoints: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut root = CertificateParams::default();
        root.distinguished_name = name("EMULATOR root (not AWS, for tests only)");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_certificate = root.self_signed(&root_key)?;

        let server_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut server = CertificateParams::new(endpoints.map(str::to_owned).collect::<Vec<_>>())?;
        server.distinguished_name = name("EMULATOR of IoT Core (not AWS)");
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let issuer = Issuer::new(root, root_key);
        let server_certificate = server.signed_by(&server_key, &issuer)?;

        Ok(Self {
            root_pem: root_certificate.pem(),
            server: server_certificate.der().clone(),
            server_key: PrivatePkcs8KeyDer::from(server_key.serialize_der()).into(),
        })
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "EMULATOR");
    name.push(DnType::CommonName, common_name);
    name
}
