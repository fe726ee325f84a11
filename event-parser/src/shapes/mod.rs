//! The short cut through stage 2: lines that have the shape of lines that were walked before.
//!
//! Producers write keys in a fixed order with fixed blanks. Take a line's values out, all but its event's type, and what
//! is left are *literals* that were there before, like `","user_id":"`. They make a [`Shape`]:
//!
//! ```text
//!  {"event_id":"⟨text⟩","event_type":"app_opened","user_id":"⟨text⟩", … ,"properties":{"load_ms":⟨scalar⟩}}⏎
//! ```
//!
//! Each literal holds a token of the index, and so do the same literals of every line of the shape, at the same number
//! among the line's tokens. So all places in a line follow from its tokens alone: whether it has a shape is a number of
//! comparisons, none of which waits for another, and no value is looked at but numbers, booleans and nulls, which have
//! to be JSON. Where all fit, the line is JSON of the shape's structure, its keys are the shape's, and each of its
//! values belongs into the slot that it had there.
//!
//! A chunk's lines are first dealt to the shapes (`deal`), by their event's type and their number of tokens; then each
//! shape's lines are compared with it in one go (`fit`), so that the processor does the same thing again and again, and
//! where their values stand is written into a [sheet](crate::sheet). A line that does not fit goes to the next shape of
//! the same type and number of tokens, and in the end to the walk, from which new shapes are learnt (`learn`).

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

mod deal;
mod fit;
mod learn;
mod literal;

#[cfg(test)]
mod tests;

use crate::index::IndexedLine;
use crate::walk::Known;
use literal::Literal;

/// The most shapes that are kept.
const MOST_SHAPES: usize = 1024;
/// The most shapes of the same type of event and number of tokens.
const MOST_ALIKE: usize = 8;
/// No shape has this number.
const NONE: u32 = u32::MAX;

/// The shapes that have been learnt of a source's lines.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    all: Vec<Shape>,
    dealer: deal::Dealer,
    learner: learn::Learner,
    luck: deal::Luck,
    /// Lines of the chunk that may be of a shape, for each.
    waiting: Vec<Vec<IndexedLine>>,
    /// The shapes that lines wait for.
    awaited: Vec<u32>,
    /// Lines that do not fit the shape they were compared with.
    misfits: Vec<IndexedLine>,
}

/// What lines have in common.
#[derive(Debug)]
struct Shape {
    frame: Frame,
    /// The shape to be tried where this one does not fit.
    next: u32,
}

/// A line without its values.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    /// The payload that the event's type asks for.
    known: Option<Known>,
    /// How many tokens the line has.
    tokens: usize,
    /// Where the first of them stands, counted from the line's start.
    first_token: u32,
    literals: Vec<Literal>,
    /// What stands in the slots.
    texts: Vec<Text>,
    others: Vec<Other>,
    /// Numbers, booleans and nulls, asked for or not.
    scalars: Vec<(Anchor, Anchor)>,
    /// Members that nobody knows.
    unknown: Vec<Member>,
}

/// A place that is the same number of bytes before or after a token in every line of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Anchor {
    /// The token's number among those of the line.
    token: u16,
    offset: i16,
}

impl Anchor {
    /// The place in a line of these tokens.
    #[inline(always)]
    fn of(self, tokens: &[u32]) -> u32 {
        tokens[usize::from(self.token)].wrapping_add_signed(self.offset.into())
    }
}

/// A string that stands in a slot of all lines of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Text {
    slot: u8,
    /// The number of its opening quote among the line's tokens; its closing quote is the next.
    quote: u16,
}

impl Text {
    /// Where its quotes are in a line of these tokens.
    #[inline(always)]
    fn quotes(self, tokens: &[u32]) -> [u32; 2] {
        let quote = usize::from(self.quote);
        *tokens[quote..quote + 2].first_chunk().expect("these are two")
    }
}

/// Another value that stands in a slot of all lines of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Other {
    slot: u8,
    start: Anchor,
    end: Anchor,
}

/// A member that the contract does not know.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    in_payload: bool,
    key: (Anchor, Anchor),
    value: (Anchor, Anchor),
}
