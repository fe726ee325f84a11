//! Damage to a line: bytes and tokens taken out, put in, written over and moved.

use fastrand::Rng;
use proptest::prelude::*;

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

/// A place in a line as a share of its length, so that it fits a line of any length.
#[derive(Debug, Clone, Copy)]
pub struct Place(u32);

impl Place {
    fn draw(rng: &mut Rng) -> Place {
        Place(rng.u32(..))
    }

    /// An index below `length`, which is not 0.
    fn of(self, length: usize) -> usize {
        ((u64::from(self.0) * length as u64) >> 32) as usize
    }
}

/// One change to a line.
#[derive(Debug, Clone)]
pub enum Mutation {
    /// Takes out so many bytes.
    Remove(Place, usize),
    /// Puts a token in.
    Insert(Place, &'static [u8]),
    /// Writes a token over what stands there.
    Overwrite(Place, &'static [u8]),
    /// Copies so many bytes to another place.
    Copy(Place, usize, Place),
    /// Flips a bit of a byte.
    Flip(Place, u8),
    /// Cuts the line off.
    Truncate(Place),
}

/// Any mutation, small ones first.
pub fn any_mutation() -> BoxedStrategy<Mutation> {
    any::<u64>().prop_map(|seed| Mutation::draw(&mut Rng::with_seed(seed))).boxed()
}

impl Mutation {
    /// Draws a mutation.
    pub fn draw(rng: &mut Rng) -> Mutation {
        let at = Place::draw(rng);
        match rng.u8(..31) {
            0..3 => Mutation::Remove(at, rng.usize(1..12)),
            3..9 => Mutation::Remove(at, 1),
            9..15 => Mutation::Insert(at, TOKENS[rng.usize(..TOKENS.len())]),
            15..21 => Mutation::Overwrite(at, TOKENS[rng.usize(..TOKENS.len())]),
            21..24 => Mutation::Copy(at, rng.usize(1..40), Place::draw(rng)),
            24..30 => Mutation::Flip(at, rng.u8(..8)),
            _ => Mutation::Truncate(at),
        }
    }

    /// Changes the line. An empty one stays as it is.
    pub fn apply(&self, line: &mut Vec<u8>) {
        if line.is_empty() {
            return;
        }
        let length = line.len();
        match self {
            Self::Remove(at, bytes) => {
                let at = at.of(length);
                line.drain(at..length.min(at + bytes));
            }
            Self::Insert(at, token) => {
                let at = at.of(length + 1);
                line.splice(at..at, token.iter().copied());
            }
            Self::Overwrite(at, token) => {
                let at = at.of(length);
                line.splice(at..length.min(at + token.len()), token.iter().copied());
            }
            Self::Copy(from, bytes, to) => {
                let from = from.of(length);
                let copied = line[from..length.min(from + bytes)].to_vec();
                let to = to.of(length + 1);
                line.splice(to..to, copied);
            }
            Self::Flip(at, bit) => line[at.of(length)] ^= 1 << bit,
            Self::Truncate(at) => line.truncate(at.of(length)),
        }
    }
}
