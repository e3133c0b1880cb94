//! A token: the chip in a slot, opened, with its objects.

mod chip;
mod user;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use atecc::{PublicKey, Slot};
use atecc_token::{DeviceSpec, ObjectKind, TransportError};
use cryptoki_sys::*;

use crate::{
    config::Policy,
    error::Error,
    object::{Created, Object, Owner, Showing, Shown, of_chip},
    store::{Names, Store},
    template::Template,
};

/// An open token.
pub(crate) struct Token {
    device: atecc_token::Token,
    serial: String,
    policy: Arc<Policy>,
    shown: Mutex<Shown>,
    created: Mutex<Created>,
    /// Some slot of the chip is free for a new key.
    generates: bool,
    is_removable: bool,
    /// Set for good when the chip went: the slot opens it anew.
    is_gone: AtomicBool,
    /// Set for good when its sessions are over.
    is_over: AtomicBool,
    last_seen: Mutex<Instant>,
    is_user_logged_in: AtomicBool,
    /// Wrong PINs in a row of which the store does not know, since it cannot be written.
    uncounted_pins: Mutex<u32>,
}

/// How long a chip that answered counts as there.
const FRESH: Duration = Duration::from_secs(1);

impl Token {
    /// Opens the way to the chip.
    pub(crate) fn open(spec: &DeviceSpec, policy: &Arc<Policy>) -> Result<Self, Error> {
        let device = atecc_token::Token::open_with(spec, &policy.rules).map_err(|error| {
            policy.log.warn(&error);
            if error.is_absent() { Error::TokenNotPresent } else { Error::Device }
        })?;
        let serial = device.serial_number();
        Ok(Self {
            serial: serial.to_string(),
            generates: policy.rules.iter().any(|rule| rule.overwrite && rule.is_for(spec, &serial)),
            device,
            policy: Arc::clone(policy),
            shown: Mutex::default(),
            created: Mutex::default(),
            is_removable: spec.is_removable(),
            is_gone: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            last_seen: Mutex::new(Instant::now()),
            is_user_logged_in: AtomicBool::new(false),
            uncounted_pins: Mutex::default(),
        })
    }

    /// What the token says about itself.
    pub(crate) fn device(&self) -> &atecc_token::Token {
        &self.device
    }

    /// The serial number of the chip, in hexadecimal digits.
    pub(crate) fn serial(&self) -> &str {
        &self.serial
    }

    /// What applications added to tokens.
    pub(crate) fn store(&self) -> &Store {
        &self.policy.store
    }

    /// Whether a new key may be made in some slot.
    pub(crate) const fn generates(&self) -> bool {
        self.generates
    }

    /// Whether the chip went away since the token was opened.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    /// Whether its sessions have nothing left but their end.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The chip went. A session of nobody goes on when that chip, and no other, is back: ssh-agent and OpenSSL's engine
    /// never open a second one. One that somebody is logged in to is over, as the standard has it of all.
    fn has_gone(&self, is_another_there: bool) {
        self.is_gone.store(true, Ordering::Release);
        if is_another_there || self.is_user_logged_in() {
            self.is_over.store(true, Ordering::Release);
        }
    }

    /// Whether the chip is there, as far as was seen lately or can be seen now.
    pub(crate) fn answers(&self) -> bool {
        if self.is_gone() {
            return false;
        }
        if !self.is_removable || locked(&self.last_seen).elapsed() < FRESH {
            return true;
        }
        let is_gone = match self.device.presence() {
            Ok(is_present) => !is_present,
            Err(error) if error.is_absent() => {
                self.has_gone(false);
                return false;
            }
            // A bus that others hold for long, or a damaged answer, ends no session.
            Err(_) => return true,
        };
        if is_gone {
            self.has_gone(true);
        } else {
            *locked(&self.last_seen) = Instant::now();
        }
        !is_gone
    }

