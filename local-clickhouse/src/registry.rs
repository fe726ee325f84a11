//! Where this user's background servers run: a link to the data folder of each, so that they are found from anywhere.
//!
//! It is only a help to find them. What a link leads to is believed no more than any other data folder: a server runs
//! there if its locks say so.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the links: `$XDG_STATE_HOME/schoolbell/warehouses`, else below `$HOME/.local/state`; `None` if neither
/// variable is set.
fn folder() -> Option<PathBuf> {
    let set = |variable| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local").join("state")));
    Some(state?.join("schoolbell").join("warehouses"))
}

/// Notes that a server of this process runs on a data folder.
pub(crate) fn note(data_dir: &Path) -> io::Result<()> {
    let Some(folder) = folder() else { return Ok(()) };
    fs::create_dir_all(&folder)?;
    let link = folder.join(std::process::id().to_string());
    match fs::remove_file(&link) {
        // Of an earlier process of that number.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    std::os::unix::fs::symlink(data_dir, link)
}

/// The data folders that were noted and for which `runs` holds; the other notes are removed.
pub(crate) fn noted(runs: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let Some(entries) = folder().and_then(|folder| fs::read_dir(folder).ok()) else { return Vec::new() };
    let mut folders = Vec::new();
    for link in entries.flatten().map(|entry| entry.path()) {
        match fs::read_link(&link) {
            Ok(data_dir) if runs(&data_dir) => folders.push(data_dir),
            // Should it stay, it is looked at in vain again.
            _ => drop(fs::remove_file(&link)),
        }
    }
    folders.sort();
    folders.dedup();
    folders
}
