//! One line's entries, and where each place of the mapping is among them.

use super::Value;
use crate::compile::{NodeId, SlotId, Trie};
use crate::definition::Constant;
use crate::json::{Entries, Entry, Kind, spells, unescape};

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Nothing.
    Empty,
    /// A key on the way to it stands twice in its object.
    Twice,
    /// The value of this entry.
    At(u32),
}

/// Where each place is, by slot.
#[derive(Debug, Default)]
pub(crate) struct Slots(Vec<u32>);

const EMPTY: u32 = u32::MAX;
const TWICE: u32 = u32::MAX - 1;

impl Slots {
    /// Forgets what it knows.
    pub(super) fn clear(&mut self, count: usize) {
        self.0.clear();
        self.0.resize(count, EMPTY);
    }

    pub(super) fn copy_from(&mut self, other: &Slots) {
        self.0.clone_from(&other.0);
    }

    #[inline]
    pub(crate) fn get(&self, slot: SlotId) -> Slot {
        match self.0[usize::from(slot)] {
            EMPTY => Slot::Empty,
            TWICE => Slot::Twice,
            entry => Slot::At(entry),
        }
    }

    fn fill(&mut self, from: NodeId, to: NodeId, state: u32) {
        self.0[usize::from(from)..usize::from(to)].fill(state);
    }
}

/// A line that was walked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) line: &'a str,
    pub(crate) entries: &'a Entries,
}

impl<'a> Reading<'a> {
    pub(super) fn entry(&self, entry: u32) -> &'a Entry {
        &self.entries.list[entry as usize]
    }

    /// Fills the slots of an entry and of those inside of it, but for the elements of `each`.
    pub(super) fn collect(&self, trie: &Trie, root: u32, slots: &mut Slots) {
        let mut at = root;
        let end = self.entry(root).next;
        while at < end {
            let entry = self.entry(at);
            at += 1;
            let Some(id) = entry.node else { continue };
            let (slot, node) = (&mut slots.0[usize::from(id)], trie.node(id));
            if *slot != EMPTY {
                slots.fill(id, node.end, TWICE);
                at = entry.next;
                continue;
            }
            *slot = at - 1;
            if let (Some(element), Kind::Array) = (node.any_element, entry.kind) {
                if !node.is_each {
                    self.select(trie, id, element, at, entry.next, slots);
                }
                at = entry.next;
            }
        }
    }

    /// Looks for the elements that are selected by their members, among those from an entry on.
    fn select(&self, trie: &Trie, array: NodeId, element: NodeId, first: u32, end: u32, slots: &mut Slots) {
        let mut at = first;
        while at < end {
            self.collect(trie, at, slots);
            for selector in &trie.node(array).selectors {
                let fits = selector.is.iter().all(|(node, value)| match slots.get(*node) {
                    Slot::At(entry) => self.is(entry, value),
                    _ => false,
                });
                if !fits {
                    continue;
                }
                for (node, slot) in &selector.then {
                    // The first element that fits is meant.
                    if slots.0[usize::from(*slot)] == EMPTY {
                        slots.0[usize::from(*slot)] = slots.0[usize::from(*node)];
                    }
                }
            }
            slots.fill(element, trie.node(element).end, EMPTY);
            at = self.entry(at).next;
        }
    }

    /// Whether an entry's value is a constant.
    pub(super) fn is(&self, entry: u32, constant: &Constant) -> bool {
        let entry = self.entry(entry);
        let text = self.entries.value(self.line, entry);
        match (constant, entry.kind) {
            (Constant::Text(expected), Kind::String) => text[1..text.len() - 1] == **expected,
            (Constant::Text(expected), Kind::Escaped) => spells(&text[1..text.len() - 1], expected),
            (Constant::Boolean(expected), Kind::True | Kind::False) => {
                *expected == (entry.kind == Kind::True)
            }
            (Constant::Integer(expected), Kind::Number) => text
                .parse::<i64>()
                .map_or_else(|_| text.parse() == Ok(*expected as f64), |number| number == *expected),
            (Constant::Number(expected), Kind::Number) => text.parse() == Ok(*expected),
            _ => false,
        }
    }

    /// Whether an entry's value is `null` or `""`.
    #[inline]
    pub(super) fn is_nothing(&self, entry: u32) -> bool {
        let entry = self.entry(entry);
        entry.kind == Kind::Null || (entry.kind == Kind::String && entry.end - entry.start == 2)
    }

    /// The text of a string, unescaped: into `buffer`, where it has escapes.
    pub(super) fn text<'t>(&'t self, entry: u32, buffer: &'t mut String) -> &'t str {
        let entry = self.entry(entry);
        let text = self.entries.value(self.line, entry);
        let text = &text[1..text.len() - 1];
        if entry.kind == Kind::String {
            return text;
        }
        buffer.clear();
        unescape(text, buffer);
        buffer
    }

    /// An entry's value; a text with escapes is unescaped into `buffer`.
    pub(super) fn as_it_stands<'t>(&'t self, entry: u32, buffer: &'t mut String) -> Value<'t> {
        let text = self.entries.value(self.line, self.entry(entry));
        match self.entry(entry).kind {
            Kind::Null => Value::Null,
            Kind::True => Value::Boolean(true),
            Kind::False => Value::Boolean(false),
            Kind::Number => Value::Number(text),
            Kind::String | Kind::Escaped | Kind::Embedded => Value::Text(self.text(entry, buffer)),
            Kind::Object => Value::Object(text),
            Kind::Array => Value::Array(text),
        }
    }
}
