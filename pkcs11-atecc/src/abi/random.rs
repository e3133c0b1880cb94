//! Random number generation functions (section 5.15).

use cryptoki_sys::*;

use super::{fence::cryptoki, pointer};
use crate::error::Error;

cryptoki! {
    /// C_SeedRandom: the generator of the chip seeds itself.
    fn C_SeedRandom(hSession: CK_SESSION_HANDLE, _pSeed: CK_BYTE_PTR, _ulSeedLen: CK_ULONG) |module| {
        module.session(hSession)?;
        Err(Error::RandomSeedNotSupported)
    }

    /// C_GenerateRandom.
    fn C_GenerateRandom(hSession: CK_SESSION_HANDLE, RandomData: CK_BYTE_PTR, ulRandomLen: CK_ULONG) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for writes of this many bytes.
        let random = unsafe { pointer::cleared(RandomData, ulRandomLen) }?;
        session.token().random(random)
    }
}
