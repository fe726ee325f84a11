//! What the walk leaves behind: the members of the objects that some place leads through.

use crate::compile::NodeId;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string without escapes.
    String,
    /// A string with escapes.
    Escaped,
    /// A string whose text was read as JSON: the entry after it is what it holds.
    Embedded,
    Object,
    Array,
}

impl Kind {
    pub(crate) const fn is_string(self) -> bool {
        matches!(self, Kind::String | Kind::Escaped)
    }
}

/// A member of an object, an element of an array, the line's own value, or what a text holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The key with its quotes; empty where there is none.
    pub(crate) key: (u32, u32),
    /// The value as it stands, a string with its quotes.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The first entry that is not inside of this one.
    pub(crate) next: u32,
    /// The trie's node for it.
    pub(crate) node: Option<NodeId>,
    pub(crate) kind: Kind,
    /// 0: it stands in the line; 1: in a text of the line that holds JSON; 2: in a text of such a text; …
    pub(crate) level: u8,
}

/// The entries of one line, from left to right, each before those inside of it. Memory is reused from line to line.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) list: Vec<Entry>,
    /// The unescaped texts that hold JSON, by level, one after another.
    pub(crate) embedded: Vec<String>,
}

impl Entries {
    /// The text that an entry's places are counted in.
    pub(crate) fn text_of<'a>(&'a self, line: &'a str, level: u8) -> &'a str {
        match level {
            0 => line,
            level => &self.embedded[usize::from(level) - 1],
        }
    }

    /// An entry's value as it stands.
    pub(crate) fn value<'a>(&'a self, line: &'a str, entry: &Entry) -> &'a str {
        &self.text_of(line, entry.level)[entry.start as usize..entry.end as usize]
    }

    /// An entry's key as it stands, with its quotes.
    pub(crate) fn key<'a>(&'a self, line: &'a str, entry: &Entry) -> &'a str {
        &self.text_of(line, entry.level)[entry.key.0 as usize..entry.key.1 as usize]
    }
}
