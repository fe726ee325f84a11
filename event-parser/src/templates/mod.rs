//! Templates: the fast path for lines that have the structure of lines read before.
//!
//! Producers write keys in a fixed order with fixed blanks. Without its values, except for its event type, a line is a
//! list of *literals*, like `","user_id":"`, that many lines share. They are a [`Template`]:
//!
//! ```text
//!  {"event_id":"⟨string⟩","event_type":"app_opened","user_id":"⟨string⟩", … ,"properties":{"load_ms":⟨scalar⟩}}⏎
//! ```
//!
//! Each literal contains a token of the index, at the same number among the line's tokens in every line of the template. So
//! all positions in a line follow from its tokens: to match a line is a number of comparisons that do not depend on each
//! other, and no value is looked at except numbers, booleans and nulls, which have to be JSON. If all match, the line is
//! JSON of the template's structure, its keys are the template's, and its values belong to the same slots.
//!
//! - [`dispatch`] finds the first template that a line may match, by its event type and number of tokens.
//! - [`matching`] compares all lines of a template with it in one loop, and writes their value spans into a
//!   [column batch](crate::column_batch). A line that does not match tries the next template of the same event type and
//!   number of tokens, and in the end is an unmatched line, which is read by [`crate::reader`].
//! - [`learn`] makes templates from unmatched lines.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

mod dispatch;
mod learn;
mod literal;
mod matching;

#[cfg(test)]
mod tests;

use crate::index::IndexedLine;
use crate::payload_kind::PayloadKind;
use literal::Literal;

/// The most templates that are kept.
const MAX_TEMPLATES: usize = 1024;
/// The most templates of the same event type and number of tokens.
const MAX_ALTERNATIVES: usize = 8;
/// No template has this number.
const NONE: u32 = u32::MAX;

/// The templates that have been learnt from a source's lines.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    all: Vec<Entry>,
    dispatcher: dispatch::Dispatcher,
    learner: learn::Learner,
    hit_rate: dispatch::HitRate,
    /// For each template, lines of the chunk that may match it.
    candidates: Vec<Vec<IndexedLine>>,
    /// The templates that have candidates.
    pending: Vec<u32>,
    /// Lines that do not match the template they were compared with.
    mismatches: Vec<IndexedLine>,
}

/// A template in its list of alternatives.
#[derive(Debug)]
struct Entry {
    template: Template,
    /// The template to try if this one does not match.
    next: u32,
}

/// A line without its values.
#[derive(Debug, PartialEq, Eq)]
struct Template {
    /// The payload that the event's type asks for.
    kind: Option<PayloadKind>,
    /// The number of tokens of the line.
    tokens: usize,
    /// The position of the first of them, counted from the line's start.
    first_token: u32,
    literals: Vec<Literal>,
    /// The strings that belong to slots.
    strings: Vec<StringValue>,
    /// The other values that belong to slots.
    others: Vec<OtherValue>,
    /// Numbers, booleans and nulls, whether they belong to slots or not.
    scalars: Vec<(Anchor, Anchor)>,
    unknown: Vec<UnknownPosition>,
}

/// A position that is the same number of bytes before or after a token in every line of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Anchor {
    /// The token's number among those of the line.
    token: u16,
    offset: i16,
}

impl Anchor {
    /// The position in a line with these tokens.
    #[inline(always)]
    fn of(self, tokens: &[u32]) -> u32 {
        tokens[usize::from(self.token)].wrapping_add_signed(self.offset.into())
    }
}

/// A string that belongs to a slot in all lines of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StringValue {
    slot: u8,
    /// The number of its opening quote among the line's tokens; its closing quote is the next token.
    quote: u16,
}

impl StringValue {
    /// The positions of its quotes in a line with these tokens.
    #[inline(always)]
    fn quotes(self, tokens: &[u32]) -> [u32; 2] {
        let quote = usize::from(self.quote);
        *tokens[quote..quote + 2].first_chunk().expect("these are two")
    }
}

/// Another value that belongs to a slot in all lines of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OtherValue {
    slot: u8,
    start: Anchor,
    end: Anchor,
}

/// A member that the contract does not know.
#[derive(Debug, PartialEq, Eq)]
struct UnknownPosition {
    in_payload: bool,
    key: (Anchor, Anchor),
    value: (Anchor, Anchor),
}
