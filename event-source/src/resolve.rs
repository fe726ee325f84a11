//! From names on a command line to sources.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::{Source, SourceError};

/// The sources that `arguments` name: paths, globs, `-` for standard input, `file://` URLs.
///
/// In the arguments' order, and by name within a glob. A file that is there wins over a pattern of the same
/// spelling. Globs find files only; `*` does not reach into folders (`**` does), nor hidden files. A source that
/// comes twice, whatever it is called, is an error.
pub fn resolve(arguments: &[String]) -> Result<Vec<Source>, SourceError> {
    if arguments.is_empty() {
        return Err(SourceError::NothingNamed);
    }
    let mut sources = Vec::new();
    for argument in arguments {
        match read_argument(argument)? {
            Named::Stdin => sources.push(Source::stdin()),
            Named::Path(path) => sources.push(Source::path(argument.clone(), path)?),
            Named::Pattern => sources.extend(matches(argument)?),
        }
    }
    each_once(&sources)?;
    Ok(sources)
}

enum Named {
    Stdin,
    Path(PathBuf),
    Pattern,
}

fn read_argument(argument: &str) -> Result<Named, SourceError> {
    if argument == "-" {
        return Ok(Named::Stdin);
    }
    match argument.split_once("://") {
        Some(("file", rest)) => return file_url(argument, rest).map(Named::Path),
        Some((scheme, _)) if is_scheme(scheme) => {
            return Err(SourceError::UnsupportedScheme { scheme: scheme.to_owned() });
        }
        _ => {}
    }
    let has_wildcard = argument.contains(['*', '?', '[']);
    match fs::metadata(argument) {
        Err(error) if has_wildcard && error.kind() == io::ErrorKind::NotFound => Ok(Named::Pattern),
        // What is wrong with a path comes to light when it becomes a source.
        _ => Ok(Named::Path(argument.into())),
    }
}

/// RFC 3986: a letter, then letters, digits, `+`, `-` and `.`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The path of `file://` and `rest`.
fn file_url(url: &str, rest: &str) -> Result<PathBuf, SourceError> {
    let invalid = |problem| SourceError::InvalidFileUrl { url: url.to_owned(), problem };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(invalid("it names another host, or a relative path"));
    }
    let path = percent_decoded(path).ok_or_else(|| invalid("a % is not followed by two hex digits"))?;
    String::from_utf8(path).map(PathBuf::from).map_err(|_| invalid("the path is not UTF-8"))
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let hex = |digit: u8| char::from(digit).to_digit(16);
        decoded.push((hex(digits[0])? * 16 + hex(digits[1])?) as u8);
        rest = after;
    }
    Some(decoded)
}

fn matches(pattern: &str) -> Result<Vec<Source>, SourceError> {
    // As in a shell.
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options).map_err(|error| SourceError::InvalidPattern {
        pattern: pattern.to_owned(),
        problem: error.to_string(),
    })?;
    let mut names = Vec::new();
    for path in paths {
        let path =
            path.map_err(|error| SourceError::from_io(&error.path().display().to_string(), 0, error.into()))?;
        if !path.is_dir() {
            names.push(
                path.into_os_string()
                    .into_string()
                    .map_err(|path| SourceError::NameNotUtf8 { path: path.into() })?,
            );
        }
    }
    if names.is_empty() {
        return Err(SourceError::NotFound { name: pattern.to_owned(), pattern: true });
    }
    // The order of bytes: the same on every machine and in every locale.
    names.sort_unstable();
    names.into_iter().map(|name| Source::path(name.clone(), name.into())).collect()
}

/// An error if one thing has two names here.
fn each_once(sources: &[Source]) -> Result<(), SourceError> {
    let mut seen: HashMap<PathBuf, &str> = HashMap::new();
    for source in sources {
        let place = match source.file() {
            Some(path) => {
                fs::canonicalize(path).map_err(|error| SourceError::from_io(source.name(), 0, error))?
            }
            None => PathBuf::from(source.name()),
        };
        if let Some(first) = seen.insert(place, source.name()) {
            let (first, second) = (first.to_owned(), source.name().to_owned());
            return Err(SourceError::NamedTwice { first, second });
        }
    }
    Ok(())
}
