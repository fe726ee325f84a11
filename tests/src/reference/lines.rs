//! Cuts a source into lines.

/// A line of a source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// From 1.
    pub(crate) number: u64,
    /// Where it begins in the source, the byte-order mark counted.
    pub(crate) offset: u64,
    /// The line without its ending.
    pub(crate) text: &'a [u8],
}

impl Line<'_> {
    /// Whether the line holds nothing but spaces, tabs and carriage returns.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.iter().all(|byte| b" \t\r".contains(byte))
    }
}

/// The lines of a source. A `\n` at the very end opens no further line.
pub(crate) fn split(source: &[u8]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = if source.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while start < source.len() {
        let rest = &source[start..];
        let (text, next) = match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => (rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]), start + end + 1),
            None => (rest, source.len()),
        };
        lines.push(Line { number: lines.len() as u64 + 1, offset: start as u64, text });
        start = next;
    }
    lines
}
