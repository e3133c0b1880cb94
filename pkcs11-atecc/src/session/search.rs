//! Searching for objects (section 5.7).

use cryptoki_sys::CK_OBJECT_HANDLE;

use super::Session;
use crate::{error::Error, template::Template};

impl Session {
    /// C_FindObjectsInit. What matches is decided here, once.
    pub(crate) fn find_objects_init(&self, template: &Template<'_>) -> Result<(), Error> {
        self.operations().search.begin(|| Ok(self.token.find(template)?.into()))
    }

    /// C_FindObjects: the next handles, `max` of them or fewer.
    pub(crate) fn find_objects(&self, max: usize) -> Result<Vec<CK_OBJECT_HANDLE>, Error> {
        let mut operations = self.operations();
        let found = operations.search.active()?;
        let count = max.min(found.len());
        Ok(found.drain(..count).collect())
    }

    /// C_FindObjectsFinal.
    pub(crate) fn find_objects_final(&self) -> Result<(), Error> {
        self.operations().search.end().map(drop)
    }
}
