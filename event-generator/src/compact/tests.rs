//! The fast spelling against the typed events, whole days long.

use super::*;
use crate::fact::Kind;
use crate::person::Person;
use crate::plan::Plan;
use crate::typed;
use crate::visit::{self, Delivery, Slots};

#[test]
fn compact_lines_are_those_of_the_typed_events() {
    let plan = Plan::new("2026-03-01".parse().expect("a date"), 5, 2000);
    let mut compact = Compact::default();
    let mut seen = [0; 2];
    for day in [20_513, 20_514, 20_540] {
        for user in 0..2000 {
            let Some(person) = Person::alive(&plan, user, day, day).filter(|person| person.is_active(day))
            else {
                continue;
            };
            let (mut slots, mut facts) = (Slots::default(), Vec::new());
            visit::tell(&plan, &person, day, 0, Delivery::Live, &mut slots, &mut facts);
            for fact in &facts {
                let visit = slots.get(fact.slot);
                let mut line = Vec::new();
                match fact.kind {
                    Kind::Plain(own) => compact.plain(&mut line, fact, visit, own),
                    Kind::Task(task) => compact.task(&mut line, fact, visit, task),
                    _ => continue,
                }
                seen[usize::from(matches!(fact.kind, Kind::Task(_)))] += 1;
                let line = String::from_utf8(line).expect("a line is UTF-8");
                assert_eq!(line, typed::event(fact, visit).to_line());
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 2000), "{seen:?}");
}

#[test]
fn hundredths_are_spelt_as_floats() {
    for number in 0..=300 {
        let mut out = Vec::new();
        push_hundredths(&mut out, number);
        let float = serde_json::to_string(&(f64::from(number) / 100.0)).expect("a float serialises");
        assert_eq!(String::from_utf8(out).expect("digits"), float);
    }
}
