//! The objects of a token with their handles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cryptoki_sys::*;

use super::Object;
use crate::{error::Error, store::Contents, template::Template};

/// Objects of the chip and of the store. An object keeps its handle for as long as it has the same CKA_UNIQUE_ID,
/// and no handle is used twice.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    handles: BTreeMap<String, CK_OBJECT_HANDLE>,
    last: CK_OBJECT_HANDLE,
    /// What was shown, and of which store.
    of_store: Option<Arc<Contents>>,
    chip: Vec<Object>,
    has_all: bool,
    /// Handles of more than keys were given out.
    had_all: bool,
    objects: BTreeMap<CK_OBJECT_HANDLE, Arc<Object>>,
    stored: BTreeSet<CK_OBJECT_HANDLE>,
    /// Public keys whose private key was destroyed here. They are objects of their own until they are, too.
    lingering: Vec<Object>,
}

impl Shown {
    /// Whether the keys of the chip are there.
    pub(crate) const fn has_keys(&self) -> bool {
        !self.chip.is_empty()
    }

    /// Whether all that the chip has is there.
    pub(crate) const fn has_all(&self) -> bool {
        self.has_all
    }

    /// Whether all that the chip has was there before it was forgotten: there are handles of it.
    pub(crate) const fn had_all(&self) -> bool {
        self.had_all
    }

    /// Whether a handle was ever given out.
    pub(crate) const fn has_handles(&self) -> bool {
        self.last != CK_INVALID_HANDLE
    }

    /// Takes in objects of the chip: all of them, or its keys only.
    pub(crate) fn set_chip(&mut self, chip: Vec<Object>, is_all: bool) {
        self.chip = chip;
        self.has_all = is_all;
        self.had_all |= is_all;
        self.of_store = None;
    }

    /// Forgets what the chip has, since it has something new.
    pub(crate) fn forget_chip(&mut self) {
        self.set_chip(Vec::new(), false);
    }

    /// Keeps a public key whose private key is gone.
    pub(crate) fn linger(&mut self, object: Object) {
        self.lingering.push(object);
        self.of_store = None;
    }

    /// Ends that, and tells whether it was so.
    pub(crate) fn end_lingering(&mut self, unique_id: &str) -> bool {
        let before = self.lingering.len();
        self.lingering.retain(|object| object.unique_id() != unique_id);
        self.of_store = None;
        self.lingering.len() < before
    }

    /// The object with this CKA_UNIQUE_ID.
    pub(crate) fn by_unique_id(&self, unique_id: &str) -> Option<Arc<Object>> {
        self.objects.get(self.handles.get(unique_id)?).map(Arc::clone)
    }

