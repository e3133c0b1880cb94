//! What applications add to a token and want to find again: certificates, public keys and data, and other names for
//! what the chip holds. The chip has no room for them that anybody may write, so they lie in a small file.
//!
//! The file is TOML, for people to read and mend. It is written whole, beside the old one, and put in its place
//! at once, so that a reader sees the old or the new one and a power cut leaves one of them. Whoever writes
//! holds the lock of the folder from reading to replacing.

mod file;
mod format;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{error::Error, log::Log};

pub(crate) use format::{Contents, Names, unhex};

/// The store of this machine or user.
#[derive(Debug)]
pub(crate) struct Store {
    /// None: there is no place for one.
    path: Option<PathBuf>,
    log: Log,
    last: Mutex<Option<Seen>>,
}

/// The file, as it was when it was read.
#[derive(Debug)]
struct Seen {
    stamp: file::Stamp,
    contents: Result<Arc<Contents>, Error>,
}

impl Store {
    /// The store in this file, which is not read yet.
    pub(crate) const fn new(path: Option<PathBuf>, log: Log) -> Self {
        Self { path, log, last: Mutex::new(None) }
    }

    /// What is in it; nothing if there is no file. It is read again only if it is another than the last time.
    ///
    /// A file that cannot be read, or is not understood, is told to the log, and is an error.
    pub(crate) fn contents(&self) -> Result<Arc<Contents>, Error> {
        let Some(path) = &self.path else { return Ok(Arc::default()) };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = file::stamp(path);
        if let Some(seen) = &*last
            && seen.stamp == stamp
        {
            return seen.contents.clone();
        }
        let contents = self.told(file::read(path)).map(Arc::new);
        *last = Some(Seen { stamp, contents: contents.clone() });
        contents
    }

    /// Changes what is in it, and waits until it is on the disk. What stays as it was is not written.
    pub(crate) fn update<T>(
        &self,
        change: impl FnOnce(&mut Contents) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.locked(|path, mut contents| {
            let before = contents.clone();
            let answer = change(&mut contents)?;
            if !contents.is_like(&before) {
                self.told(file::write(path, &contents))?;
            }
            Ok(answer)
        })
    }

    /// As [`update`](Self::update), for a change that cannot be taken back. A `rehearsal` that makes the file as
    /// long as that will comes first: a store that is full, malformed, write-protected or in use is noticed before.
    pub(crate) fn update_for_good<T>(
        &self,
        rehearsal: impl FnOnce(&mut Contents),
        change: impl FnOnce(&mut Contents) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.locked(|path, mut contents| {
            let mut rehearsed = contents.clone();
            rehearsal(&mut rehearsed);
            self.told(file::try_write(path, &rehearsed))?;
            let answer = change(&mut contents)?;
            self.told(file::write(path, &contents))?;
            Ok(answer)
        })
    }

    fn locked<T>(&self, run: impl FnOnce(&Path, Contents) -> Result<T, Error>) -> Result<T, Error> {
        let Some(path) = &self.path else { return Err(Error::TokenWriteProtected) };
        let _lock = self.told(file::lock(path))?;
        let contents = self.told(file::read(path))?;
        run(path, contents)
    }

    /// Whether this process may write there.
    pub(crate) fn is_writable(&self) -> bool {
        self.path.as_ref().is_some_and(|path| file::is_writable(path))
    }

