//! Key management functions (section 5.14).

use cryptoki_sys::*;

use super::{fence::cryptoki, mechanism::request, object::template, pointer::Destination};
use crate::error::Error;

cryptoki! {
    /// C_GenerateKeyPair.
    fn C_GenerateKeyPair(
        hSession: CK_SESSION_HANDLE,
        pMechanism: CK_MECHANISM_PTR,
        pPublicKeyTemplate: CK_ATTRIBUTE_PTR,
        ulPublicKeyAttributeCount: CK_ULONG,
        pPrivateKeyTemplate: CK_ATTRIBUTE_PTR,
        ulPrivateKeyAttributeCount: CK_ULONG,
        phPublicKey: CK_OBJECT_HANDLE_PTR,
        phPrivateKey: CK_OBJECT_HANDLE_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism with its parameter.
        let request = unsafe { request(pMechanism) }?.ok_or(Error::ArgumentsBad)?;
        // SAFETY: the caller promises that the template and its values are NULL or as long as it says.
        let public = unsafe { template(pPublicKeyTemplate, ulPublicKeyAttributeCount) }?;
        // SAFETY: as above.
        let private = unsafe { template(pPrivateKeyTemplate, ulPrivateKeyAttributeCount) }?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let public_handle = unsafe { Destination::one(phPublicKey) }?;
        // SAFETY: as above.
        let private_handle = unsafe { Destination::one(phPrivateKey) }?;
        let handles = session.generate_key_pair(&request, &public, &private)?;
        public_handle.set(handles.public)?;
        private_handle.set(handles.private)
    }

    /// C_DeriveKey.
    fn C_DeriveKey(
        hSession: CK_SESSION_HANDLE,
        pMechanism: CK_MECHANISM_PTR,
        hBaseKey: CK_OBJECT_HANDLE,
        pTemplate: CK_ATTRIBUTE_PTR,
        ulAttributeCount: CK_ULONG,
        phKey: CK_OBJECT_HANDLE_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or points to a mechanism with its parameter.
        let request = unsafe { request(pMechanism) }?.ok_or(Error::ArgumentsBad)?;
        // SAFETY: the caller promises that the template and its values are NULL or as long as it says.
        let template = unsafe { template(pTemplate, ulAttributeCount) }?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(phKey) }?;
        destination.set(session.derive_key(&request, hBaseKey, &template)?)
    }

    /// C_GenerateKey: a secret key that the chip makes is nobody's to use before it is in a slot.
    fn C_GenerateKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)
        = Error::FunctionNotSupported;

    /// C_WrapKey.
    fn C_WrapKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)
        = Error::FunctionNotSupported;

    /// C_UnwrapKey.
    fn C_UnwrapKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)
        = Error::FunctionNotSupported;
}
