//! Modules: finding, loading and starting them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as CallError, RvError};

use super::Pkcs11Uri;
use crate::Error;

/// Shows the tokens of every module that is configured for p11-kit.
const PROXY: &str = "p11-kit-proxy";

/// Those that this process has started. A module is one per process: who ended it would end it for all.
static STARTED: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

/// The module of `uri`, started, and its path.
pub(super) fn start(uri: &Pkcs11Uri) -> Result<(PathBuf, Pkcs11), Error> {
    let path = locate(uri)?;
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = started.iter().find(|(known, _)| *known == path) {
        return Ok(known.clone());
    }
    let failed = |error: CallError| Error::Module { module: path.clone(), problem: error.to_string() };
    let module = Pkcs11::new(&path).map_err(failed)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // By another part of this process, under another name of the file.
        Ok(()) | Err(CallError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed(error)),
    }
    started.push((path.clone(), module.clone()));
    Ok((path, module))
}

fn locate(uri: &Pkcs11Uri) -> Result<PathBuf, Error> {
    if let Some(path) = &uri.module_path {
        // The name under which it is known, whatever links lead there.
        return Ok(path.canonicalize().unwrap_or_else(|_| path.clone()));
    }
    let name = uri.module_name.as_deref().unwrap_or(PROXY);
    let files = [format!("{name}.so"), format!("lib{name}.so")];
    let found = folders().into_iter().flat_map(|folder| files.each_ref().map(|file| folder.join(file)));
    found.filter(|path| path.is_file()).find_map(|path| path.canonicalize().ok()).ok_or_else(|| {
        Error::NoModule(match &uri.module_name {
            Some(name) => format!("no PKCS#11 module called {name:?} is installed where such modules are"),
            None => "the pkcs11: URI names no module, and p11-kit's proxy is not installed".to_owned(),
        })
    })
}

/// Where distributions put modules.
fn folders() -> Vec<PathBuf> {
    let triplet = match std::env::consts::ARCH {
        "arm" => "arm-linux-gnueabihf".to_owned(),
        arch => format!("{arch}-linux-gnu"),
    };
    let libraries =
        [format!("/usr/lib/{triplet}"), "/usr/lib64".into(), "/usr/lib".into(), "/usr/local/lib".into()];
    let below = ["pkcs11", "", "softhsm"];
    libraries.iter().flat_map(|library| below.map(|folder| Path::new(library).join(folder))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(uri: &str) -> String {
        start(&uri.parse().unwrap()).err().unwrap().to_string()
    }

    #[test]
    fn what_is_no_module_is_told_with_its_path() {
        let text = problem("pkcs11:?module-path=/does/not/exist.so");
        assert!(text.starts_with("cannot use the PKCS#11 module /does/not/exist.so: "), "{text}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("text.so");
        std::fs::write(&file, "no library").unwrap();
        let text = problem(&format!("pkcs11:?module-path={}", file.display()));
        assert!(text.contains("text.so"), "{text}");
        let text = problem("pkcs11:?module-name=there-is-no-such-module");
        assert!(text.contains("there-is-no-such-module") && text.contains("module-path"), "{text}");
    }
}
