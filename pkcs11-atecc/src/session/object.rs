//! Objects that an application creates, changes, copies and destroys (section 5.7).

use cryptoki_sys::CK_OBJECT_HANDLE;

use super::Session;
use crate::{error::Error, template::Template};

impl Session {
    /// C_CreateObject.
    pub(crate) fn create_object(&self, template: &Template<'_>) -> Result<CK_OBJECT_HANDLE, Error> {
        self.token.session_objects().create(self.owner, template)
    }

    /// C_CopyObject. The chip's objects are there once.
    pub(crate) fn copy_object(
        &self,
        handle: CK_OBJECT_HANDLE,
        template: &Template<'_>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        let object = self.token.object(handle)?;
        self.token.session_objects().copy(self.owner, &object, template)
    }

    /// C_SetAttributeValue.
    pub(crate) fn set_attribute_value(
        &self,
        handle: CK_OBJECT_HANDLE,
        template: &Template<'_>,
    ) -> Result<(), Error> {
        let object = self.token.object(handle)?;
        self.token.session_objects().change(handle, &object, template)
    }

    /// C_DestroyObject.
    pub(crate) fn destroy_object(&self, handle: CK_OBJECT_HANDLE) -> Result<(), Error> {
        let object = self.token.object(handle)?;
        self.token.session_objects().destroy(handle, &object)
    }
}
