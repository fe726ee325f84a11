//! What no field took of an element: kept under the names it has in the source, in the source's order.
//!
//! A member from which some field took a part is kept without that part; arrays are kept whole. A name that the contract
//! uses itself would be read as the contract's: such members are kept inside of `_source`. Members of the line around an
//! element are kept inside of `_line`.

use super::{Event, Sink};
use crate::compile::{Fixed, How, NodeId};
use crate::json::{Kind, spells};

/// The key of members whose names are the contract's.
const CLASHES: &str = "\"_source\"";
/// The key of the members of the line around an element.
const AROUND: &str = "\"_line\"";

/// What is kept of a member.
enum Kept {
    Nothing,
    /// All of it, as it stands.
    Whole,
    /// The object of this entry, without what was taken from it.
    Parts(u32),
}

impl Event<'_> {
    /// Keeps what no field took, of the payload's object and of the element.
    pub(super) fn keep_rest(&mut self, payload: Option<u32>, sink: &mut impl Sink) {
        let (rule, program) = (self.rule, self.program);
        if let Some(payload) = payload {
            self.keep_members(payload, true, &rule.payload_names, sink);
        }
        if payload != Some(self.root) && !self.is_taken(self.root) {
            self.keep_members(self.root, false, &program.envelope_names, sink);
        }
        self.keep_around(sink);
    }

    /// Keeps the members of the line around the element.
    pub(super) fn keep_around(&mut self, sink: &mut impl Sink) {
        if self.root == 0 || self.reading.entry(0).kind != Kind::Object || self.is_taken(0) {
            return;
        }
        let mut kept = std::mem::take(&mut self.texts.kept);
        kept.clear();
        if self.write_object(0, &mut kept) {
            sink.keep(false, AROUND, &kept);
        }
        self.texts.kept = kept;
    }

    /// Keeps members of an object one by one; `names` are the nodes of those whose names are the contract's.
    fn keep_members(&mut self, object: u32, in_payload: bool, names: &[NodeId], sink: &mut impl Sink) {
        let mut kept = std::mem::take(&mut self.texts.kept);
        let mut clashes = std::mem::take(&mut self.texts.clashes);
        clashes.clear();
        for member in self.members(object) {
            kept.clear();
            let value = match self.kept_of(member) {
                Kept::Whole => self.reading.entries.value(self.reading.line, self.reading.entry(member)),
                Kept::Parts(inner) if self.write_object(inner, &mut kept) => &kept,
                Kept::Nothing | Kept::Parts(_) => continue,
            };
            let entry = self.reading.entry(member);
            let key = self.reading.entries.key(self.reading.line, entry);
            if entry.node.is_some_and(|node| names.contains(&node)) {
                if self.is_given(key, member, in_payload) {
                    continue;
                }
                clashes.push(if clashes.is_empty() { '{' } else { ',' });
                clashes.extend([key, ":", value]);
            } else {
                sink.keep(in_payload, key, value);
            }
        }
        if !clashes.is_empty() {
            clashes.push('}');
            sink.keep(in_payload, CLASHES, &clashes);
        }
        self.texts.kept = kept;
        self.texts.clashes = clashes;
    }

    /// Whether the field of a key has the very value of a member, which the mapping says itself: it is not kept twice.
    fn is_given(&self, key: &str, member: u32, in_payload: bool) -> bool {
        let fields = if in_payload { &self.rule.payload } else { &self.rule.envelope };
        fields.iter().any(|field| match &field.value.how {
            How::Value(value) => {
                spells(&key[1..key.len() - 1], field.field.name) && self.stands(member, value)
            }
            _ => false,
        })
    }

    /// Whether a value is what stands in an entry.
    fn stands(&self, entry: u32, value: &Fixed) -> bool {
        let text = self.reading.entries.value(self.reading.line, self.reading.entry(entry));
        match (value, self.reading.entry(entry).kind) {
            (Fixed::Text(value), Kind::String | Kind::Escaped) => spells(&text[1..text.len() - 1], value),
            (Fixed::Number(value), Kind::Number) => text == value,
            (Fixed::Boolean(value), Kind::True | Kind::False) => *value == (text == "true"),
            _ => false,
        }
    }

    /// Writes what is kept of an object. Answers whether that is anything; an empty object is kept as such.
    pub(super) fn write_object(&self, object: u32, out: &mut String) -> bool {
        let (start, mut is_first, mut had_members) = (out.len(), true, false);
        out.push('{');
        for member in self.members(object) {
            had_members = true;
            let before = out.len();
            if !is_first {
                out.push(',');
            }
            let key = self.reading.entries.key(self.reading.line, self.reading.entry(member));
            out.extend([key, ":"]);
            let is_kept = match self.kept_of(member) {
                Kept::Nothing => false,
                Kept::Whole => {
                    out.push_str(self.reading.entries.value(self.reading.line, self.reading.entry(member)));
                    true
                }
                Kept::Parts(inner) => self.write_object(inner, out),
            };
            if is_kept {
                is_first = false;
            } else {
                out.truncate(before);
            }
        }
        out.push('}');
        if is_first && had_members {
            out.truncate(start);
        }
        !is_first || !had_members
    }

    /// The entries of an object's members.
    fn members(&self, object: u32) -> impl Iterator<Item = u32> + use<'_> {
        let end = self.reading.entry(object).next;
        let next = move |member: u32| Some(member).filter(|member| *member < end);
        std::iter::successors(next(object + 1), move |member| next(self.reading.entry(*member).next))
    }

    fn kept_of(&self, member: u32) -> Kept {
        let entry = self.reading.entry(member);
        if self.is_taken(member) {
            return Kept::Nothing;
        }
        if !(member + 1..entry.next).any(|inside| self.is_taken(inside)) {
            return Kept::Whole;
        }
        match entry.kind {
            Kind::Object => Kept::Parts(member),
            // What the text holds is the entry after it.
            Kind::Embedded if self.is_taken(member + 1) => Kept::Nothing,
            Kind::Embedded if self.reading.entry(member + 1).kind == Kind::Object => Kept::Parts(member + 1),
            _ => Kept::Whole,
        }
    }
}
