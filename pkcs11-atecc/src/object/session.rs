//! Session objects: what applications create, gone with the session that made it (sections 4.4 and 5.7).

use std::{collections::BTreeMap, sync::Arc};

use cryptoki_sys::*;

use super::{Object, public_key};
use crate::{error::Error, template::Template};

/// A session, as the owner of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u64);

/// The session objects of all sessions of this process with a token: each session sees those of the others.
#[derive(Debug)]
pub(crate) struct SessionObjects {
    last_owner: u64,
    last_handle: CK_OBJECT_HANDLE,
    objects: BTreeMap<CK_OBJECT_HANDLE, (Owner, Arc<Object>)>,
}

/// The handles below belong to the token. Handles count up and are never used twice.
const LAST_TOKEN_HANDLE: CK_OBJECT_HANDLE = 0xffff;

impl SessionObjects {
    /// An owner that owns nothing.
    pub(crate) fn new_owner(&mut self) -> Owner {
        self.last_owner += 1;
        Owner(self.last_owner)
    }

    /// The object with this handle.
    pub(crate) fn get(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>, Error> {
        self.objects.get(&handle).map(|(_, object)| Arc::clone(object)).ok_or(Error::ObjectHandleInvalid)
    }

    /// The handles of the objects that match.
    pub(crate) fn find(&self, template: &Template<'_>) -> impl Iterator<Item = CK_OBJECT_HANDLE> {
        self.objects.iter().filter(|(_, (_, object))| template.matches(object)).map(|(handle, _)| *handle)
    }

    /// C_CreateObject: a public key to verify with.
    pub(crate) fn create(
        &mut self,
        owner: Owner,
        template: &Template<'_>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        let object = public_key::create(template, &self.next_unique_id())?;
        Ok(self.insert(owner, object))
    }

    /// C_CopyObject, with the attributes of the template instead of those of `object`.
    pub(crate) fn copy(
        &mut self,
        owner: Owner,
        object: &Object,
        template: &Template<'_>,
    ) -> Result<CK_OBJECT_HANDLE, Error> {
        permitted(object, CKA_COPYABLE)?;
        let copy = public_key::copy(object, template, &self.next_unique_id())?;
        Ok(self.insert(owner, copy))
    }

    /// C_SetAttributeValue: all attributes of the template, or none.
    pub(crate) fn change(
        &mut self,
        handle: CK_OBJECT_HANDLE,
        object: &Object,
        template: &Template<'_>,
    ) -> Result<(), Error> {
        permitted(object, CKA_MODIFIABLE)?;
        let changed = Arc::new(public_key::change(object, template)?);
        let (_, present) = self.objects.get_mut(&handle).ok_or(Error::ObjectHandleInvalid)?;
        *present = changed;
        Ok(())
    }

    /// C_DestroyObject, by whichever session.
    pub(crate) fn destroy(&mut self, handle: CK_OBJECT_HANDLE, object: &Object) -> Result<(), Error> {
        permitted(object, CKA_DESTROYABLE)?;
        self.objects.remove(&handle).map(drop).ok_or(Error::ObjectHandleInvalid)
    }

    /// The end of a session.
    pub(crate) fn destroy_all(&mut self, owner: Owner) {
        self.objects.retain(|_, (other, _)| *other != owner);
    }

    fn insert(&mut self, owner: Owner, object: Object) -> CK_OBJECT_HANDLE {
        self.last_handle += 1;
        self.objects.insert(self.last_handle, (owner, Arc::new(object)));
        self.last_handle
    }

    fn next_unique_id(&self) -> String {
        format!("session:{}", self.last_handle + 1)
    }
}

impl Default for SessionObjects {
    fn default() -> Self {
        Self { last_owner: 0, last_handle: LAST_TOKEN_HANDLE, objects: BTreeMap::new() }
    }
}

/// CKA_MODIFIABLE, CKA_COPYABLE and CKA_DESTROYABLE say what may be done to an object.
fn permitted(object: &Object, attribute: CK_ATTRIBUTE_TYPE) -> Result<(), Error> {
    if object.flag(attribute) { Ok(()) } else { Err(Error::ActionProhibited) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{public_key::tests::with_template, tests::private_key};

    fn created(objects: &mut SessionObjects, owner: Owner) -> CK_OBJECT_HANDLE {
        with_template(&[], |template| objects.create(owner, template)).unwrap()
    }

    #[test]
    fn objects_end_with_their_session() {
        let mut objects = SessionObjects::default();
        let (one, other) = (objects.new_owner(), objects.new_owner());
        let (first, second) = (created(&mut objects, one), created(&mut objects, other));
        assert_eq!(objects.find(&Template::default()).collect::<Vec<_>>(), [first, second]);
        objects.destroy_all(one);
        assert_eq!(objects.get(first).err(), Some(Error::ObjectHandleInvalid));
        assert!(objects.get(second).is_ok());
        assert!(created(&mut objects, other) > second, "a handle is never used twice");
    }

    #[test]
    fn the_chips_objects_stay_as_they_are() {
        let mut objects = SessionObjects::default();
        let owner = objects.new_owner();
        let (key, nothing) = (private_key(), Template::default());
        assert_eq!(objects.copy(owner, &key, &nothing), Err(Error::ActionProhibited));
        assert_eq!(objects.change(1, &key, &nothing), Err(Error::ActionProhibited));
        assert_eq!(objects.destroy(1, &key), Err(Error::ActionProhibited));
    }

    #[test]
    fn a_copy_is_an_object_of_its_own() {
        let mut objects = SessionObjects::default();
        let owner = objects.new_owner();
        let first = created(&mut objects, owner);
        let object = objects.get(first).unwrap();
        let mut template = Template::default();
        template.push(CKA_LABEL, b"copy");
        let copy = objects.copy(owner, &object, &template).unwrap();
        objects.destroy(first, &object).unwrap();
        let copy = objects.get(copy).unwrap();
        assert!(template.matches(&copy));
        assert_ne!(copy.attribute(CKA_UNIQUE_ID), object.attribute(CKA_UNIQUE_ID));
    }

    #[test]
    fn a_change_is_whole_or_not_at_all() {
        let mut objects = SessionObjects::default();
        let owner = objects.new_owner();
        let handle = created(&mut objects, owner);
        let object = objects.get(handle).unwrap();
        let mut template = Template::default();
        template.push(CKA_LABEL, b"changed");
        objects.change(handle, &object, &template).unwrap();
        assert!(template.matches(&objects.get(handle).unwrap()));
        let mut wrong = Template::default();
        wrong.push(CKA_LABEL, b"again");
        wrong.push(CKA_EC_POINT, b"");
        let object = objects.get(handle).unwrap();
        assert_eq!(objects.change(handle, &object, &wrong), Err(Error::AttributeReadOnly));
        assert!(template.matches(&objects.get(handle).unwrap()));
    }
}
