//! Whether a certificate leads to a root.

use std::{path::Path, sync::Arc};

use identity::Identity;
use rustls::{
    RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::WebPkiClientVerifier,
};

use super::RegisterError;

/// The certificates in the PEM file `path`.
pub(crate) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, RegisterError> {
    let unusable = |problem: String| RegisterError::CertificateFile { path: path.into(), problem };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("it contains no `-----BEGIN CERTIFICATE-----`".into()));
    }
    Ok(certificates)
}

/// Verifies signatures, names, dates and uses from the leaf of `identity` up to one of `roots`, as a TLS server does.
pub(super) fn verify(identity: &Identity, roots: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone().into_owned())?;
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider).build();
    let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
    let chain: Vec<CertificateDer<'_>> =
        identity.chain().iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let Some((leaf, above)) = chain.split_first() else { return Err(rustls::Error::NoCertificatesPresented) };
    verifier.verify_client_cert(leaf, above, UnixTime::now()).map(drop)
}
