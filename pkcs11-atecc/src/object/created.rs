//! Session objects: what applications create, gone with the session that made it (sections 4.4 and 5.7).

use std::{collections::BTreeMap, sync::Arc};

use cryptoki_sys::*;

use super::Object;
use crate::{error::Error, template::Template};

/// A session, as the owner of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u64);

/// The session objects of all sessions of this process with a token: each session sees those of the others.
#[derive(Debug)]
pub(crate) struct Created {
    last_owner: u64,
    last_handle: CK_OBJECT_HANDLE,
    objects: BTreeMap<CK_OBJECT_HANDLE, (Owner, Arc<Object>)>,
}

/// The handles below belong to the token. Handles count up and are never used twice.
const LAST_TOKEN_HANDLE: CK_OBJECT_HANDLE = 0x00ff_ffff;

impl Created {
    /// An owner that owns nothing.
    pub(crate) fn new_owner(&mut self) -> Owner {
        self.last_owner += 1;
        Owner(self.last_owner)
    }

    /// The object with this handle, if it is a session object.
    pub(crate) fn get(&self, handle: CK_OBJECT_HANDLE) -> Option<Arc<Object>> {
        self.objects.get(&handle).map(|(_, object)| Arc::clone(object))
    }

    /// The handles of the objects that match.
    pub(crate) fn find(&self, template: &Template<'_>) -> impl Iterator<Item = (CK_OBJECT_HANDLE, &Object)> {
        self.objects
            .iter()
            .filter(|(_, (_, object))| template.matches(object))
            .map(|(handle, (_, object))| (*handle, &**object))
    }

    /// Takes in an object, made with the CKA_UNIQUE_ID that `make` gets.
    pub(crate) fn insert(
        &mut self,
        owner: Owner,
        make: impl FnOnce(&str) -> Result<Object, Error>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        let handle = self.last_handle + 1;
        let object = make(&format!("session:{handle}"))?;
        self.objects.insert(handle, (owner, Arc::new(object)));
        self.last_handle = handle;
        Ok(handle)
    }

    /// Puts `object` in the place of the one with this handle.
    pub(crate) fn replace(&mut self, handle: CK_OBJECT_HANDLE, object: Object) -> Result<(), Error> {
        let (_, present) = self.objects.get_mut(&handle).ok_or(Error::ObjectHandleInvalid)?;
        *present = Arc::new(object);
        Ok(())
    }

    /// C_DestroyObject, by whichever session.
    pub(crate) fn remove(&mut self, handle: CK_OBJECT_HANDLE) -> Result<(), Error> {
        self.objects.remove(&handle).map(drop).ok_or(Error::ObjectHandleInvalid)
    }

    /// The end of a login.
    pub(crate) fn destroy_private(&mut self) {
        self.objects.retain(|_, (_, object)| !object.flag(CKA_PRIVATE));
    }

    /// The end of a session.
    pub(crate) fn destroy_all(&mut self, owner: Owner) {
        self.objects.retain(|_, (other, _)| *other != owner);
    }
}

impl Default for Created {
    fn default() -> Self {
        Self { last_owner: 0, last_handle: LAST_TOKEN_HANDLE, objects: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::private_key;

    fn created(objects: &mut Created, owner: Owner) -> CK_OBJECT_HANDLE {
        objects.insert(owner, |_| Ok(private_key())).unwrap()
    }

    #[test]
    fn objects_end_with_their_session() {
        let mut objects = Created::default();
        let (one, other) = (objects.new_owner(), objects.new_owner());
        let (first, second) = (created(&mut objects, one), created(&mut objects, other));
        let found: Vec<_> = objects.find(&Template::default()).map(|(handle, _)| handle).collect();
        assert_eq!(found, [first, second]);
        objects.destroy_all(one);
        assert!(objects.get(first).is_none());
        assert!(objects.get(second).is_some());
        assert!(created(&mut objects, other) > second, "a handle is never used twice");
    }

    #[test]
    fn an_object_that_could_not_be_made_leaves_nothing() {
        let mut objects = Created::default();
        let owner = objects.new_owner();
        assert_eq!(objects.insert(owner, |_| Err(Error::TemplateIncomplete)), Err(Error::TemplateIncomplete));
        assert_eq!(objects.find(&Template::default()).count(), 0);
        let handle = created(&mut objects, owner);
        assert_eq!(objects.remove(handle), Ok(()));
        assert_eq!(objects.remove(1), Err(Error::ObjectHandleInvalid));
    }
}
