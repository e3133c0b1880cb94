//! Decryption functions (section 5.9).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    mechanism::request,
    pointer::{self, Output},
};
use crate::session::Direction;

cryptoki! {
    /// C_DecryptInit.
    fn C_DecryptInit(hSession: CK_SESSION_HANDLE, pMechanism: CK_MECHANISM_PTR, hKey: CK_OBJECT_HANDLE) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism with its parameter.
        match unsafe { request(pMechanism) }? {
            Some(request) => session.cipher_init(Direction::Decrypt, &request, hKey),
            None => session.cancel_active(CKF_DECRYPT),
        }
    }

    /// C_Decrypt.
    fn C_Decrypt(
        hSession: CK_SESSION_HANDLE,
        pEncryptedData: CK_BYTE_PTR,
        ulEncryptedDataLen: CK_ULONG,
        pData: CK_BYTE_PTR,
        pulDataLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        let data = unsafe { pointer::input(pEncryptedData, ulEncryptedDataLen) };
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pData, pulDataLen) };
        let arguments = data.and_then(|data| Ok((data, output?.offer())));
        // Before anything can return: also bad arguments end the operation.
        let answer = session.cipher(Direction::Decrypt, arguments)?;
        output?.deliver(answer)
    }

    /// C_DecryptUpdate.
    fn C_DecryptUpdate(
        hSession: CK_SESSION_HANDLE,
        pEncryptedPart: CK_BYTE_PTR,
        ulEncryptedPartLen: CK_ULONG,
        pPart: CK_BYTE_PTR,
        pulPartLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many bytes.
        let part = unsafe { pointer::input(pEncryptedPart, ulEncryptedPartLen) };
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pPart, pulPartLen) };
        let arguments = part.and_then(|part| Ok((part, output?.offer())));
        let answer = session.cipher_update(Direction::Decrypt, arguments)?;
        output?.deliver(answer)
    }

    /// C_DecryptFinal.
    fn C_DecryptFinal(
        hSession: CK_SESSION_HANDLE,
        pLastPart: CK_BYTE_PTR,
        pulLastPartLen: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that both are NULL or valid, the buffer for as many bytes as the length says.
        let output = unsafe { Output::new(pLastPart, pulLastPartLen) };
        let answer = session.cipher_final(Direction::Decrypt, output.map(Output::offer))?;
        output?.deliver(answer)
    }
}
