//! Interfaces (version 3.0, section 5.4): how applications get the list of the version they want.

use std::ffi::CStr;

use cryptoki_sys::*;

use super::{
    fence::fence,
    function_list::{FUNCTION_LIST, FUNCTION_LIST_3_0},
    pointer::{self, Destination, Output},
};
use crate::{
    error::Error,
    info::{VERSION_2_40, VERSION_3_0},
};

/// C_GetInterfaceList, without C_Initialize before it.
///
/// # Safety
/// `pulCount` is NULL or valid for reads and writes, and `pInterfacesList` is NULL or valid for writes of as many
/// interfaces as the count says.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterfaceList(
    pInterfacesList: CK_INTERFACE_PTR,
    pulCount: CK_ULONG_PTR,
) -> CK_RV {
    fence(|| {
        // SAFETY: the caller promises that both are NULL or valid, the list for as many as the count says.
        let output = unsafe { Output::new(pInterfacesList, pulCount) }?;
        output.deliver(output.offer().fit(INTERFACES.0.len(), || Ok(INTERFACES.0))?)
    })
}

/// C_GetInterface, without C_Initialize before it: the first interface with this name, this version and all of
/// these flags; NULL stands for any name or version.
///
/// # Safety
/// `pInterfaceName` is NULL or a string that ends with NUL, `pVersion` is NULL or points to a version, and
/// `ppInterface` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetInterface(
    pInterfaceName: CK_UTF8CHAR_PTR,
    pVersion: CK_VERSION_PTR,
    ppInterface: CK_INTERFACE_PTR_PTR,
    flags: CK_FLAGS,
) -> CK_RV {
    fence(|| {
        // SAFETY: the caller promises that it is NULL or a string that ends with NUL.
        let name = unsafe { pointer::text(pInterfaceName) };
        // SAFETY: the caller promises that it is NULL or points to a version.
        let version = unsafe { pointer::optional(pVersion) }?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(ppInterface) }?;
        let index = choose(name, version, flags).ok_or(Error::ArgumentsBad)?;
        destination.set((&raw const INTERFACES.0[index]).cast_mut())
    })
}

/// The place of the interface that fits.
fn choose(name: Option<&CStr>, version: Option<&CK_VERSION>, flags: CK_FLAGS) -> Option<usize> {
    let fits = |offered: &CK_VERSION| {
        version.is_none_or(|wanted| (wanted.major, wanted.minor) == (offered.major, offered.minor))
    };
    let known = name.is_none_or(|name| name == NAME) && flags & !FLAGS == 0;
    VERSIONS.iter().position(fits).filter(|_| known)
}

const NAME: &CStr = c"PKCS 11";
/// Not CKF_INTERFACE_FORK_SAFE: that promises a child the sessions and handles of its parent. Here a child begins
/// anew, with a C_Initialize of its own.
const FLAGS: CK_FLAGS = 0;
/// The versions of [`INTERFACES`]; who does not say which gets the first.
const VERSIONS: [CK_VERSION; 2] = [VERSION_3_0, VERSION_2_40];

struct Interfaces([CK_INTERFACE; 2]);

// SAFETY: its pointers lead to statics that nobody writes to.
unsafe impl Sync for Interfaces {}

static INTERFACES: Interfaces = Interfaces([
    CK_INTERFACE {
        pInterfaceName: NAME.as_ptr().cast_mut().cast(),
        pFunctionList: (&raw const FUNCTION_LIST_3_0).cast_mut().cast(),
        flags: FLAGS,
    },
    CK_INTERFACE {
        pInterfaceName: NAME.as_ptr().cast_mut().cast(),
        pFunctionList: (&raw const FUNCTION_LIST).cast_mut().cast(),
        flags: FLAGS,
    },
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_say_which_gets_the_newest() {
        assert_eq!(choose(None, None, 0), Some(0));
        assert_eq!(choose(Some(NAME), None, 0), Some(0));
        assert_eq!(choose(Some(NAME), Some(&VERSION_3_0), 0), Some(0));
        assert_eq!(choose(None, Some(&VERSION_2_40), 0), Some(1));
    }

    #[test]
    fn other_names_versions_and_flags_are_not_here() {
        assert_eq!(choose(Some(c"Vendor"), None, 0), None);
        assert_eq!(choose(None, Some(&CK_VERSION { major: 3, minor: 1 }), 0), None);
        assert_eq!(choose(None, None, CKF_INTERFACE_FORK_SAFE), None);
    }

    #[test]
    fn versions_are_those_of_the_lists() {
        let version = |version: CK_VERSION| (version.major, version.minor);
        assert_eq!(version(FUNCTION_LIST_3_0.version), version(VERSIONS[0]));
        assert_eq!(version(FUNCTION_LIST.version), version(VERSIONS[1]));
    }
}
