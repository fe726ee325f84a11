//! Tests of a day's walk that need its inside.

use super::*;

fn generator(users: u64) -> Generator {
    let plan = Plan { reject_share: 0.05, ..Plan::new("2026-03-01".parse().expect("a date"), 5, users) };
    Generator::new(plan).expect("a plan that can be carried out")
}

#[test]
fn a_day_that_is_walked_in_spans_has_the_same_lines() {
    let generator = generator(400);
    let date = "2026-03-04".parse().expect("a date");
    let (mut whole, mut walked) = (Vec::new(), Vec::new());
    let stats = generator.write_day(date, 0, 1, &mut whole).expect("memory takes all");
    assert_eq!(generator.write_in_spans(date, 0, 1, 7, &mut walked).expect("memory takes all"), stats);
    assert!(whole == walked);
}

#[test]
fn the_bytes_are_the_same_on_every_machine() {
    let mut lines = Vec::new();
    generator(300)
        .write_day("2026-03-04".parse().expect("a date"), 0, 1, &mut lines)
        .expect("memory takes all");
    let digest = lines.iter().fold(0, |digest, byte| crate::draw::mix(digest ^ u64::from(*byte)));
    // A change of the model changes this number: then it is right to write the new one here.
    assert_eq!(format!("{digest:016x}"), "ada64987d35bbb43");
}

#[test]
fn a_span_keeps_only_its_own_visits() {
    let generator = generator(3000);
    let writer = DayWriter {
        plan: generator.plan(),
        date: "2026-03-03".parse().expect("a date"),
        day: Day::from("2026-03-03".parse::<Date>().expect("a date").days()),
        users: (0, 1),
        spoilt_per_good: 0.0,
        out: &mut io::sink(),
        buffer: Vec::new(),
        compact: Compact::default(),
        stats: DayStats::new(Date::MIN),
    };
    let (mut entries, mut in_an_hour) = (Vec::new(), Vec::new());
    writer.enter(3000, 0..DAY_MS, &mut entries);
    writer.enter(3000, 18 * 3_600_000..19 * 3_600_000, &mut in_an_hour);
    assert!(entries.len() > 500, "{}", entries.len());
    assert!(in_an_hour.len() < entries.len() / 6, "{} of {}", in_an_hour.len(), entries.len());
}
