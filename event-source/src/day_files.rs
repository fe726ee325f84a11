//! Which of the files below a folder or prefix are taken for day files.

/// What comes after the name, but for compression.
const EXTENSIONS: [&str; 3] = ["jsonl", "ndjson", "json"];

/// What a file below a prefix is, by its path relative to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A day file: to be read.
    DayFile,
    /// A marker, or something unfinished: its name, or a folder's on the way, begins with `_` or `.`.
    Hidden,
    /// Something else: left out, and told.
    Other,
}

/// Day files end in `.jsonl`, `.ndjson` or `.json`, then `.gz` or `.zst` or nothing; or in `.gz` or `.zst` with no
/// other extension before it.
pub(crate) fn classify(path: &str) -> Found {
    if path.split('/').any(|part| part.starts_with(['_', '.'])) {
        return Found::Hidden;
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let (stem, is_compressed) = match name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")) {
        Some(stem) => (stem, true),
        None => (&*name, false),
    };
    let is_day_file = match stem.rsplit_once('.') {
        Some((_, extension)) => EXTENSIONS.contains(&extension),
        None => is_compressed,
    };
    if is_day_file { Found::DayFile } else { Found::Other }
}

#[cfg(test)]
mod tests {
    use super::{Found, classify};

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
        for name in ["exchange_rates.csv", "README", "a.csv.gz", "jsonl", "a.jsonl.bz2", "a.jsonl.tmp"] {
            assert_eq!(classify(name), Found::Other, "{name}");
        }
    }
}
