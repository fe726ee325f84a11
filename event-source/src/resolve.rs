//! Resolves names on a command line to sources.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::debug;

use crate::day_files::{self, Found, LeftOut, WhyLeftOut};
use crate::file_url;
use crate::pattern;
use crate::source::{Identity, Objects};
use crate::spool::Spool;
use crate::store::{Object, Stores, Window, list};
use crate::url::{SCHEMES, StoreUrl, WILDCARDS};
use crate::{Options, Source, SourceError};

/// What a command line names.
#[derive(Debug)]
pub struct Resolved {
    /// The sources, in the order in which they are to be read.
    pub sources: Vec<Source>,
    /// What lies below a folder or prefix that was named, or matches a glob, and is not read.
    pub left_out: Vec<LeftOut>,
    objects: Option<Arc<Objects>>,
}

impl Resolved {
    /// Removes what was downloaded into the spool folder; nothing without one.
    ///
    /// To be called once the sources are not needed again: otherwise the next run takes up what is there.
    pub fn remove_spooled(&self) -> Result<(), SourceError> {
        match self.objects.as_ref().and_then(|objects| objects.spool.as_ref()) {
            Some(spool) => spool.remove(),
            None => Ok(()),
        }
    }

    /// Parts the sources by a key, their order kept. The parts share nothing: the objects of one can be read, spooled,
    /// or left alone, whatever is done with the others. `options` are those that the sources were found with; what is
    /// left out is told by each part.
    #[must_use]
    pub fn split_by<K: Ord>(
        self,
        options: &Options,
        mut key: impl FnMut(&Source) -> K,
    ) -> BTreeMap<K, Resolved> {
        let mut parts: BTreeMap<K, Vec<Place>> = BTreeMap::new();
        for source in self.sources {
            let place = parts.entry(key(&source)).or_default();
            place.push(match source.shared_object() {
                Some(object) => Place::Object(object),
                None => Place::Local(source),
            });
        }
        let part = |places| {
            let (sources, objects) = gather(places, options);
            Resolved { sources, left_out: self.left_out.clone(), objects }
        };
        parts.into_iter().map(|(key, places)| (key, part(places))).collect()
    }
}

/// The sources that `arguments` name: paths, globs, folders, `-` for standard input; URLs of objects and prefixes
/// (`s3://`, `gs://`, `az://`, `abfss://`, `file://`), and globs in them.
///
/// In the arguments' order, and by name within a glob, folder or prefix. What is there wins over a pattern of the
/// same spelling (of objects, patterns win). Globs find files only; `*` does not reach into folders (`**` does), nor
/// hidden files. A folder or prefix stands for the day files below it: `.jsonl`, `.ndjson` or `.json`, with `.gz`,
/// `.zst` or nothing behind it, or `.gz` or `.zst` alone; nothing whose name, or whose folder's, begins with `_` or
/// `.`. Links to folders are not followed, and pipes, sockets and devices not opened unless they are named themselves. A
/// source that comes twice, whatever it is called, is an error.
pub fn resolve(arguments: &[String], options: &Options) -> Result<Resolved, SourceError> {
    if arguments.is_empty() {
        return Err(SourceError::NothingNamed);
    }
    let mut stores = Stores::new(options);
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for argument in arguments {
        match read_argument(argument)? {
            Named::Stdin => found.push(Place::Local(Source::stdin())),
            Named::Local { path, is_url } => {
                let (files, others) = local(argument, &path, is_url)?;
                found.extend(files.into_iter().map(Place::Local));
                left_out.extend(others);
            }
            Named::Object(url) => {
                let (objects, others) = list(&stores.get(&url)?, &url)?;
                found.extend(objects.into_iter().map(|object| Place::Object(Arc::new(object))));
                left_out.extend(others);
            }
        }
    }
    let (sources, objects) = gather(found, options);
    each_once(&sources)?;
    let bytes = sources.iter().map(Source::size).sum::<Option<u64>>();
    debug!(sources = sources.len(), bytes, left_out = left_out.len(), "found the sources");
    Ok(Resolved { sources, left_out, objects })
}

enum Named {
    Stdin,
    Local { path: String, is_url: bool },
    Object(StoreUrl),
}

enum Place {
    Local(Source),
    Object(Arc<Object>),
}

/// The sources in order; the objects of all of them share a window and a spool folder.
fn gather(found: Vec<Place>, options: &Options) -> (Vec<Source>, Option<Arc<Objects>>) {
    let (mut objects, mut order) = (Vec::new(), Vec::new());
    for place in found {
        order.push(match place {
            Place::Local(source) => Some(source),
            Place::Object(object) => {
                objects.push(object);
                None
            }
        });
    }
    let objects = (!objects.is_empty()).then(|| {
        let window = Arc::new(Window::new(objects, options));
        let spool = options.spool.clone().map(|folder| Spool::new(folder, window.objects()));
        Arc::new(Objects { window, spool })
    });
    let mut indices = 0..;
    let sources = order.into_iter().map(|local| {
        local.unwrap_or_else(|| {
            let objects = objects.as_ref().expect("there is an object");
            Source::object(objects, indices.next().expect("numbers do not end"))
        })
    });
    (sources.collect(), objects)
}

