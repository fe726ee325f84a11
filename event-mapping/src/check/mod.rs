//! Whether a mapping can do what it says: checked before any source is read.
//!
//! - `fields`: fields that the event's type has, values that they can have, required ones.
//! - `reach`: rules that no line can reach.

mod fields;
mod reach;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::definition::{Definition, Place, Span, Then};
use crate::read::Faults;

/// The longest place, in steps: the walk is as deep.
const MOST_STEPS: usize = 32;
/// The most places below one place, and in all.
const MOST_CHILDREN: usize = 200;
const MOST_PLACES: usize = 4_000;
/// The most rules.
const MOST_RULES: usize = 4_000;

/// Notes whatever is wrong with a definition.
pub(crate) fn check(definition: &Definition, faults: &mut Faults) {
    if definition.rules.is_empty() {
        faults.add(Span::default(), "the mapping has no rules: write at least one [[rule]]");
    }
    if definition.rules.len() > MOST_RULES {
        faults.add(Span::default(), format!("a mapping has at most {MOST_RULES} rules"));
        return;
    }
    places(definition, faults);
    for default in &definition.defaults {
        fields::check_default(default, faults);
    }
    for rule in &definition.rules {
        if let Then::Event(own) = &rule.then {
            fields::check_rule(rule, own, &definition.defaults, faults);
        }
    }
    reach::check(&definition.rules, faults);
}

/// Every place of a definition and where it is named.
fn all_places(definition: &Definition) -> Vec<(&Place, Span)> {
    let mut assignments: Vec<_> = definition.defaults.iter().collect();
    let mut places = Vec::new();
    for rule in &definition.rules {
        places.extend(rule.when.iter().map(|condition| (&condition.at, condition.span)));
        if let Then::Event(own) = &rule.then {
            assignments.extend(own);
        }
    }
    for assignment in assignments {
        places.extend(assignment.value.places().map(|place| (place, assignment.value.span)));
    }
    let input = &definition.input;
    places.extend(input.embedded.iter().chain(&input.each).map(|place| (place, Span::default())));
    places
}

fn places(definition: &Definition, faults: &mut Faults) {
    let places = all_places(definition);
    let mut children: HashMap<(bool, &[String]), Vec<&String>> = HashMap::default();
    let mut selected: Vec<(bool, &[String])> = Vec::new();
    for (place, span) in &places {
        if place.is_around && definition.input.each.is_none() {
            faults.add(
                *span,
                format!("`{place}` is in the line around an element, but `input.each` names no array: leave out `^`"),
            );
        }
        let then = place.selection.as_ref().map_or(0, |selection| selection.then.len());
        if place.steps.len() + then > MOST_STEPS {
            faults.add(*span, format!("`{place}` is too long: a place has at most {MOST_STEPS} steps"));
        }
        for (depth, step) in place.steps.iter().enumerate() {
            let below = children.entry((place.is_around, &place.steps[..depth])).or_default();
            if !below.contains(&step) {
                below.push(step);
            }
            if below.len() == MOST_CHILDREN {
                faults.add(*span, format!("there are more than {MOST_CHILDREN} places beside `{place}`"));
            }
        }
        if place.selection.is_some() {
            selected.push((place.is_around, &place.steps));
        }
    }
    if places.len() > MOST_PLACES {
        faults.add(Span::default(), format!("a mapping has at most {MOST_PLACES} places"));
    }
    let each = definition.input.each.as_ref();
    for (place, span) in &places {
        let is_selected = selected.iter().any(|(is_around, steps)| {
            *is_around == place.is_around
                && place.steps.get(steps.len()).is_some_and(|step| crate::compile::index(step).is_some())
                && place.steps.starts_with(steps)
        });
        if is_selected {
            let message = format!(
                "`{place}` takes an element of an array by its index, another place by `where`: use one"
            );
            faults.add(*span, message);
        }
        let Some(each) = each else { continue };
        let into_elements = (place.is_around
            && place.steps.len() > each.steps.len()
            && place.steps.starts_with(&each.steps)
            && crate::compile::index(&place.steps[each.steps.len()]).is_some())
            || (place.is_around && place.steps == each.steps && place.selection.is_some());
        if into_elements {
            faults.add(
                *span,
                format!("`{place}` is inside of an element of `input.each`: leave out `^{each}/…`"),
            );
        }
    }
}
