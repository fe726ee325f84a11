//! Where in the source a value came from, and what stood there: for messages. All of it is off the fast path.

use event_parser::Violation;

use super::reading::{Reading, Slot, Slots};
use super::{Event, Mapper, Origin};
use crate::compile::{FieldValue, How, Located, Outcome, Program, Properties, Source};
use crate::definition::Place;

/// The most bytes of a value that a message shows.
const SHOWN_BYTES: usize = 80;
/// The most places that a message names.
const MOST_PLACES: usize = 6;

impl Reading<'_> {
    /// The start of a value as it stands, for a message.
    #[cold]
    pub(super) fn shown(&self, entry: u32) -> String {
        let text = self.entries.value(self.line, self.entry(entry));
        let mut end = text.len().min(SHOWN_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut shown: String =
            text[..end].chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        if end < text.len() {
            shown.push('…');
        }
        format!("`{shown}`")
    }
}

impl Event<'_> {
    /// Why a conversion cannot be done.
    #[cold]
    pub(super) fn failure(&self, source: &Source) -> String {
        let stands = stands(self.program, &self.reading, self.slots, source, self.element);
        format!("expected {}, found {stands}", source.how.expected())
    }
}

/// What stands at the places of a source: `"abc" at /properties/revenue`.
fn stands(program: &Program, reading: &Reading<'_>, slots: &Slots, source: &Source, element: u32) -> String {
    let shown = |located: &Located| {
        let place = place_in_line(program, &located.place, element);
        match slots.get(located.slot) {
            Slot::Empty => format!("nothing at {place}"),
            Slot::Twice => format!("more than one value at {place}"),
            Slot::At(entry) => format!("{} at {place}", reading.shown(entry)),
        }
    };
    let places: Vec<&Located> = source.places().collect();
    // The place that was used is the one that tells; all of them only where none was.
    let used = |located: &&&Located| match slots.get(located.slot) {
        Slot::At(entry) => !reading.is_nothing(entry),
        slot => slot == Slot::Twice,
    };
    match (&source.how, places.iter().find(used)) {
        (How::Share(..) | How::IsWhole(..) | How::MadeId(_), _) | (_, None) => {
            places.iter().take(MOST_PLACES).map(|located| shown(located)).collect::<Vec<_>>().join(", ")
        }
        (_, Some(located)) => shown(located),
    }
}

/// A place, counted from the line.
fn place_in_line(program: &Program, place: &Place, element: u32) -> String {
    match &program.each {
        _ if place.is_around => format!("`{}`", place.to_string().trim_start_matches('^')),
        Some(each) => format!("`{}/{element}{place}`", each.place),
        None => format!("`{place}`"),
    }
}

impl Source {
    /// Every place that it looks at.
    fn places(&self) -> impl Iterator<Item = &Located> {
        std::iter::successors(Some(self), |source| source.otherwise.as_deref()).flat_map(|source| {
            let (several, share): (&[Located], _) = match &source.how {
                How::MadeId(of) => (of, None),
                How::Share(of, out_of) | How::IsWhole(of, out_of) => (&[], Some([of, out_of])),
                _ => (&[], None),
            };
            source.at.iter().chain(several).chain(share.into_iter().flatten())
        })
    }

    /// Whether it is the contract's own place for a field, as it stands.
    fn is_own_place(&self, path: &str) -> bool {
        matches!((&self.how, &self.at[..], &self.otherwise), (How::Verbatim, [Located { place, .. }], None)
            if place.selection.is_none() && !place.is_around && place.steps.join(".") == path)
    }
}

impl How {
    /// What it converts, for messages.
    fn expected(&self) -> String {
        match self {
            How::Verbatim | How::Value(_) => "a value".to_owned(),
            How::Text | How::OneOf(_) => "a text, a number, true or false".to_owned(),
            How::Uuid => "a UUID with or without hyphens, in braces, or after `urn:uuid:`".to_owned(),
            How::MadeId(_) => "texts to make an id of".to_owned(),
            How::Epoch(unit) => format!(
                "a number of {} since 1970-01-01T00:00:00Z",
                match unit {
                    crate::definition::EpochUnit::Seconds => "seconds",
                    crate::definition::EpochUnit::Milliseconds => "milliseconds",
                    crate::definition::EpochUnit::Microseconds => "microseconds",
                }
            ),
            How::LocalTime(zone) => format!(
                "a time without an offset, like 2026-03-01T09:30:00, that clocks in {} show",
                zone.iana_name().unwrap_or("this zone")
            ),
            How::Date(None) => "a date or a time, like 2026-03-01".to_owned(),
            How::Date(Some(period)) => {
                format!("a date or a time, like 2026-03-01, to which {period} can be added")
            }
            How::Duration(None) => {
                "an ISO 8601 duration of weeks, days, hours, minutes and seconds, like PT1M30S".to_owned()
            }
            How::Duration(Some(unit)) => {
                format!("a number of {}, or an ISO 8601 duration, like PT1M30S", unit.name())
            }
            How::MinorUnits(digits) => format!(
                "a number of minor units, {digits} digits of which stand after the point, and at most four digits then"
            ),
            How::Share(..) | How::IsWhole(..) => "two numbers".to_owned(),
            How::Lower | How::Upper | How::SnakeCase | How::LastSegment => "a text".to_owned(),
        }
    }
}

impl Mapper {
    /// Adds to a violation of an event what stood in the source, and where.
    #[cold]
    pub(crate) fn explain(&mut self, line: &str, origin: Origin, violation: &mut Violation) {
        let mapping = std::sync::Arc::clone(&self.mapping);
        let program = mapping.program();
        let Some(Outcome::Event(rule)) = program.rules.get(origin.rule as usize).map(|rule| &rule.outcome)
        else {
            return;
        };
        let Ok(body) = self.read(program, line) else { return };
        self.slots.clear(program.trie.slots());
        let reading = Reading { line: body, entries: &self.walker.entries };
        reading.collect(&program.trie, 0, &mut self.slots);
        if let Some(each) = &program.each {
            let Slot::At(array) = self.slots.get(each.slot) else { return };
            let next = |at: &u32| Some(reading.entry(*at).next);
            let element = std::iter::successors(Some(array + 1), next).nth(origin.element as usize);
            let Some(element) = element.filter(|at| *at < reading.entry(array).next) else { return };
            reading.collect(&program.trie, element, &mut self.slots);
        }
        let field = rule.envelope.iter().chain(&rule.payload).find(|field| field.path == violation.field);
        let source = match (field, &rule.properties) {
            (Some(FieldValue { value, path, .. }), _) if !value.is_own_place(path) => {
                stands(program, &reading, &self.slots, value, origin.element)
            }
            (None, Properties::At(located)) if violation.field == "properties" => {
                if located.place.to_string() == "/properties" {
                    return;
                }
                let place = place_in_line(program, &located.place, origin.element);
                match self.slots.get(located.slot) {
                    Slot::At(entry) => format!("{} at {place}", reading.shown(entry)),
                    _ => format!("nothing at {place}"),
                }
            }
            (Some(_), _) => return,
            // The mapping has no place for it.
            (None, _) => {
                if rule.event_type.is_some() {
                    violation.message.push_str("; the mapping gives this field no value");
                }
                return;
            }
        };
        // What failed to be converted has said so itself.
        if source.is_empty() || violation.message.ends_with(&source) {
            return;
        }
        violation.message.push_str("; the source has ");
        violation.message.push_str(&source);
    }
}
