//! The walk through one line, led by the trie of the mapping's places.

use super::scan::{MAX_DEPTH, Refused, blanks, colon, string_end, value};
use super::text::unescape;
use super::{Entries, Entry, Kind};
use crate::compile::{NodeId, Trie};

/// The most texts inside of texts that are read as JSON.
const MAX_LEVELS: u8 = 4;

/// Reads lines. Its memory is reused from line to line.
#[derive(Debug, Default)]
pub(crate) struct Walker {
    pub(crate) entries: Entries,
    /// A key that was unescaped.
    key: String,
}

/// A text that is walked.
#[derive(Clone, Copy)]
struct Text<'a> {
    text: &'a str,
    bytes: &'a [u8],
    level: u8,
}

impl<'a> Text<'a> {
    fn new(text: &'a str, level: u8) -> Text<'a> {
        Text { text, bytes: text.as_bytes(), level }
    }
}

impl Walker {
    /// Reads a line: its entries are those of the trie from `root` on; the first is the line's own value.
    pub(crate) fn read(&mut self, trie: &Trie, root: NodeId, line: &str) -> Result<(), Refused> {
        self.entries.list.clear();
        self.entries.embedded.iter_mut().for_each(String::clear);
        let text = Text::new(line, 0);
        let end = self.member(trie, text, blanks(text.bytes, 0), Some(root), (0, 0), 0)?;
        if blanks(text.bytes, end) == line.len() { Ok(()) } else { Err(Refused) }
    }

    /// Reads the value at `at`, inside `depth` levels, into entries; answers the place after it.
    fn member(
        &mut self,
        trie: &Trie,
        text: Text<'_>,
        at: usize,
        node: Option<NodeId>,
        key: (u32, u32),
        depth: u32,
    ) -> Result<usize, Refused> {
        let index = self.entries.list.len();
        let mut entry =
            Entry { key, start: at as u32, end: 0, next: 0, node, kind: Kind::Null, level: text.level };
        let looked_into = node.filter(|node| trie.node(*node).is_looked_into());
        let end = match (text.bytes.get(at), looked_into) {
            (Some(b'{'), Some(node)) if trie.node(node).has_members() => {
                entry.kind = Kind::Object;
                self.entries.list.push(entry);
                self.object(trie, text, at + 1, node, depth)?
            }
            (Some(b'['), Some(node)) if trie.node(node).has_elements() => {
                entry.kind = Kind::Array;
                self.entries.list.push(entry);
                self.array(trie, text, at + 1, node, depth)?
            }
            _ => {
                let (end, kind) = value(text.bytes, at, depth)?;
                entry.kind = kind;
                self.entries.list.push(entry);
                if kind.is_string() && node.is_some_and(|node| trie.node(node).is_embedded) {
                    self.embedded(trie, text, (at + 1, end - 1), index, depth);
                }
                end
            }
        };
        let next = self.entries.list.len() as u32;
        let entry = &mut self.entries.list[index];
        (entry.end, entry.next) = (end as u32, next);
        Ok(end)
    }

    /// Reads the members of an object whose text begins at `at`.
    fn object(
        &mut self,
        trie: &Trie,
        text: Text<'_>,
        at: usize,
        node: NodeId,
        depth: u32,
    ) -> Result<usize, Refused> {
        if depth == MAX_DEPTH {
            return Err(Refused);
        }
        let bytes = text.bytes;
        let mut at = blanks(bytes, at);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        loop {
            if bytes.get(at) != Some(&b'"') {
                return Err(Refused);
            }
            let (end, is_escaped) = string_end(bytes, at + 1)?;
            let child = if is_escaped {
                self.key.clear();
                unescape(&text.text[at + 1..end], &mut self.key);
                trie.child(node, self.key.as_bytes(), 0, self.key.len())
            } else {
                trie.child(node, bytes, at + 1, end)
            };
            let key = (at as u32, end as u32 + 1);
            at = colon(bytes, end + 1)?;
            at = self.member(trie, text, at, child, key, depth + 1)?;
            at = blanks(bytes, at);
            match bytes.get(at) {
                Some(b',') => at = blanks(bytes, at + 1),
                Some(b'}') => return Ok(at + 1),
                _ => return Err(Refused),
            }
        }
    }

    /// Reads the elements of an array whose text begins at `at`.
    fn array(
        &mut self,
        trie: &Trie,
        text: Text<'_>,
        at: usize,
        node: NodeId,
        depth: u32,
    ) -> Result<usize, Refused> {
        if depth == MAX_DEPTH {
            return Err(Refused);
        }
        let bytes = text.bytes;
        let mut at = blanks(bytes, at);
        if bytes.get(at) == Some(&b']') {
            return Ok(at + 1);
        }
        for index in 0.. {
            let child = trie.element(node, index);
            at = self.member(trie, text, at, child, (0, 0), depth + 1)?;
            at = blanks(bytes, at);
            match bytes.get(at) {
                Some(b',') => at = blanks(bytes, at + 1),
                Some(b']') => return Ok(at + 1),
                _ => return Err(Refused),
            }
        }
        Err(Refused)
    }

    /// Reads the text of the string at `span`, whose entry is `index`, as JSON, if it holds an object or an array.
    fn embedded(&mut self, trie: &Trie, text: Text<'_>, span: (usize, usize), index: usize, depth: u32) {
        let level = text.level;
        if level == MAX_LEVELS {
            return;
        }
        if self.entries.embedded.len() == usize::from(level) {
            self.entries.embedded.push(String::new());
        }
        // Taken out while it is walked: what it holds inside goes to the next level.
        let mut texts = std::mem::take(&mut self.entries.embedded[usize::from(level)]);
        let start = texts.len();
        unescape(&text.text[span.0..span.1], &mut texts);
        let node = self.entries.list[index].node;
        let inner = Text::new(&texts, level + 1);
        let at = blanks(inner.bytes, start);
        let holds_json = matches!(inner.bytes.get(at), Some(b'{' | b'['))
            && self
                .member(trie, inner, at, node, (0, 0), depth)
                .is_ok_and(|end| blanks(inner.bytes, end) == inner.bytes.len());
        if holds_json {
            self.entries.list[index].kind = Kind::Embedded;
            self.entries.list[index].node = None;
            // Here newlines can only stand between values; a contract line has none.
            let mut bytes = texts.into_bytes();
            bytes[start..].iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
            texts = String::from_utf8(bytes).expect("a blank in place of another");
        } else {
            self.entries.list.truncate(index + 1);
            texts.truncate(start);
        }
        self.entries.embedded[usize::from(level)] = texts;
    }
}
