//! Tokens: the one that a URI means, and a session with it.

use std::path::Path;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as CallError, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use super::Pkcs11Uri;
use super::uri::Pin;
use crate::Error;

/// The most that a file with a PIN may hold.
const LONGEST_PIN: usize = 256;

/// A session with the token that `uri` means; logged in, if the token wants that.
pub(super) fn open(module: &Pkcs11, path: &Path, uri: &Pkcs11Uri) -> Result<(Session, TokenInfo), Error> {
    let (slot, token) = find(module, path, uri)?;
    let label = token.label().to_owned();
    let session = module.open_ro_session(slot).map_err(|error| failed(&label, &error))?;
    if token.login_required() {
        login(&session, &token, uri)?;
    }
    Ok((session, token))
}

fn find(module: &Pkcs11, path: &Path, uri: &Pkcs11Uri) -> Result<(Slot, TokenInfo), Error> {
    let no_list = |error: CallError| Error::Module { module: path.to_owned(), problem: error.to_string() };
    let mut there = Vec::new();
    for slot in module.get_slots_with_token().map_err(no_list)? {
        // A token that is being pulled is not there.
        if let Ok(token) = module.get_token_info(slot)
            && token.token_initialized()
        {
            there.push((slot, token));
        }
    }
    let names: Vec<_> =
        there.iter().map(|(slot, token)| format!("{:?} in slot {slot}", token.label())).collect();
    let problem = |meant: &str| {
        let problem = match names.as_slice() {
            [] => "there is no token at all; is the device plugged in, and may this user open it?".to_owned(),
            names => format!("{meant}; there are {}", names.join(", ")),
        };
        Error::Token { module: path.to_owned(), uri: uri.to_string(), problem }
    };
    let mut meant = there.into_iter().filter(|(slot, token)| is_meant(uri, *slot, token));
    match (meant.next(), meant.next()) {
        (Some(token), None) => Ok(token),
        (Some(_), Some(_)) => Err(problem("it fits several; add token= or serial=")),
        (None, _) => Err(problem("it fits none")),
    }
}

fn is_meant(uri: &Pkcs11Uri, slot: Slot, token: &TokenInfo) -> bool {
    let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    fits(&uri.token, token.label())
        && fits(&uri.manufacturer, token.manufacturer_id())
        && fits(&uri.model, token.model())
        && fits(&uri.serial, token.serial_number())
        && uri.slot_id.is_none_or(|id| id == slot.id())
}

fn login(session: &Session, token: &TokenInfo, uri: &Pkcs11Uri) -> Result<(), Error> {
    let label = token.label();
    let pin_problem = |problem: String| Error::Pin { token: label.to_owned(), problem };
    let pin = match &uri.pin {
        None if token.protected_authentication_path() => None,
        None => {
            let problem =
                "put it into a file of mode 0600 and add pin-source=/path/of/that/file to the pkcs11: URI";
            return Err(pin_problem(problem.to_owned()));
        }
        Some(Pin::Value(pin)) => Some(pin.clone()),
        Some(Pin::Source(file)) => Some(read(file).map_err(pin_problem)?),
    };
    match session.login(UserType::User, pin.as_ref()) {
        // Another session of this process has done so, which counts for all.
        Ok(()) | Err(CallError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(CallError::Pkcs11(
            error @ (RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked),
            _,
        )) => Err(Error::WrongPin { token: label.to_owned(), problem: format!("{error:?}") }),
        Err(error) => Err(failed(label, &error)),
    }
}

/// The first line of the file with the PIN.
fn read(file: &Path) -> Result<AuthPin, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || line.len() > LONGEST_PIN {
        return Err(format!("the first line of {} is no PIN", file.display()));
    }
    Ok(line.into())
}

/// The error of a call, in the words of whoever plugs things in.
pub(super) fn failed(token: &str, error: &CallError) -> Error {
    let problem = match error {
        CallError::Pkcs11(code, function) => format!("C_{function:?} failed with {code:?}"),
        other => other.to_string(),
    };
    Error::Pkcs11 { token: token.to_owned(), problem }
}
