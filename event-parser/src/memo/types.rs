//! The types of events that have been seen, each with the first edge of its payload.

use super::NONE;
use crate::arch::Simd;
use crate::walk::{Known, Slot};

/// The longest name of a type that is remembered.
const NAME_BYTES: usize = 32;
/// Places for types; a power of two. At most half of them are filled.
const PLACES: usize = 128;

/// A table of types by name.
#[derive(Debug)]
pub(super) struct Types {
    places: Box<[Type; PLACES]>,
    count: usize,
}

/// A type of event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    name: [u8; NAME_BYTES],
    /// A bit for each byte of the name; 0 where the place is free.
    mask: u32,
    pub(super) known: Option<Known>,
    /// The first edge of its payload.
    pub(super) first_edge: u32,
}

impl Default for Types {
    fn default() -> Types {
        let free = Type { name: [0; NAME_BYTES], mask: 0, known: None, first_edge: NONE };
        Types { places: Box::new([free; PLACES]), count: 0 }
    }
}

impl Types {
    pub(super) fn clear(&mut self) {
        *self = Types::default();
    }

    /// The type whose name stands in a slot of some bytes.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&self, simd: S, bytes: &[u8], slot: Slot) -> Option<&Type> {
        let (start, length) = (slot.start as usize, (slot.end - slot.start) as usize);
        let name: &[u8; NAME_BYTES] = bytes[start..].first_chunk()?;
        let mask = mask(length)?;
        let mut place = first_place(name, length);
        loop {
            let found = &self.places[place];
            if found.mask == mask && simd.differing(name, &found.name) & mask == 0 {
                return Some(found);
            }
            if found.mask == 0 {
                return None;
            }
            place = (place + 1) % PLACES;
        }
    }

    /// The place of a type, which is put into the table if it is not there and there is room.
    pub(super) fn find_or_insert(&mut self, text: &[u8], known: Option<Known>) -> Option<usize> {
        let mask = mask(text.len())?;
        let mut name = [0; NAME_BYTES];
        name[..text.len()].copy_from_slice(text);
        let mut place = first_place(&name, text.len());
        while self.places[place].mask != 0
            && (self.places[place].mask != mask || self.places[place].name != name)
        {
            place = (place + 1) % PLACES;
        }
        if self.places[place].mask == 0 {
            if self.count == PLACES / 2 {
                return None;
            }
            self.count += 1;
            self.places[place] = Type { name, mask, known, first_edge: NONE };
        }
        Some(place)
    }

    pub(super) fn at(&mut self, place: usize) -> &mut Type {
        &mut self.places[place]
    }
}

/// A bit for each byte of a name; `None` for one that is empty or too long.
#[inline(always)]
fn mask(length: usize) -> Option<u32> {
    (1..=NAME_BYTES).contains(&length).then(|| u32::MAX >> (NAME_BYTES - length))
}

/// Where the search for a name begins. Bytes past the name's end do not count.
#[inline(always)]
fn first_place(name: &[u8; NAME_BYTES], length: usize) -> usize {
    let word = u64::from_le_bytes(*name.first_chunk().expect("8 are less than 32"));
    let start = word << (8 * 8_usize.saturating_sub(length));
    let hash = (start ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> (u64::BITS - PLACES.ilog2())) as usize
}