    fn told<T>(&self, result: Result<T, file::StoreError>) -> Result<T, Error> {
        result.map_err(|error| {
            self.log.warn(&error);
            error.kind()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc, thread};

    use super::*;
    use crate::store::format::Names;

    fn store() -> (tempfile::TempDir, PathBuf, Store) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new folder/objects.toml");
        let store = Store::new(Some(path.clone()), Log::Off);
        (folder, path, store)
    }

    fn rename(store: &Store, object: &str, label: &str) -> Result<(), Error> {
        store.update(|contents| {
            contents.rename("token", object, &Names { label: Some(label.into()), ..Names::default() });
            Ok(())
        })
    }

    fn label(store: &Store, object: &str) -> Option<String> {
        store.contents().unwrap().names("token", object).and_then(|names| names.label.clone())
    }

    #[test]
    fn what_one_writes_another_reads() {
        let (_folder, path, store) = store();
        assert_eq!(label(&store, "key"), None);
        rename(&store, "key", "first").unwrap();
        let other = Store::new(Some(path.clone()), Log::Off);
        assert_eq!(label(&other, "key").unwrap(), "first");
        rename(&store, "key", "second").unwrap();
        assert_eq!(label(&other, "key").unwrap(), "second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_that_others_may_read_stays_so() {
        let (_folder, path, store) = store();
        rename(&store, "key", "first").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        rename(&store, "key", "second").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn nothing_is_lost_when_many_write() {
        let (_folder, path, _) = store();
        let path = Arc::new(path);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let path = Arc::clone(&path);
                thread::spawn(move || {
                    let store = Store::new(Some((*path).clone()), Log::Off);
                    for number in 0..10 {
                        rename(&store, &format!("{writer}-{number}"), "x").unwrap();
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let store = Store::new(Some((*path).clone()), Log::Off);
        for writer in 0..4 {
            for number in 0..10 {
                assert!(label(&store, &format!("{writer}-{number}")).is_some(), "{writer}-{number}");
            }
        }
    }

    #[test]
    fn garbage_is_refused_and_left_as_it_is() {
        let (_folder, path, store) = store();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for garbage in
            ["\u{0}", "version = 2", "version = 1\nsurprise = true", "[[object]]", &"#".repeat(1 << 20)]
        {
            fs::write(&path, garbage).unwrap();
            assert_eq!(store.contents().err(), Some(Error::FunctionFailed), "{garbage:.20}");
            assert_eq!(rename(&store, "key", "x"), Err(Error::FunctionFailed));
            assert_eq!(fs::read_to_string(&path).unwrap(), garbage);
        }
    }

    #[test]
    fn a_change_that_fails_writes_nothing() {
        let (_folder, path, store) = store();
        rename(&store, "key", "x").unwrap();
        let before = fs::read(&path).unwrap();
        let failed = store.update(|contents| {
            contents.rename("token", "key", &Names { label: Some("y".into()), ..Names::default() });
            Err::<(), _>(Error::TemplateIncomplete)
        });
        assert_eq!(failed, Err(Error::TemplateIncomplete));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_does_not_change_is_not_written() {
        let (_folder, path, store) = store();
        rename(&store, "key", "x").unwrap();
        let inode = |path: &Path| fs::metadata(path).map(|file| std::os::unix::fs::MetadataExt::ino(&file));
        let before = inode(&path).unwrap();
        rename(&store, "key", "x").unwrap();
        assert_eq!(inode(&path).unwrap(), before);
        rename(&store, "key", "y").unwrap();
        assert_eq!(label(&store, "key").unwrap(), "y");
    }

    #[test]
    fn what_cannot_be_taken_back_does_not_begin_if_the_store_cannot_keep_it() {
        let (_folder, path, store) = store();
        rename(&store, "key", "x").unwrap();
        let long = Names { label: Some("l".repeat(300_000)), ..Names::default() };
        let too_late = |_: &mut Contents| -> Result<(), Error> { panic!("it has begun") };
        let full = store.update_for_good(|contents| contents.rename("token", "key", &long), too_late);
        assert_eq!(full, Err(Error::DeviceMemory));
        assert_eq!(label(&store, "key").unwrap(), "x");

        let lock = fs::File::open(path.parent().unwrap()).unwrap();
        lock.lock().unwrap();
        assert_eq!(store.update_for_good(|_| (), too_late), Err(Error::FunctionFailed));
        drop(lock);
        fs::write(&path, "version = 2").unwrap();
        assert_eq!(store.update_for_good(|_| (), too_late), Err(Error::FunctionFailed));
    }

    #[test]
    fn what_a_crash_left_behind_is_in_nobodys_way() {
        let (_folder, path, store) = store();
        rename(&store, "key", "x").unwrap();
        fs::write(path.with_extension("toml.new"), "half a fi").unwrap();
        rename(&store, "key", "y").unwrap();
        assert_eq!(label(&store, "key").unwrap(), "y");
    }

    #[test]
    fn without_a_place_nothing_is_there_and_nothing_is_written() {
        let store = Store::new(None, Log::Off);
        assert_eq!(label(&store, "key"), None);
        assert_eq!(rename(&store, "key", "x"), Err(Error::TokenWriteProtected));
        assert!(!store.is_writable());
    }
}
