//! Content sniffing: whether a source's first decompressed bytes are lines of JSON or something else.

use std::fmt;

/// How many bytes are inspected: the header of a tar archive.
pub(crate) const LOOK_BYTES: usize = 512;

/// Content that cannot be lines of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// What it is, behind the word "is".
    pub(crate) what: &'static str,
    /// What to do about it.
    pub(crate) mend: &'static str,
}

/// Text that is read line by line, although hardly any of its lines can be an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookalike {
    /// A JSON array of events.
    Array,
    /// JSON objects that span several lines.
    Indented,
    /// Column names between commas, semicolons or tabs.
    Csv,
    /// An HTML page or an XML document.
    Markup,
}

impl fmt::Display for Lookalike {
    /// What it is, behind the source's name, and what to do about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookalike::Array => "begins with a JSON array; write one object a line: jq -c '.[]'",
            Lookalike::Indented => "has JSON objects that span several lines; write one object a line: jq -c .",
            Lookalike::Csv => "begins with the header of a CSV file; write one JSON object a line",
            Lookalike::Markup => {
                "begins as an HTML or XML page, perhaps a server's error; fetch the file again, one JSON object a line"
            }
        })
    }
}

const ONCE: &str = "decompress it once more, or compress it only once";
const REPACK: &str = "unpack it, and compress the files themselves with gzip or zstd";
const EXPORT: &str = "export its rows as JSON, one object a line";
const UTF8: &str = "convert it to UTF-8 with iconv";

/// The kind of content that cannot be read as lines; `None` for all other content.
pub(crate) fn foreign(start: &[u8]) -> Option<Foreign> {
    let (what, mend) = match start {
        [0x1f, 0x8b, 8, ..] => ("still gzip inside", ONCE),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("still zstd inside", ONCE),
        // The block's or the end's magic number follows the level.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
            ("compressed with bzip2", REPACK)
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ("compressed with xz", REPACK),
        [0x04, 0x22, 0x4d, 0x18, ..] => ("compressed with lz4", REPACK),
        [0xff, 0x06, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y', ..] => ("compressed with snappy", REPACK),
        [b'L', b'Z', b'I', b'P', 1, ..] => ("compressed with lzip", REPACK),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => ("a zip archive", REPACK),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => ("a 7z archive", REPACK),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => ("a rar archive", REPACK),
        [b'P', b'A', b'R', b'1', ..] => ("a Parquet file", EXPORT),
        [b'O', b'R', b'C', 0..=9, ..] => ("an ORC file", EXPORT),
        [b'O', b'b', b'j', 1, ..] => ("an Avro file", EXPORT),
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', b'f', ..] => ("an SQLite database", EXPORT),
        // Without a byte-order mark, ASCII has a zero in every other byte.
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => ("UTF-32 text", UTF8),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] => {
            ("UTF-16 text", UTF8)
        }
        _ if is_tar(start) => ("a tar archive", REPACK),
        _ => return None,
    };
    Some(Foreign { what, mend })
}

/// The kind of text of which hardly a line can be an event; `None` for all other text.
pub(crate) fn lookalike(start: &[u8]) -> Option<Lookalike> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    match line {
        [b'[', ..] => Some(Lookalike::Array),
        b"{" => Some(Lookalike::Indented),
        [b'<', ..] => Some(Lookalike::Markup),
        _ if is_csv_header(line) => Some(Lookalike::Csv),
        _ => None,
    }
}

/// At least two names, with or without quotes, between the same kind of separators.
fn is_csv_header(line: &[u8]) -> bool {
    let is_name = |field: &[u8]| {
        let name = field.trim_ascii();
        let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
        name.first().is_some_and(u8::is_ascii_alphabetic)
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.- ".contains(byte))
    };
    b",;\t".iter().any(|separator| {
        let mut fields = line.split(|byte| byte == separator);
        line.contains(separator) && fields.all(is_name)
    })
}

/// A tar header, of whichever kind: its checksum is right.
fn is_tar(start: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(header) = start.first_chunk::<LOOK_BYTES>() else { return false };
    let digits = header[CHECKSUM].iter().filter(|byte| (b'0'..=b'7').contains(byte));
    let written = digits.fold(0, |sum: u32, digit| (sum << 3) + u32::from(digit - b'0'));
    // The checksum itself counts as spaces.
    let counted =
        header.iter().enumerate().map(|(at, byte)| if CHECKSUM.contains(&at) { b' ' } else { *byte });
    header[0] != 0 && written == counted.map(u32::from).sum::<u32>()
}

#[cfg(test)]
mod tests {
    use super::{Lookalike, foreign, lookalike};

    #[test]
    fn what_is_no_text_is_told_by_its_first_bytes() {
        for (start, what) in [
            (&b"\x1f\x8b\x08\0"[..], "still gzip"),
            (b"\x28\xb5\x2f\xfd\x04", "still zstd"),
            (b"BZh91AY&SY\0", "bzip2"),
            (b"BZh9\x17\x72\x45\x38\x50\x90", "bzip2"),
            (b"\xfd7zXZ\0\0", "xz"),
            (b"PK\x03\x04\x14", "zip"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"\xff\xfe{\0", "UTF-16"),
            (b"{\0\"\0", "UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
        ] {
            let found = foreign(start).unwrap_or_else(|| panic!("{what} is not recognised"));
            assert!(found.what.contains(what), "{what}: {found:?}");
        }
        for text in [&b""[..], b"{", b"{\"event_id\":1}\n", b"\xef\xbb\xbf{", b"BZh9 is text", b"PK", b"OR"] {
            assert_eq!(foreign(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn text_that_is_not_one_object_a_line_is_told() {
        for (start, expected) in [
            ("[{\"event_id\":1},\n", Some(Lookalike::Array)),
            ("\u{feff} \n[\n  {", Some(Lookalike::Array)),
            ("{\n  \"event_id\": 1", Some(Lookalike::Indented)),
            ("{\r\n", Some(Lookalike::Indented)),
            ("event_id,event_type,user_id\n1,2,3", Some(Lookalike::Csv)),
            ("\"event_id\";\"user id\"\n", Some(Lookalike::Csv)),
            ("event_id\tuser_id", Some(Lookalike::Csv)),
            ("<!DOCTYPE html>\n<html>", Some(Lookalike::Markup)),
            ("<?xml version=\"1.0\"?><Error>", Some(Lookalike::Markup)),
            ("{\"event_id\":1,\"event_type\":2}", None),
            ("no JSON at all", None),
            ("event_id\n", None),
            ("", None),
        ] {
            assert_eq!(lookalike(start.as_bytes()), expected, "{start}");
        }
    }
}
