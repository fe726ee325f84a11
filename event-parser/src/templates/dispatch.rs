//! Dispatch: finds the templates that a line may match, by its event type and number of tokens.

use super::{NONE, Templates};
use crate::index::IndexedLine;
use crate::span::{self, Span};

/// The most positions of the event type in a line, as token numbers, that are tried.
const MAX_KEY_POSITIONS: usize = 4;
/// Buckets of the hash table; a power of two, and more than there are templates.
const BUCKETS: usize = 2048;

/// A hash table from event type and number of tokens to the first template.
#[derive(Debug)]
pub(super) struct Dispatcher {
    /// The numbers of the tokens after which event types have been seen.
    key_positions: Vec<u16>,
    buckets: Box<[Bucket; BUCKETS]>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    hash: u32,
    /// `NONE` if the bucket is empty.
    template: u32,
}

impl Default for Dispatcher {
    fn default() -> Dispatcher {
        Dispatcher {
            key_positions: Vec::new(),
            buckets: Box::new([Bucket { hash: 0, template: NONE }; BUCKETS]),
        }
    }
}

impl Dispatcher {
    fn clear(&mut self) {
        *self = Dispatcher::default();
    }

    /// The first template that a line may match. Only the comparison with the template is proof.
    #[inline(always)]
    fn template_of(&self, bytes: &[u8], tokens: &[u32]) -> Option<u32> {
        // A loop: `find_map` would be a call.
        for position in &self.key_positions {
            if let Some(hash) = hash(bytes, tokens, *position) {
                let bucket = &self.buckets[self.bucket_of(hash)];
                if bucket.template != NONE {
                    return Some(bucket.template);
                }
            }
        }
        None
    }

    /// The first template of lines like one whose event type stands after a token; from now on `template`, if there is
    /// none. `None` if there is no room.
    pub(super) fn first_or_insert(
        &mut self,
        bytes: &[u8],
        tokens: &[u32],
        position: u16,
        template: u32,
    ) -> Option<u32> {
        let hash = hash(bytes, tokens, position)?;
        if !self.key_positions.contains(&position) {
            if self.key_positions.len() == MAX_KEY_POSITIONS {
                return None;
            }
            self.key_positions.push(position);
        }
        let bucket = self.bucket_of(hash);
        if self.buckets[bucket].template == NONE {
            self.buckets[bucket] = Bucket { hash: hash as u32, template };
        }
        Some(self.buckets[bucket].template)
    }

    /// The bucket of a hash, or the empty one where it would be.
    #[inline(always)]
    fn bucket_of(&self, hash: u64) -> usize {
        let mut bucket = (hash >> (u64::BITS - BUCKETS.ilog2())) as usize;
        while self.buckets[bucket].template != NONE && self.buckets[bucket].hash != hash as u32 {
            bucket = (bucket + 1) % BUCKETS;
        }
        bucket
    }
}

/// A hash of the string after a token, the token's number, and the number of tokens.
#[inline(always)]
fn hash(bytes: &[u8], tokens: &[u32], position: u16) -> Option<u64> {
    let (start, end) = (tokens.get(usize::from(position))?, tokens.get(usize::from(position) + 1)?);
    let text = Span::new(bytes, *start + 1, *end);
    let [first, second] = span::prefix(text);
    let numbers = (text.len() as u64) << 32 | (tokens.len() as u64) << 16 | u64::from(position);
    let mixed = (first ^ numbers).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ second;
    Some((mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93))
}

/// The share of lines that matched a template lately, and whether matching is suspended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HitRate {
    /// Lines of this window.
    lines: u32,
    /// Lines of this window that matched.
    hits: u32,
    /// Lines to go until matching is tried again.
    back_off: u32,
    /// Windows with too few hits, one after another.
    failed_windows: u32,
    /// Nearly all lines of the last window matched.
    pub(super) is_high: bool,
}

/// Lines of a window.
pub(super) const WINDOW: u32 = 1024;
/// Lines without matching after a window with too few hits: these producers write keys in no fixed order. Doubled after
/// each further such window, at most [`MAX_DOUBLINGS`] times.
pub(super) const BACK_OFF: u32 = 16 * WINDOW;
const MAX_DOUBLINGS: u32 = 6;

impl Templates {
    /// Whether lines are matched with templates at present.
    #[inline(always)]
    pub(crate) fn is_matching(&self) -> bool {
        self.hit_rate.back_off == 0
    }

    /// Makes a line without control characters a candidate of the first template that it may match; returns whether
    /// there is one.
    #[inline(always)]
    pub(crate) fn dispatch(&mut self, bytes: &[u8], tokens: &[u32], line: IndexedLine) -> bool {
        match self.dispatcher.template_of(bytes, tokens) {
            Some(template) => {
                self.add_candidate(template, line);
                true
            }
            None => false,
        }
    }

    /// Adds a line to the candidates of a template.
    #[inline(always)]
    pub(super) fn add_candidate(&mut self, template: u32, line: IndexedLine) {
        let candidates = &mut self.candidates[template as usize];
        if candidates.is_empty() {
            self.pending.push(template);
        }
        candidates.push(line);
    }

    /// Counts a chunk's lines, and those of them that matched no template.
    pub(crate) fn count(&mut self, lines: u32, unmatched: u32) {
        if self.hit_rate.back_off > 0 {
            self.hit_rate.back_off = self.hit_rate.back_off.saturating_sub(lines);
            return;
        }
        self.hit_rate.lines += lines;
        self.hit_rate.hits += lines - unmatched;
        if self.hit_rate.lines >= WINDOW {
            self.end_window();
        }
    }

    #[cold]
    fn end_window(&mut self) {
        let HitRate { lines, hits, failed_windows, .. } = self.hit_rate;
        self.hit_rate = HitRate { is_high: hits > lines / 16 * 15, ..HitRate::default() };
        if hits < lines / 2 {
            self.hit_rate.back_off = BACK_OFF << failed_windows.min(MAX_DOUBLINGS);
            self.hit_rate.failed_windows = failed_windows + 1;
            self.forget();
        } else if !self.hit_rate.is_high && self.all.len() == super::MAX_TEMPLATES {
            // The producers have changed: old templates would take the room of new ones.
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.all.clear();
        self.candidates.clear();
        self.learner.forget();
        self.dispatcher.clear();
    }
}
