//! Object management functions (section 5.7).

use cryptoki_sys::*;

use super::{
    fence::cryptoki,
    pointer::{self, Destination},
};
use crate::{
    error::Error,
    info::ulong,
    template::{Template, fetch},
};

cryptoki! {
    /// C_GetAttributeValue. Every attribute of the template is answered, also behind one that is not; the
    /// return value is that of the last attribute that could not be given.
    fn C_GetAttributeValue(
        hSession: CK_SESSION_HANDLE,
        hObject: CK_OBJECT_HANDLE,
        pTemplate: CK_ATTRIBUTE_PTR,
        ulCount: CK_ULONG
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many attributes.
        let template = unsafe { pointer::in_out(pTemplate, ulCount) }?;
        let object = session.token().object(hObject)?;
        let mut result = Ok(());
        for attribute in template {
            // SAFETY: the caller promises it for each attribute of the template.
            let destination = unsafe { value_destination(attribute) };
            let value = || fetch(&object, attribute.type_, || session.token().read(&object, attribute.type_));
            match destination.and_then(|destination| give(&value()?, destination)) {
                Ok(length) => attribute.ulValueLen = ulong(length),
                Err(error) => {
                    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
                    result = Err(error);
                }
            }
        }
        result
    }

    /// C_FindObjectsInit.
    fn C_FindObjectsInit(hSession: CK_SESSION_HANDLE, pTemplate: CK_ATTRIBUTE_PTR, ulCount: CK_ULONG) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that the template and its values are NULL or as long as it says.
        session.find_objects_init(&unsafe { template(pTemplate, ulCount) }?)
    }

    /// C_FindObjects.
    fn C_FindObjects(
        hSession: CK_SESSION_HANDLE,
        phObject: CK_OBJECT_HANDLE_PTR,
        ulMaxObjectCount: CK_ULONG,
        pulObjectCount: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for this many handles.
        let handles = unsafe { Destination::many(phObject, ulMaxObjectCount) }?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let count = unsafe { Destination::one(pulObjectCount) }?;
        let found = session.find_objects(handles.capacity())?;
        handles.write(&found)?;
        count.set(ulong(found.len()))
    }

    /// C_FindObjectsFinal.
    fn C_FindObjectsFinal(hSession: CK_SESSION_HANDLE) |module| {
        module.session(hSession)?.find_objects_final()
    }

    /// C_CreateObject.
    fn C_CreateObject(
        hSession: CK_SESSION_HANDLE,
        pTemplate: CK_ATTRIBUTE_PTR,
        ulCount: CK_ULONG,
        phObject: CK_OBJECT_HANDLE_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that the template and its values are NULL or as long as it says.
        let template = unsafe { template(pTemplate, ulCount) }?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(phObject) }?;
        destination.set(session.create_object(&template)?)
    }

    /// C_CopyObject.
    fn C_CopyObject(
        hSession: CK_SESSION_HANDLE,
        hObject: CK_OBJECT_HANDLE,
        pTemplate: CK_ATTRIBUTE_PTR,
        ulCount: CK_ULONG,
        phNewObject: CK_OBJECT_HANDLE_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that the template and its values are NULL or as long as it says.
        let template = unsafe { template(pTemplate, ulCount) }?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(phNewObject) }?;
        destination.set(session.copy_object(hObject, &template)?)
    }

    /// C_DestroyObject.
    fn C_DestroyObject(hSession: CK_SESSION_HANDLE, hObject: CK_OBJECT_HANDLE) |module| {
        module.session(hSession)?.destroy_object(hObject)
    }

    /// C_GetObjectSize.
    fn C_GetObjectSize(
        hSession: CK_SESSION_HANDLE,
        hObject: CK_OBJECT_HANDLE,
        pulSize: CK_ULONG_PTR
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that it is NULL or valid for writes.
        let destination = unsafe { Destination::one(pulSize) }?;
        destination.set(ulong(session.token().object(hObject)?.size()))
    }

    /// C_SetAttributeValue.
    fn C_SetAttributeValue(
        hSession: CK_SESSION_HANDLE,
        hObject: CK_OBJECT_HANDLE,
        pTemplate: CK_ATTRIBUTE_PTR,
        ulCount: CK_ULONG
    ) |module| {
        let session = module.session(hSession)?;
        // SAFETY: the caller promises that the template and its values are NULL or as long as it says.
        let template = unsafe { template(pTemplate, ulCount) }?;
        session.set_attribute_value(hObject, &template)
    }
}

/// A template that gives values.
///
/// # Safety
/// `start` is NULL or valid for reads of `count` attributes, and the value of each is NULL or valid for reads of
/// as many bytes as it says, as long as the result is used.
pub(super) unsafe fn template<'a>(start: CK_ATTRIBUTE_PTR, count: CK_ULONG) -> Result<Template<'a>, Error> {
    // SAFETY: the caller promises it.
    let attributes = unsafe { pointer::input(start, count) }?;
    let mut template = Template::with_capacity(attributes.len())?;
    for attribute in attributes {
        let start = attribute.pValue.cast::<CK_BYTE>();
        // SAFETY: the caller promises it for each attribute.
        let value = unsafe { pointer::input(start, attribute.ulValueLen) };
        template.push(attribute.type_, value.map_err(|_| Error::AttributeValueInvalid)?);
    }
    Ok(template)
}

/// Where the value of an attribute goes, if the caller gives a place for it.
///
/// # Safety
/// `pValue` is NULL, or valid for writes of `ulValueLen` bytes as long as the result is used.
unsafe fn value_destination(attribute: &CK_ATTRIBUTE) -> Result<Option<Destination<CK_BYTE>>, Error> {
    if attribute.pValue.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller promises it.
    unsafe { Destination::many(attribute.pValue.cast(), attribute.ulValueLen) }.map(Some)
}

/// Writes the value of an attribute, where there is a place for it, and gives its length.
fn give(value: &[u8], destination: Option<Destination<CK_BYTE>>) -> Result<usize, Error> {
    destination.map_or(Ok(()), |place| place.write(value))?;
    Ok(value.len())
}