    /// Takes in what is in the store for the chip with this serial number, if it is something new.
    pub(crate) fn set_store(&mut self, serial: &str, store: &Arc<Contents>) {
        if self.of_store.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, store)) {
            return;
        }
        self.objects.clear();
        self.stored.clear();
        let mut objects: Vec<(bool, Object)> = Vec::new();
        for object in self.chip.iter().chain(&self.lingering) {
            let names = store.names(serial, object.unique_id()).unwrap_or_default();
            if !names.is_hidden {
                objects.push((false, object.clone().named(&names)));
            }
        }
        objects.extend(store.objects(serial).map(|object| (true, object.clone())));
        for (is_stored, object) in objects {
            let handle = self.handle(object.unique_id());
            self.objects.insert(handle, Arc::new(object));
            if is_stored {
                self.stored.insert(handle);
            }
        }
        self.of_store = Some(Arc::clone(store));
    }

    /// The object with this handle.
    pub(crate) fn get(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>, Error> {
        self.objects.get(&handle).map(Arc::clone).ok_or(Error::ObjectHandleInvalid)
    }

    /// Whether the object with this handle is in the store, and not in the chip.
    pub(crate) fn is_stored(&self, handle: CK_OBJECT_HANDLE) -> bool {
        self.stored.contains(&handle)
    }

    /// The handle of the object with this CKA_UNIQUE_ID, shown or to be shown.
    pub(crate) fn handle(&mut self, unique_id: &str) -> CK_OBJECT_HANDLE {
        if let Some(handle) = self.handles.get(unique_id) {
            return *handle;
        }
        self.last += 1;
        self.handles.insert(unique_id.to_owned(), self.last);
        self.last
    }

    /// The objects that match. Those of a hardware feature are found by those who ask for this class: "This protects
    /// applications written to previous versions of Cryptoki from finding objects that they do not understand"
    /// (section 4.3).
    pub(crate) fn find(&self, template: &Template<'_>) -> impl Iterator<Item = (CK_OBJECT_HANDLE, &Object)> {
        let features = template.get(CKA_CLASS) == Some(&CKO_HW_FEATURE.to_ne_bytes());
        self.objects
            .iter()
            .filter(move |(_, object)| features || object.class() != CKO_HW_FEATURE)
            .filter(|(_, object)| template.matches(object))
            .map(|(handle, object)| (*handle, &**object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        object::{chip::Showing, create, of_chip, tests::private_key},
        store::Names,
    };

    fn shown() -> Shown {
        let mut shown = Shown::default();
        shown.set_chip(vec![private_key()], true);
        shown.set_store("0123", &Arc::default());
        shown
    }

    fn handles(shown: &Shown, template: &Template<'_>) -> Vec<CK_OBJECT_HANDLE> {
        shown.find(template).map(|(handle, _)| handle).collect()
    }

    fn data(unique_id: &str) -> Result<Object, Error> {
        let class = CKO_DATA.to_ne_bytes();
        let mut template = Template::default();
        template.push(CKA_CLASS, &class);
        create(&template, unique_id)
    }

    #[test]
    fn handles_begin_at_one_and_end_with_the_objects() {
        let shown = shown();
        assert_eq!(shown.get(CK_INVALID_HANDLE).err(), Some(Error::ObjectHandleInvalid));
        assert!(shown.get(1).is_ok());
        assert_eq!(shown.get(2).err(), Some(Error::ObjectHandleInvalid));
        assert_eq!(shown.get(CK_OBJECT_HANDLE::MAX).err(), Some(Error::ObjectHandleInvalid));
    }

    #[test]
    fn an_object_keeps_its_handle_and_leaves_it_to_nobody() {
        let mut shown = shown();
        let mut contents = Contents::default();
        let first = contents.add("0123", data).unwrap();
        contents.add("0123", data).unwrap();
        contents.add("4567", data).unwrap();
        shown.set_store("0123", &Arc::new(contents.clone()));
        assert_eq!(handles(&shown, &Template::default()), [1, 2, 3]);
        assert!(!shown.is_stored(1) && shown.is_stored(2));
        contents.remove("0123", &first).unwrap();
        contents.add("0123", data).unwrap();
        shown.set_store("0123", &Arc::new(contents));
        assert_eq!(handles(&shown, &Template::default()), [1, 3, 4]);
    }

    #[test]
    fn another_name_is_found_instead_of_the_first() {
        let mut shown = shown();
        let key = private_key();
        let mut contents = Contents::default();
        contents.rename(
            "0123",
            key.unique_id(),
            &Names { label: Some("gateway".into()), ..Names::default() },
        );
        shown.set_store("0123", &Arc::new(contents));
        let with_label = |label| {
            let mut template = Template::default();
            template.push(CKA_LABEL, label);
            handles(&shown, &template)
        };
        assert_eq!(with_label(b"gateway"), [1]);
        assert!(with_label(b"device").is_empty());
    }

    #[test]
    fn features_are_found_by_those_who_know_them() {
        let kind = atecc_token::ObjectKind::Counter { counter: atecc::zone::CounterId::Counter0 };
        let counter = atecc_token::Object { label: "counter".into(), id: vec![0], kind };
        let mut shown = Shown::default();
        shown.set_chip(of_chip(&[counter], Showing::default()), true);
        shown.set_store("0123", &Arc::default());
        let class = CKO_HW_FEATURE.to_ne_bytes();
        let mut template = Template::default();
        assert!(shown.find(&template).all(|(_, object)| object.class() == CKO_PROFILE));
        template.push(CKA_CLASS, &class);
        assert_eq!(shown.find(&template).count(), 1);
    }
}
