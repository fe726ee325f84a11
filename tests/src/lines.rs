//! Generates event lines and whole files for property tests.
//!
//! Most generated lines are good events of every type, written in every way that JSON allows; the rest
//! break some rule of the contract. What a line is worth is not known here: ask the [`reference`].
//!
//! Building a strategy costs more than drawing from it: build one a test.
//!
//! [`reference`]: crate::reference

mod event;
mod json;
mod mutation;
#[cfg(test)]
mod tests;

use proptest::collection::vec;
use proptest::prelude::*;

pub use mutation::{Mutation, any_mutation};

/// A limit of the line's length that some of the generated lines break. (The contract's own, 1 MiB, would
/// make them slow to generate.)
pub const SHORT_LINE_LIMIT: usize = 8 << 10;

/// A line without its ending: mostly a good event, sometimes one that breaks a rule or two, rarely
/// something else. Fit for the batch date 2026-01-01 and a line limit of [`SHORT_LINE_LIMIT`].
pub fn any_line() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        30 => event::any_event().prop_map(String::into_bytes),
        1 => other_line(),
    ]
    .boxed()
}

/// A generated line with one to four [`Mutation`]s. It may hold a `\n` and so be two lines.
pub fn mutated_line() -> BoxedStrategy<Vec<u8>> {
    let mutations = prop_oneof![3 => vec(any_mutation(), 1), 1 => vec(any_mutation(), 2..5)];
    (any_line(), mutations)
        .prop_map(|(mut line, mutations)| {
            for mutation in mutations {
                mutation.apply(&mut line);
            }
            line
        })
        .boxed()
}

/// A source of up to 24 lines: whole, mutated and blank ones with mixed endings, the last one with or
/// without its own, a byte-order mark before them or not.
pub fn any_file() -> BoxedStrategy<Vec<u8>> {
    let line = prop_oneof![
        6 => any_line(),
        2 => mutated_line(),
        2 => "[ \t\r]{0,6}".prop_map(String::into_bytes),
        1 => Just(b"\xef\xbb\xbf{}".to_vec()),
    ];
    let ending = prop_oneof![6 => Just("\n"), 3 => Just("\r\n"), 1 => Just("\r\r\n"), 1 => Just("\n\n")];
    let lines = vec((line, ending), 0..=24);
    (prop::bool::weighted(0.2), lines, prop::bool::weighted(0.4))
        .prop_map(|(mark, lines, open_end)| {
            let mut source = if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
            let mut last_ending = 0;
            for (line, ending) in lines {
                source.extend_from_slice(&line);
                source.extend_from_slice(ending.as_bytes());
                last_ending = ending.len();
            }
            if open_end && last_ending > 0 {
                // "\r\n" leaves its "\r" to the line.
                source.pop();
            }
            source
        })
        .boxed()
}

/// A line that is no event: another JSON value, JSON broken off, nothing, bytes, or a very long line.
fn other_line() -> BoxedStrategy<Vec<u8>> {
    let text = prop_oneof![
        3 => json::any_value(),
        1 => event::any_event().prop_map(|event| {
            let half = event.char_indices().nth(event.chars().count() / 2).map_or(0, |(at, _)| at);
            event[..half].to_owned()
        }),
        1 => "[ \t\r]{0,5}".boxed(),
        1 => event::any_event().prop_map(|event| format!("{event}{}", " ".repeat(SHORT_LINE_LIMIT))),
        1 => (120..140_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
        1 => (126..132_usize).prop_map(|depth| "{\"a\":".repeat(depth)),
    ];
    prop_oneof![
        6 => text.prop_map(String::into_bytes),
        1 => vec(any::<u8>().prop_filter("a line", |byte| *byte != b'\n'), 0..40),
        2 => (event::any_event(), any::<prop::sample::Index>(), 0x80..=0xff_u8).prop_map(|(event, at, byte)| {
            let mut line = event.into_bytes();
            line.insert(at.index(line.len()), byte);
            line
        }),
    ]
    .boxed()
}
