//! Patterns of paths, as in a shell: the files that match one.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::SourceError;
use crate::url::WILDCARDS;

/// How names match patterns: `*` stays within a folder and finds nothing hidden.
pub(crate) const AS_IN_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// What stands between two slashes of a pattern.
enum Part {
    /// A name, `..` among them.
    Name(String),
    /// A pattern of names.
    Names(Pattern),
    /// `**`: any folders on the way, or none; at the end, all files below them. Links are not followed: they could lead
    /// in circles.
    Folders,
}

/// The files that match, each once, in no order. Their names need not be UTF-8: then a part matches as it is shown.
pub(crate) fn files(pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    let mut found = Vec::new();
    if let Some(parts) = parts(pattern)? {
        let start = if pattern.starts_with('/') { "/" } else { "" };
        walk(Path::new(start), &parts, &mut found)?;
    }
    // Folders on the way can match in several ways.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Nothing where it ends in a slash: no file does.
fn parts(pattern: &str) -> Result<Option<Vec<Part>>, SourceError> {
    let invalid = |error: glob::PatternError| SourceError::InvalidPattern {
        pattern: pattern.to_owned(),
        problem: error.to_string(),
    };
    Pattern::new(pattern).map_err(invalid)?;
    if pattern.ends_with('/') {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for text in pattern.split('/').filter(|text| !matches!(*text, "" | ".")) {
        match text {
            "**" if matches!(parts.last(), Some(Part::Folders)) => {}
            "**" => parts.push(Part::Folders),
            _ if text.contains(WILDCARDS) => {
                parts.push(Part::Names(Pattern::new(text).map_err(invalid)?));
            }
            _ => parts.push(Part::Name(text.to_owned())),
        }
    }
    if let Some(Part::Folders) = parts.last() {
        parts.push(Part::Names(Pattern::new("*").map_err(invalid)?));
    }
    Ok(Some(parts))
}

/// Finds what matches the parts below a folder.
fn walk(folder: &Path, parts: &[Part], found: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    // What matches the part is a folder where more parts follow, and a file at the end.
    let mut go_on = |path: PathBuf| match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => walk(&path, rest, found),
        // A link whose end has gone is missed when it is opened.
        found_or_gone if rest.is_empty() && (found_or_gone.is_ok() || path.is_symlink()) => {
            found.push(path);
            Ok(())
        }
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(failed(&path, error))
        }
        _ => Ok(()),
    };
    match part {
        Part::Name(name) => go_on(folder.join(name)),
        Part::Names(pattern) => {
            for entry in entries(folder)? {
                let name = entry.file_name();
                if pattern.matches_with(&name.to_string_lossy(), AS_IN_A_SHELL) {
                    go_on(folder.join(name))?;
                }
            }
            Ok(())
        }
        Part::Folders => {
            walk(folder, rest, found)?;
            for entry in entries(folder)? {
                let (name, kind) = (entry.file_name(), entry.file_type());
                let is_hidden = name.to_string_lossy().starts_with('.');
                if !is_hidden && kind.is_ok_and(|kind| kind.is_dir()) {
                    walk(&folder.join(name), parts, found)?;
                }
            }
            Ok(())
        }
    }
}

fn entries(folder: &Path) -> Result<Vec<DirEntry>, SourceError> {
    let readable = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::read_dir(readable).and_then(Iterator::collect).map_err(|error| failed(folder, error))
}

fn failed(path: &Path, error: io::Error) -> SourceError {
    SourceError::from_io(&path.display().to_string(), 0, error)
}
