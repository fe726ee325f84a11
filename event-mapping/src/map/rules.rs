//! Which rule fits.

use super::reading::{Reading, Slot, Slots};
use super::values::Texts;
use crate::compile::{Program, SlotId};
use crate::definition::Test;

/// The first rule whose conditions all hold.
pub(super) fn first_that_fits(
    program: &Program,
    reading: &Reading<'_>,
    slots: &Slots,
    texts: &mut Texts,
) -> Option<usize> {
    program.rules.iter().position(|rule| {
        rule.tests.iter().all(|(slot, test)| holds(reading, slots, *slot, test, &mut texts.input))
    })
}

fn holds(reading: &Reading<'_>, slots: &Slots, slot: SlotId, test: &Test, buffer: &mut String) -> bool {
    let entry = match slots.get(slot) {
        Slot::At(entry) => entry,
        Slot::Empty => return matches!(test, Test::IsNot(_) | Test::Exists(false)),
        // What stands there twice is nothing that a condition can be sure of.
        Slot::Twice => return false,
    };
    match test {
        Test::Is(values) => values.iter().any(|value| reading.is(entry, value)),
        Test::IsNot(values) => !values.iter().any(|value| reading.is(entry, value)),
        Test::Exists(exists) => *exists != reading.is_nothing(entry),
        Test::StartsWith(_) | Test::EndsWith(_) if !reading.entry(entry).kind.is_string() => false,
        Test::StartsWith(start) => reading.text(entry, buffer).starts_with(start.as_str()),
        Test::EndsWith(end) => reading.text(entry, buffer).ends_with(end.as_str()),
    }
}

/// The most places that a message names.
const MOST_SHOWN: usize = 8;

/// Why no rule took an element: what the conditions saw.
#[cold]
pub(super) fn unmapped(program: &Program, reading: &Reading<'_>, slots: &Slots) -> String {
    let seen: Vec<String> = program
        .condition_places
        .iter()
        .filter_map(|located| match slots.get(located.slot) {
            Slot::Empty => None,
            Slot::Twice => Some(format!("`{}` stands more than once", located.place)),
            Slot::At(entry) => Some(format!("`{}` is {}", located.place, reading.shown(entry))),
        })
        .take(MOST_SHOWN)
        .collect();
    let seen = if seen.is_empty() {
        let places = program.condition_places.iter().map(|located| format!("`{}`", located.place));
        let places: Vec<_> = places.take(MOST_SHOWN).collect();
        format!("nothing stands at {}", places.join(", "))
    } else {
        seen.join(", ")
    };
    format!("expected a line that a rule of the mapping takes, found none: {seen}")
}
