//! Which shape a line may have: told by its event's type and how many tokens it has.

use super::{NONE, Shapes};
use crate::index::IndexedLine;
use crate::span::{self, Span};

/// The most places of the type's name in a line, as a number of tokens, that are looked at.
const MOST_SEATS: usize = 4;
/// Places for first shapes; a power of two, and more than there are shapes.
const PLACES: usize = 2048;

/// Finds shapes by what lines have in common that can be told at a glance.
#[derive(Debug)]
pub(super) struct Dealer {
    /// The numbers of the tokens after which types' names have been seen to stand.
    seats: Vec<u16>,
    /// The first shape of lines alike, by the hash of what they have in common.
    places: Box<[Place; PLACES]>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    hash: u32,
    /// `NONE` where the place is free.
    shape: u32,
}

impl Default for Dealer {
    fn default() -> Dealer {
        Dealer { seats: Vec::new(), places: Box::new([Place { hash: 0, shape: NONE }; PLACES]) }
    }
}

impl Dealer {
    fn clear(&mut self) {
        *self = Dealer::default();
    }

    /// The first shape that a line may have. Nothing is certain before it has been compared.
    #[inline(always)]
    fn shape_of(&self, bytes: &[u8], tokens: &[u32]) -> Option<u32> {
        // A loop, where `find_map` would be a call.
        for seat in &self.seats {
            if let Some(hash) = hash(bytes, tokens, *seat) {
                let place = &self.places[self.place_of(hash)];
                if place.shape != NONE {
                    return Some(place.shape);
                }
            }
        }
        None
    }

    /// The first shape of lines like one whose type's name stands after a token; `shape` from now on, if there is none.
    /// `None` where there is no room.
    pub(super) fn first_or_insert(
        &mut self,
        bytes: &[u8],
        tokens: &[u32],
        seat: u16,
        shape: u32,
    ) -> Option<u32> {
        let hash = hash(bytes, tokens, seat)?;
        if !self.seats.contains(&seat) {
            if self.seats.len() == MOST_SEATS {
                return None;
            }
            self.seats.push(seat);
        }
        let place = self.place_of(hash);
        if self.places[place].shape == NONE {
            self.places[place] = Place { hash: hash as u32, shape };
        }
        Some(self.places[place].shape)
    }

    /// Where a hash is, or could be.
    #[inline(always)]
    fn place_of(&self, hash: u64) -> usize {
        let mut place = (hash >> (u64::BITS - PLACES.ilog2())) as usize;
        while self.places[place].shape != NONE && self.places[place].hash != hash as u32 {
            place = (place + 1) % PLACES;
        }
        place
    }
}

/// A hash of the text after a token, of the token's number, and of how many there are.
#[inline(always)]
fn hash(bytes: &[u8], tokens: &[u32], seat: u16) -> Option<u64> {
    let (start, end) = (tokens.get(usize::from(seat))?, tokens.get(usize::from(seat) + 1)?);
    let text = Span::new(bytes, *start + 1, *end);
    let [first, second] = span::number(text);
    let numbers = (text.len() as u64) << 32 | (tokens.len() as u64) << 16 | u64::from(seat);
    let mixed = (first ^ numbers).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ second;
    Some((mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93))
}

/// Whether lines have had shapes lately.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Luck {
    /// Lines of this window that were tried, and those that fitted.
    tried: u32,
    fitted: u32,
    /// Lines to go that are not tried.
    rest: u32,
    /// Windows without luck, one after another.
    unlucky: u32,
    /// Most lines of the last window fitted.
    pub(super) is_good: bool,
}

/// Lines of a window.
pub(super) const WINDOW: u32 = 1024;
/// Lines that are not tried after a window without luck: its producers write keys in no fixed order. Twice as many
/// after each further one, up to [`MOST_DOUBLINGS`].
pub(super) const REST: u32 = 16 * WINDOW;
const MOST_DOUBLINGS: u32 = 6;

impl Shapes {
    /// Whether lines are worth trying.
    #[inline(always)]
    pub(crate) fn has_luck(&self) -> bool {
        self.luck.rest == 0
    }

    /// Deals a line without control characters to the first shape it may have; answers whether there is one.
    #[inline(always)]
    pub(crate) fn deal(&mut self, bytes: &[u8], tokens: &[u32], line: IndexedLine) -> bool {
        match self.dealer.shape_of(bytes, tokens) {
            Some(shape) => {
                self.wait(shape, line);
                true
            }
            None => false,
        }
    }

    /// Lets a line wait for a shape.
    #[inline(always)]
    pub(super) fn wait(&mut self, shape: u32, line: IndexedLine) {
        let waiting = &mut self.waiting[shape as usize];
        if waiting.is_empty() {
            self.awaited.push(shape);
        }
        waiting.push(line);
    }

    /// Notes how many of a chunk's lines had no shape that is known.
    pub(crate) fn note(&mut self, lines: u32, strangers: u32) {
        if self.luck.rest > 0 {
            self.luck.rest = self.luck.rest.saturating_sub(lines);
            return;
        }
        self.luck.tried += lines;
        self.luck.fitted += lines - strangers;
        if self.luck.tried >= WINDOW {
            self.end_window();
        }
    }

    #[cold]
    fn end_window(&mut self) {
        let Luck { tried, fitted, unlucky, .. } = self.luck;
        self.luck = Luck { is_good: fitted > tried / 16 * 15, ..Luck::default() };
        if fitted < tried / 2 {
            self.luck.rest = REST << unlucky.min(MOST_DOUBLINGS);
            self.luck.unlucky = unlucky + 1;
            self.forget();
        } else if !self.luck.is_good && self.all.len() == super::MOST_SHAPES {
            // Producers have changed: what was learnt of the old ones takes the room of the new.
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.all.clear();
        self.waiting.clear();
        self.learner.forget();
        self.dealer.clear();
    }
}