    /// The object with this handle: of the token, or of a session with it. One that is private is not there for who
    /// did not log in.
    pub(crate) fn object(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>, Error> {
        self.present_object(handle).and_then(|object| {
            if self.is_visible(&object) { Ok(object) } else { Err(Error::ObjectHandleInvalid) }
        })
    }

    fn present_object(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>, Error> {
        if let Some(object) = self.created().get(handle) {
            return Ok(object);
        }
        self.shown(Wanted::AnyKnown)?.get(handle)
    }

    /// The key with this handle.
    pub(crate) fn key(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>, Error> {
        let object = self.present_object(handle).map_err(|error| match error {
            Error::ObjectHandleInvalid => Error::KeyHandleInvalid,
            error => error,
        })?;
        object.key()?;
        if self.is_visible(&object) { Ok(object) } else { Err(Error::UserNotLoggedIn) }
    }

    /// The key with this handle, if it is for this use: CKA_SIGN, CKA_DERIVE and so on.
    pub(crate) fn key_for(
        &self,
        handle: CK_OBJECT_HANDLE,
        purpose: CK_ATTRIBUTE_TYPE,
    ) -> Result<Arc<Object>, Error> {
        let key = self.key(handle)?;
        if key.flag(purpose) { Ok(key) } else { Err(Error::KeyFunctionNotPermitted) }
    }

    /// The handles of all objects that match, and that this session may see.
    pub(crate) fn find(&self, template: &Template<'_>) -> Result<Vec<CK_OBJECT_HANDLE>, Error> {
        let class = template.get(CKA_CLASS);
        let is_for_keys =
            [CKO_PRIVATE_KEY, CKO_PUBLIC_KEY].iter().any(|key| class == Some(&key.to_ne_bytes()));
        // A private key is found for a signature without reading a certificate.
        let wanted =
            if is_for_keys && template.get(CKA_SUBJECT).is_none() { Wanted::Keys } else { Wanted::All };
        let shown = self.shown(wanted)?;
        let created = self.created();
        let all = shown.find(template).chain(created.find(template));
        Ok(all.filter(|(_, object)| self.is_visible(object)).map(|(handle, _)| handle).collect())
    }

    /// The handle of an object of the token.
    pub(crate) fn handle(&self, unique_id: &str) -> Result<CK_OBJECT_HANDLE, Error> {
        Ok(self.shown(Wanted::Keys)?.handle(unique_id))
    }

    /// Whether the object with this handle is in the store.
    pub(crate) fn is_stored(&self, handle: CK_OBJECT_HANDLE) -> bool {
        locked(&self.shown).is_stored(handle)
    }

    /// The objects of the sessions with this token.
    pub(crate) fn created(&self) -> MutexGuard<'_, Created> {
        locked(&self.created)
    }

    /// Takes in an object of a session. One that is private is for those who are logged in.
    pub(crate) fn keep(
        &self,
        owner: Owner,
        make: impl FnOnce(&str) -> Result<Object, Error>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        self.created().insert(owner, |unique_id| self.permitted(make(unique_id)?))
    }

    /// The object, if who is here now may make it.
    pub(crate) fn permitted(&self, object: Object) -> Result<Object, Error> {
        if self.is_visible(&object) { Ok(object) } else { Err(Error::UserNotLoggedIn) }
    }

    /// The slots that are free for a new key, with the labels that their keys have by themselves.
    pub(crate) fn free_slots(&self) -> Result<Vec<(Slot, String)>, Error> {
        if !self.generates {
            return Ok(Vec::new());
        }
        let pairs = self.told(self.device.key_pairs())?;
        let free = pairs.into_iter().filter_map(|object| match object.kind {
            ObjectKind::PrivateKey { slot, may, .. } if may.overwrite => {
                Some((slot, object.label.into_owned()))
            }
            _ => None,
        });
        Ok(free.collect())
    }

    /// The CKA_UNIQUE_ID of the private and of the public key of a pair.
    pub(crate) fn pair(&self, slot: Slot) -> Result<[String; 2], Error> {
        let pairs = self.told(self.device.key_pairs())?;
        let of_slot: Vec<_> = pairs
            .into_iter()
            .filter(|object| match object.kind {
                ObjectKind::PrivateKey { slot: of, .. } | ObjectKind::PublicKey { slot: of, .. } => {
                    of == slot
                }
                _ => false,
            })
            .collect();
        let objects = of_chip(&of_slot, Showing::default());
        let unique_id = |class| {
            let object = objects.iter().find(|object| object.class() == class);
            object.map(|object| object.unique_id().to_owned()).ok_or(Error::Device)
        };
        Ok([unique_id(CKO_PRIVATE_KEY)?, unique_id(CKO_PUBLIC_KEY)?])
    }

    /// Makes a new key. What is shown of the chip is read again.
    pub(crate) fn generate(&self, slot: Slot) -> Result<PublicKey, Error> {
        let generated = self.told(self.device.generate_key_pair(slot));
        locked(&self.shown).forget_chip();
        generated
    }

    /// Makes a new key, gives it these names in the store, and forgets those of the old one there. Gives the
    /// CKA_UNIQUE_IDs of the new pair, as [`pair`](Self::pair) does. If the store cannot keep the names, the old key
    /// stays.
    pub(crate) fn replace(&self, slot: Slot, names: &Names) -> Result<[String; 2], Error> {
        let old = self.pair(slot)?;
        self.store().update_for_good(
            |contents| old.iter().for_each(|unique_id| contents.rename(&self.serial, unique_id, names)),
            |contents| {
                self.generate(slot)?;
                let new = self.pair(slot)?;
                for (old, new) in old.iter().zip(&new) {
                    contents.forget_names(&self.serial, old);
                    contents.rename(&self.serial, new, names);
                }
                Ok(new)
            },
        )
    }

    /// Puts a key that is `hidden` in the place of one that shall be no more. The public key of the old one lingers.
    pub(crate) fn destroy(&self, slot: Slot, hidden: &Names) -> Result<(), Error> {
        let [_, public] = self.pair(slot)?;
        let public = self.shown(Wanted::Keys)?.by_unique_id(&public);
        self.replace(slot, hidden)?;
        if let Some(public) = public {
            locked(&self.shown).linger((*public).clone());
        }
        Ok(())
    }

    /// Whether this was the public key of a private key that is no more, which it is not any longer either.
    pub(crate) fn end_lingering(&self, unique_id: &str) -> bool {
        locked(&self.shown).end_lingering(unique_id)
    }

    /// What the token shows: of the chip at least what is wanted, and of the store what is there now.
    fn shown(&self, wanted: Wanted) -> Result<MutexGuard<'_, Shown>, Error> {
        let mut shown = locked(&self.shown);
        let is_all = wanted == Wanted::All || shown.had_all();
        let is_there = if is_all { shown.has_all() } else { shown.has_keys() };
        if !is_there && (wanted != Wanted::AnyKnown || shown.has_handles()) {
            let chip = if is_all { self.device.objects() } else { self.device.key_pairs() };
            let showing = Showing {
                // Everybody has the key of the root that emulated chips have.
                is_root_trusted: !self.device.is_emulated(),
                are_keys_private: self.requires_login(),
                is_renamable: self.store().is_writable(),
                is_all,
            };
            shown.set_chip(of_chip(&self.told(chip)?, showing), is_all);
        }
        // A store that cannot be read takes nothing away from what the chip has; the log tells.
        let store = self.store().contents().unwrap_or_default();
        shown.set_store(&self.serial, &store);
        Ok(shown)
    }

    /// The sentence of an error goes to the log, since a return value has no room for it.
    fn told<T>(&self, result: Result<T, atecc_token::Error>) -> Result<T, Error> {
        let error = match result {
            Ok(value) => {
                *locked(&self.last_seen) = Instant::now();
                return Ok(value);
            }
            Err(error) => error,
        };
        self.policy.log.warn(&error);
        Err(match error {
            // On a bus that nobody pulls, the next call may find the chip again.
            atecc_token::Error::Chip(atecc::Error::Transport(TransportError::Bus(_)))
                if error.is_absent() && !self.is_removable =>
            {
                Error::TokenNotPresent
            }
            error if error.is_absent() => {
                self.has_gone(matches!(
                    error,
                    atecc_token::Error::Chip(atecc::Error::Transport(TransportError::AnotherChip { .. }))
                ));
                Error::DeviceRemoved
            }
            atecc_token::Error::PermanentKey { .. }
            | atecc_token::Error::NotListed { .. }
            | atecc_token::Error::NoGenKey { .. } => Error::TokenWriteProtected,
            atecc_token::Error::NoEcdh { .. } | atecc_token::Error::NoSecretKey { .. } => {
                Error::KeyFunctionNotPermitted
            }
            error => match error.refusal() {
                Some(refusal) if refusal.is_unattended() => Error::FunctionCanceled,
                Some(_) => Error::FunctionRejected,
                None => Error::Device,
            },
        })
    }
}

/// How much of the chip's objects a call needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// What was read before, if anything was: a handle comes from there.
    AnyKnown,
    /// The keys.
    Keys,
    /// Everything.
    All,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
