//! Which of the files below a folder or prefix are taken for day files, and why others are left out.

use std::fmt;

use crate::url;

/// What comes after the name, but for compression.
const EXTENSIONS: [&str; 3] = ["jsonl", "ndjson", "json"];

/// What comes after the name of a file that another program than gzip or zstd has packed.
const OTHER_PACKERS: [&str; 12] =
    ["bz2", "xz", "lz4", "lzma", "lzo", "br", "z", "zip", "7z", "rar", "tar", "snappy"];

/// Something below a folder or prefix that is not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The path or URL.
    pub name: String,
    /// Why it is left out.
    pub why: WhyLeftOut,
}

/// Why something below a folder or prefix is not read. Displayed it is a clause about "it".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WhyLeftOut {
    /// The name is not a day file's.
    OtherName,
    /// It is packed by another program than gzip or zstd.
    OtherPacker,
    /// A link to a folder.
    LinkToFolder,
    /// A pipe, socket or device.
    Special,
}

impl fmt::Display for WhyLeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WhyLeftOut::OtherName => {
                "its name is not a day file's (.jsonl, .ndjson or .json, then .gz, .zst or nothing)"
            }
            WhyLeftOut::OtherPacker => "it is not packed by gzip or zstd",
            WhyLeftOut::LinkToFolder => "it is a link to a folder, and these are not followed",
            WhyLeftOut::Special => "it is a pipe, socket or device",
        })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.why)
    }
}

/// What a file below a prefix is, by its path relative to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A day file: to be read.
    DayFile,
    /// A marker, or something unfinished: its name, or a folder's on the way, begins with `_` or `.`.
    Hidden,
    /// Something else: left out, and told.
    Other(WhyLeftOut),
}

/// Day files end in `.jsonl`, `.ndjson` or `.json`, then `.gz` or `.zst` or nothing; or in `.gz` or `.zst` with no
/// other extension before it.
pub(crate) fn classify(path: &str) -> Found {
    if path.split('/').any(|part| part.starts_with(['_', '.'])) {
        return Found::Hidden;
    }
    let name = url::last_part(path).to_ascii_lowercase();
    let (stem, is_compressed) = match name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")) {
        Some(stem) => (stem, true),
        None => (&*name, false),
    };
    let is_day_file = match stem.rsplit_once('.') {
        Some((_, extension)) => EXTENSIONS.contains(&extension),
        None => is_compressed,
    };
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if is_day_file {
        Found::DayFile
    } else if OTHER_PACKERS.contains(&extension) {
        Found::Other(WhyLeftOut::OtherPacker)
    } else {
        Found::Other(WhyLeftOut::OtherName)
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, WhyLeftOut, classify};

    #[test]
    fn names_tell_day_files() {
        for name in
            ["a.jsonl", "x/a.JSONL.GZ", "a.b.ndjson.zst", "2026-03-01.json", "part-0001.gz", "x/y/z.zst"]
        {
            assert_eq!(classify(name), Found::DayFile, "{name}");
        }
        for name in ["_SUCCESS", "_temporary/a.jsonl", "x/.a.jsonl.swp", ".hidden/a.jsonl"] {
            assert_eq!(classify(name), Found::Hidden, "{name}");
        }
        for name in ["exchange_rates.csv", "README", "a.csv.gz", "jsonl", "a.jsonl.tmp", "a.jsonl/"] {
            assert_eq!(classify(name), Found::Other(WhyLeftOut::OtherName), "{name}");
        }
        for name in ["a.jsonl.bz2", "x/a.jsonl.XZ", "a.tar", "2026-03-01.zip"] {
            assert_eq!(classify(name), Found::Other(WhyLeftOut::OtherPacker), "{name}");
        }
    }
}
