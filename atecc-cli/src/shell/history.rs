//! Earlier lines, kept for the next time.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

use super::LineEditor;

/// Reads earlier lines and gives the file that will keep them. Whoever has no place for it has no history.
pub(super) fn load(editor: &mut LineEditor) -> Option<PathBuf> {
    let file = prepare().ok()?;
    // The first time it is empty, which is not a history yet.
    let _ = editor.load_history(&file);
    Some(file)
}

/// Adds the lines of this time to `file`.
pub(super) fn save(editor: &mut LineEditor, file: Option<PathBuf>) {
    if let Some(file) = file
        && let Err(error) = editor.save_history(&file)
    {
        eprintln!("the history cannot be kept in {}: {error}", file.display());
    }
}

/// The file, made if it is not there: readable and writable by its owner only.
fn prepare() -> io::Result<PathBuf> {
    // Relative paths are to be ignored (XDG Base Directory Specification).
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/state")));
    let folder = state.ok_or(io::ErrorKind::NotFound)?.join("atecc");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let file = folder.join("shell_history");
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&file)?;
    Ok(file)
}
