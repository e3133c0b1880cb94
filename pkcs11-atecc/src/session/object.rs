//! Objects that an application creates, changes, copies and destroys (section 5.7).

use cryptoki_sys::*;

use super::Session;
use crate::{
    error::Error,
    object::{self, Key, Object},
    store::Names,
    template::Template,
};

impl Session {
    /// C_CreateObject: for the session, or in the store.
    pub(crate) fn create_object(&self, template: &Template<'_>) -> Result<CK_OBJECT_HANDLE, Error> {
        let is_for_token = template.get(CKA_TOKEN) == Some(&[CK_TRUE]);
        self.keep(is_for_token, |unique_id| object::create(template, unique_id))
    }

    /// C_CopyObject. The chip's objects are there once.
    pub(crate) fn copy_object(
        &self,
        handle: CK_OBJECT_HANDLE,
        template: &Template<'_>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        let object = self.token.object(handle)?;
        permitted(&object, CKA_COPYABLE)?;
        let is_for_token = match template.get(CKA_TOKEN) {
            Some(token) => token == [CK_TRUE],
            None => object.flag(CKA_TOKEN),
        };
        self.keep(is_for_token, |unique_id| object::copy(&object, template, unique_id))
    }

    /// C_SetAttributeValue: all attributes of the template, or none.
    pub(crate) fn set_attribute_value(
        &self,
        handle: CK_OBJECT_HANDLE,
        template: &Template<'_>,
    ) -> Result<(), Error> {
        let object = self.token.object(handle)?;
        permitted(&object, CKA_MODIFIABLE)?;
        if !object.flag(CKA_TOKEN) {
            return self.token.created().replace(handle, object::change(&object, template)?);
        }
        self.writable()?;
        let (serial, unique_id) = (self.token.serial(), object.unique_id());
        if self.token.is_stored(handle) {
            return self.token.store().update(|contents| {
                contents.replace(serial, unique_id, |object| object::change(object, template))
            });
        }
        object::no_duplicates(template)?;
        template.iter().try_for_each(|(attribute, value)| object.check_names(attribute, value))?;
        let names = Names {
            label: template.get(CKA_LABEL).map(|label| String::from_utf8_lossy(label).into_owned()),
            id: template.get(CKA_ID).map(<[u8]>::to_vec),
            subject: template.get(CKA_SUBJECT).map(<[u8]>::to_vec),
            is_hidden: false,
        };
        self.token.store().update(|contents| {
            contents.rename(serial, unique_id, &names);
            Ok(())
        })
    }

    /// C_DestroyObject. A private key of the chip is destroyed by a new one in its place, which nobody sees; its
    /// public key stays an object until that is destroyed as well.
    pub(crate) fn destroy_object(&self, handle: CK_OBJECT_HANDLE) -> Result<(), Error> {
        let object = self.token.object(handle)?;
        permitted(&object, CKA_DESTROYABLE)?;
        if !object.flag(CKA_TOKEN) {
            return self.token.created().remove(handle);
        }
        self.writable()?;
        let (store, serial, unique_id) = (self.token.store(), self.token.serial(), object.unique_id());
        if self.token.is_stored(handle) {
            return store.update(|contents| contents.remove(serial, unique_id));
        }
        let hidden = Names { is_hidden: true, ..Names::default() };
        match object.key()? {
            Key::Private { slot } => self.token.destroy(*slot, &hidden),
            _ if self.token.end_lingering(unique_id) => Ok(()),
            _ => store.update(|contents| {
                contents.rename(serial, unique_id, &hidden);
                Ok(())
            }),
        }
    }

    /// What belongs to the token is changed in read-write sessions only.
    pub(super) fn writable(&self) -> Result<(), Error> {
        if self.is_read_write { Ok(()) } else { Err(Error::SessionReadOnly) }
    }

    fn keep(
        &self,
        is_for_token: bool,
        make: impl FnOnce(&str) -> Result<Object, Error>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        if !is_for_token {
            return self.token.keep(self.owner, make);
        }
        self.writable()?;
        let make = |unique_id: &str| self.token.permitted(make(unique_id)?);
        let unique_id = self.token.store().update(|contents| contents.add(self.token.serial(), make))?;
        self.token.handle(&unique_id)
    }
}

/// CKA_MODIFIABLE, CKA_COPYABLE and CKA_DESTROYABLE say what may be done to an object.
fn permitted(object: &Object, attribute: CK_ATTRIBUTE_TYPE) -> Result<(), Error> {
    if object.flag(attribute) { Ok(()) } else { Err(Error::ActionProhibited) }
}
