//! Message digesting functions (section 5.10).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    mechanism::request,
    pointer::{self, Output},
};

cryptoki! {
    /// C_DigestInit.
    fn C_DigestInit(hSession: CK_SESSION_HANDLE, pMechanism: CK_MECHANISM_PTR) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism with its parameter.
        match unsafe { request(pMechanism) }? {
            Some(request) => session.digest_init(&request),
            None => session.cancel_active(CKF_DIGEST),
        }
    }

    /// C_Digest.
    fn C_Digest(
        hSession: CK_SESSION_HANDLE,
        pData: CK_BYTE_PTR,
        ulDataLen: CK_ULONG,
        pDigest: CK_BYTE_PTR,
        pulDigestLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        let data = unsafe { pointer::input(pData, ulDataLen) };
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pDigest, pulDigestLen) };
        // Before anything can return: also bad arguments end the operation.
        let answer = session.digest(data.and_then(|data| Ok((data, output?.offer()))))?;
        output?.deliver(answer)
    }

    /// C_DigestUpdate.
    fn C_DigestUpdate(hSession: CK_SESSION_HANDLE, pPart: CK_BYTE_PTR, ulPartLen: CK_ULONG) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        session.digest_update(unsafe { pointer::input(pPart, ulPartLen) })
    }

    /// C_DigestKey.
    fn C_DigestKey(hSession: CK_SESSION_HANDLE, hKey: CK_OBJECT_HANDLE) |module| {
        module.session(hSession)?.digest_key(hKey)
    }

    /// C_DigestFinal.
    fn C_DigestFinal(hSession: CK_SESSION_HANDLE, pDigest: CK_BYTE_PTR, pulDigestLen: CK_ULONG_PTR) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pDigest, pulDigestLen) };
        let answer = session.digest_final(output.map(Output::offer))?;
        output?.deliver(answer)
    }
}
