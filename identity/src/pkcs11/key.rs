//! A private key in a token.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use rustls::SignatureScheme;
use x509_cert::der::Encode;

use super::attributes::Stored;
use super::{Pkcs11Uri, attributes, mechanism, module, token};
use crate::scheme::PublicKey;
use crate::{Error, Sign, name};

/// More certificates than this are in no chain of a device.
const LONGEST_CHAIN: usize = 8;

/// A private key in a token. The token may be pulled and put back: then the next signature opens it again.
pub(crate) struct TokenKey {
    uri: Pkcs11Uri,
    module: Pkcs11,
    path: PathBuf,
    label: String,
    model: String,
    id: Option<Vec<u8>>,
    public: PublicKey,
    state: Mutex<State>,
}

enum State {
    Open(Open),
    Closed,
    /// The token did not accept the PIN. It is not offered again: after some tries a token locks itself.
    Refused(String),
}

struct Open {
    session: Session,
    key: ObjectHandle,
}

impl TokenKey {
    /// Finds the key and its public key.
    pub(crate) fn open(uri: &Pkcs11Uri) -> Result<(Self, PublicKey), Error> {
        let (path, module) = module::start(uri)?;
        let (session, token) = token::open(&module, &path, uri)?;
        let (label, model) = (token.label().to_owned(), token.model().to_owned());
        let key = find(&session, &label, uri)?;
        let id = attributes::id(&session, key);
        let holder = || format!("token {label:?}");
        let public = attributes::public_key(&session, key, id.as_deref());
        let public = match public {
            Some(public) => public,
            // Some tokens keep the public key in the certificate only.
            None => {
                of_certificate(&session, id.as_deref()).ok_or_else(|| Error::Kind { holder: holder() })?
            }
        };
        let wants_pin_each_time = attributes::read(&session, key, &[AttributeType::AlwaysAuthenticate]);
        if wants_pin_each_time.contains(&Attribute::AlwaysAuthenticate(true)) {
            let problem = "this key asks for it before each signature (CKA_ALWAYS_AUTHENTICATE), which a daemon cannot give; choose a key without that";
            return Err(Error::Pin { token: label, problem: problem.to_owned() });
        }
        tracing::info!(token = label, model, uri = %uri, "PKCS#11 key found");
        let state = Mutex::new(State::Open(Open { session, key }));
        let uri = uri.clone();
        Ok((Self { uri, module, path, label, model, id, public: public.clone(), state }, public))
    }

    fn reopen(&self) -> Result<Open, Error> {
        let (session, _) = token::open(&self.module, &self.path, &self.uri)?;
        let key = find(&session, &self.label, &self.uri)?;
        Ok(Open { session, key })
    }

    /// Does `work` with the open token; if it fails, once more with the token opened again.
    fn with<T>(&self, work: impl Fn(&Open) -> cryptoki::error::Result<T>) -> Result<T, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open(open) => match work(open) {
                Ok(done) => return Ok(done),
                Err(error) => tracing::debug!(token = self.label, "opening the token again: {error}"),
            },
            State::Closed => {}
            State::Refused(problem) => {
                return Err(Error::WrongPin { token: self.label.clone(), problem: problem.clone() });
            }
        }
        // The old session ends before there is a new one; tokens with one session exist.
        *state = State::Closed;
        let open = self.reopen().inspect_err(|error| {
            if let Error::WrongPin { problem, .. } = error {
                *state = State::Refused(problem.clone());
            }
        })?;
        let done = work(&open).map_err(|error| token::failed(&self.label, &error))?;
        *state = State::Open(open);
        Ok(done)
    }
}

fn find(session: &Session, label: &str, uri: &Pkcs11Uri) -> Result<ObjectHandle, Error> {
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    template.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into())));
    template.extend(uri.id.as_ref().map(|id| Attribute::Id(id.clone())));
    let failed = |error| token::failed(label, &error);
    let found = session.find_objects(&template).map_err(failed)?;
    if let [key] = found[..] {
        return Ok(key);
    }
    let all = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).map_err(failed)?;
    let names: Vec<_> = all.into_iter().map(|key| describe(session, key)).collect();
    let problem = match (found.len(), names.as_slice()) {
        (_, []) => "the token shows no private key at all; was it made, and does it need a PIN to be seen?"
            .to_owned(),
        (0, names) => format!("it fits none; there are {}", names.join(", ")),
        (_, names) => format!("it fits several; add object= or id=: there are {}", names.join(", ")),
    };
    Err(Error::Object { token: label.to_owned(), uri: uri.to_string(), problem })
}

/// The key's label and id as a URI has them.
fn describe(session: &Session, key: ObjectHandle) -> String {
    let mut text = String::new();
    for attribute in attributes::read(session, key, &[AttributeType::Label, AttributeType::Id]) {
        match attribute {
            Attribute::Label(label) => text += &format!("object={} ", String::from_utf8_lossy(&label)),
            Attribute::Id(id) => text
                .extend(["id=".to_owned()].into_iter().chain(id.iter().map(|byte| format!("%{byte:02x}")))),
            _ => {}
        }
    }
    text.trim_end().to_owned()
}

fn of_certificate(session: &Session, id: Option<&[u8]>) -> Option<PublicKey> {
    let all = attributes::certificates(session).ok()?;
    all.iter()
        .find(|stored| stored.id.is_some() && stored.id.as_deref() == id)
        .and_then(|stored| public_key_of(&stored.der))
}

fn public_key_of(der: &[u8]) -> Option<PublicKey> {
    let certificate = name::certificate(der).ok()?;
    PublicKey::from_info(&certificate.tbs_certificate().subject_public_key_info().to_der().ok()?)
}

impl Sign for TokenKey {
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        let unable = || Error::Scheme { holder: self.to_string(), scheme };
        let (mechanism, data) = mechanism::request(scheme, message).ok_or_else(unable)?;
        let signature = self.with(|open| open.session.sign(&mechanism, open.key, &data))?;
        mechanism::answer(scheme, signature).ok_or_else(|| Error::WrongSignature { holder: self.to_string() })
    }

    /// The certificate with the key's CKA_ID, and those of the token that lead upwards from it. A root stays at home.
    fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        let all = self.with(|open| attributes::certificates(&open.session))?;
        let is_ours = |der: &[u8]| public_key_of(der).is_some_and(|key| key == self.public);
        let mut ours = all.iter().filter(|stored| is_ours(&stored.der));
        // A renewed certificate may stand beside the old one, under another id.
        let with_id = ours.clone().find(|stored| stored.id.is_some() && stored.id == self.id);
        let Some(Stored { der: leaf, .. }) = with_id.or_else(|| ours.next()) else { return Ok(Vec::new()) };
        let known: Vec<_> = all
            .iter()
            .filter_map(|stored| Some((name::certificate(&stored.der).ok()?, &stored.der)))
            .collect();
        let mut chain = vec![leaf.clone()];
        let mut last = name::certificate(leaf).ok();
        while let Some(below) = last.take().filter(|_| chain.len() < LONGEST_CHAIN) {
            let issuer = below.tbs_certificate().issuer();
            let above = known.iter().find(|(certificate, _)| {
                let subject = certificate.tbs_certificate().subject();
                subject == issuer && subject != certificate.tbs_certificate().issuer()
            });
            if let Some((certificate, der)) = above {
                chain.push((*der).clone());
                last = Some(certificate.clone());
            }
        }
        Ok(chain)
    }

    fn is_emulated(&self) -> bool {
        self.model.starts_with("EMULATOR")
    }

    fn model(&self) -> String {
        self.model.clone()
    }
}

impl fmt::Display for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {:?}", self.label)
    }
}
