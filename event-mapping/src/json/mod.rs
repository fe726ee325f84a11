//! JSON: a strict walk that keeps the spans of what a mapping looks at, and the writing of texts.
//!
//! The walk accepts exactly what the contract's strict parser accepts (a property test holds them against each other): RFC
//! 8259, at most 128 levels, no lone surrogates, no control characters in strings. It says only *that* a line is refused;
//! the words come from [`event_parser`], whose grammar reads the line again.
//!
//! - `entries`: what the walk leaves behind.
//! - `walk`: the walk, led by the trie of the mapping's places.
//! - `scan`: where strings, numbers and whole values end.
//! - `text`: escapes, read and written.

mod entries;
mod scan;
mod text;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use entries::{Entries, Entry, Kind};
pub(crate) use text::{spells, unescape, write_string};
pub(crate) use walk::Walker;