fn read_argument(argument: &str) -> Result<Named, SourceError> {
    if argument == "-" {
        return Ok(Named::Stdin);
    }
    match argument.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            Ok(Named::Local { path: file_url::path(rest)?, is_url: true })
        }
        Some((scheme, rest)) if is_scheme(scheme) => match StoreUrl::parse(scheme, rest)? {
            Some(url) => Ok(Named::Object(url)),
            None => Err(SourceError::UnsupportedScheme { scheme: scheme.to_owned() }),
        },
        _ => match scheme_that_is_meant(argument) {
            // What is there is what is meant, and may be a folder that a pattern goes through.
            Some((beginning, scheme)) if fs::symlink_metadata(first_part(argument)).is_err() => {
                Err(SourceError::SlashesInUrl { beginning: beginning.to_owned(), scheme })
            }
            _ => Ok(Named::Local { path: argument.to_owned(), is_url: false }),
        },
    }
}

fn first_part(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// Of what is no URL for its slashes: how it begins, and the scheme that is meant. `s3:/`, `s3:`, `s3//`.
fn scheme_that_is_meant(argument: &str) -> Option<(&str, String)> {
    let (beginning, scheme) = match (argument.split_once(':'), argument.split_once("//")) {
        (Some((scheme, rest)), _) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            let slash = usize::from(rest.starts_with('/'));
            (&argument[..scheme.len() + 1 + slash], scheme)
        }
        (_, Some((scheme, _))) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            (&argument[..scheme.len() + 2], scheme)
        }
        _ => return None,
    };
    Some((beginning, scheme.to_ascii_lowercase()))
}

/// RFC 3986: a letter, then letters, digits, `+`, `-` and `.`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The files that a path, folder or pattern stands for, by name; and what is left out.
fn local(argument: &str, path: &str, is_url: bool) -> Result<(Vec<Source>, Vec<LeftOut>), SourceError> {
    // What was named by URL is called so.
    let name = |path: &str| if is_url { file_url::of(path) } else { path.to_owned() };
    let source = |path: String| Source::path(name(&path), path.into());
    let (files, mut others) = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let (files, others) = below(path)?;
            if files.is_empty() {
                return Err(SourceError::NoDayFiles { name: name(path), others: others.len() as u64 });
            }
            (files, others)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.contains(WILDCARDS) => matches(path)?,
        // What is wrong with a path comes to light when it becomes a source.
        _ => {
            let named = Source::path(argument.to_owned(), path.into())?;
            return Ok((vec![named], Vec::new()));
        }
    };
    for other in &mut others {
        other.name = name(&other.name);
    }
    Ok((files.into_iter().map(source).collect::<Result<_, _>>()?, others))
}

/// The day files below a folder, and what else is there.
fn below(folder: &str) -> Result<(Vec<String>, Vec<LeftOut>), SourceError> {
    let base = Path::new(folder);
    let (mut files, mut others, mut folders) = (Vec::new(), Vec::new(), vec![PathBuf::new()]);
    while let Some(relative) = folders.pop() {
        let path = base.join(&relative);
        let failed = |error| SourceError::from_io(&path.display().to_string(), 0, error);
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let relative = relative.join(entry.file_name());
            let found = day_files::classify(&relative.to_string_lossy());
            let kind = entry.file_type().map_err(failed)?;
            let path = base.join(&relative);
            let why = match (found, unreadable(&path)) {
                (Found::Hidden, _) => continue,
                _ if kind.is_dir() => {
                    folders.push(relative);
                    continue;
                }
                (_, Some(why)) | (Found::Other(why), None) => why,
                (Found::DayFile, None) => {
                    files.push(utf8(path)?);
                    continue;
                }
            };
            // As it is shown.
            others.push(LeftOut { name: path.display().to_string(), why });
        }
    }
    // The order of bytes: the same on every machine and in every locale.
    files.sort_unstable();
    others.sort_unstable();
    Ok((files, others))
}

/// Why what was found at a path, and not named, is not opened.
fn unreadable(path: &Path) -> Option<WhyLeftOut> {
    match fs::metadata(path) {
        // A link to a folder could lead in circles.
        Ok(metadata) if metadata.is_dir() => Some(WhyLeftOut::LinkToFolder),
        // A pipe without a writer would be waited for without end.
        Ok(metadata) if !metadata.is_file() => Some(WhyLeftOut::Special),
        // What is wrong comes to light when it becomes a source.
        _ => None,
    }
}

/// The files that match a pattern; and what matches and is none.
fn matches(pattern: &str) -> Result<(Vec<String>, Vec<LeftOut>), SourceError> {
    let (mut names, mut others) = (Vec::new(), Vec::new());
    for path in pattern::files(pattern)? {
        match unreadable(&path) {
            Some(why) => others.push(LeftOut { name: path.display().to_string(), why }),
            None => names.push(utf8(path)?),
        }
    }
    if names.is_empty() {
        return Err(SourceError::NotFound { name: pattern.to_owned(), pattern: true });
    }
    names.sort_unstable();
    others.sort_unstable();
    Ok((names, others))
}

fn utf8(path: PathBuf) -> Result<String, SourceError> {
    path.into_os_string().into_string().map_err(|path| SourceError::NameNotUtf8 { path: path.into() })
}

/// An error if one thing has two names here.
fn each_once(sources: &[Source]) -> Result<(), SourceError> {
    let mut seen: HashMap<Identity, &str> = HashMap::new();
    for source in sources {
        if let Some(first) = seen.insert(source.identity()?, source.name()) {
            let (first, second) = (first.to_owned(), source.name().to_owned());
            return Err(SourceError::NamedTwice { first, second });
        }
    }
    Ok(())
}
