//! Damage to a line: bytes and tokens taken out, put in, written over and moved.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What JSON is made of and what disturbs it.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"0",
    b"-",
    b"9",
    b"00",
    b".",
    b"e",
    b"1e5",
    b"1e999",
    b"null",
    b"true",
    b"\"a\":1,",
    b"\"user_id\":\"u\",",
    b"\"amount\":1,",
    b"\\n",
    b"\\\"",
    b"\\/",
    b"\\u",
    b"\\u0041",
    b"\\u0000",
    b"\\ud83d",
    b"\\ude00",
    b"Z",
    b"+03:00",
    b":60",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\xd0",
    b"\xff",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
];

/// One change to a line. Places are relative, so that a mutation fits a line of any length.
#[derive(Debug, Clone)]
pub enum Mutation {
    /// Takes out so many bytes.
    Remove(Index, usize),
    /// Puts a token in.
    Insert(Index, &'static [u8]),
    /// Writes a token over what stands there.
    Overwrite(Index, &'static [u8]),
    /// Copies so many bytes to another place.
    Copy(Index, usize, Index),
    /// Flips a bit of a byte.
    Flip(Index, u8),
    /// Cuts the line off.
    Truncate(Index),
}

/// Any mutation, small ones first.
pub fn any_mutation() -> BoxedStrategy<Mutation> {
    let at = any::<Index>;
    let token = || select(TOKENS);
    prop_oneof![
        3 => (at(), 1..12_usize).prop_map(|(at, bytes)| Mutation::Remove(at, bytes)),
        6 => at().prop_map(|at| Mutation::Remove(at, 1)),
        6 => (at(), token()).prop_map(|(at, token)| Mutation::Insert(at, token)),
        6 => (at(), token()).prop_map(|(at, token)| Mutation::Overwrite(at, token)),
        3 => (at(), 1..40_usize, at()).prop_map(|(from, bytes, to)| Mutation::Copy(from, bytes, to)),
        6 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        1 => at().prop_map(Mutation::Truncate),
    ]
    .boxed()
}

impl Mutation {
    /// Changes the line. An empty one stays as it is.
    pub fn apply(&self, line: &mut Vec<u8>) {
        if line.is_empty() {
            return;
        }
        let length = line.len();
        match self {
            Self::Remove(at, bytes) => {
                let at = at.index(length);
                line.drain(at..length.min(at + bytes));
            }
            Self::Insert(at, token) => {
                let at = at.index(length + 1);
                line.splice(at..at, token.iter().copied());
            }
            Self::Overwrite(at, token) => {
                let at = at.index(length);
                line.splice(at..length.min(at + token.len()), token.iter().copied());
            }
            Self::Copy(from, bytes, to) => {
                let from = from.index(length);
                let copied = line[from..length.min(from + bytes)].to_vec();
                let to = to.index(length + 1);
                line.splice(to..to, copied);
            }
            Self::Flip(at, bit) => line[at.index(length)] ^= 1 << bit,
            Self::Truncate(at) => line.truncate(at.index(length)),
        }
    }
}
