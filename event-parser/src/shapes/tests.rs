//! Fitting against walking: whatever has a shape leaves what the walk leaves.

use proptest::prelude::*;

use super::deal::{REST, WINDOW};
use super::*;
use crate::arch::Backend;
use crate::index::Index;
use crate::rows::{Origin, text_end};
use crate::sheet::Sheets;
use crate::walk::{self, Known, Line, Members, NOWHERE, Names, Row, Shelf, Slot, Unknown};

/// A row without what one way of reading notes and the other does not.
type Read = ([Slot; NOWHERE], Option<Known>, bool, Vec<Unknown>, walk::Place);

const ORIGIN: Origin = Origin { first_line: 1, byte_offset: 0 };

/// Deals and fits the lines of a chunk; answers what was read of those that have a shape.
fn fit(backend: Backend, shapes: &mut Shapes, bytes: &[u8], index: &Index, length: usize) -> Vec<Read> {
    let (mut strangers, mut sheets, mut shelf) = (Vec::new(), Sheets::default(), Shelf::default());
    let mut dealt = 0;
    for line in index.lines(length) {
        if is_simple(bytes, index, &line) && shapes.deal(bytes, index.tokens(&line), line) {
            dealt += 1;
        }
    }
    shapes.fit(backend, (bytes, index), &mut strangers, &mut sheets, &mut shelf.unknown);
    let mut read = Vec::new();
    for known in Known::all_and_none() {
        read.extend(sheets.of(known).iter().map(|cells| {
            let row = cells.to_row(bytes, known, ORIGIN);
            read_of(&row, shelf.unknown(&row))
        }));
    }
    assert_eq!(read.len() + strangers.len(), dealt, "every line has one place");
    read.sort_by_key(|read| read.4.number);
    read
}

/// Whether a line is one that may be dealt.
fn is_simple(bytes: &[u8], index: &Index, line: &IndexedLine) -> bool {
    line.has_newline && index.odd(line).iter().all(|at| bytes[*at as usize] == b'\\')
}

fn read_of(row: &Row, unknown: &[Unknown]) -> Read {
    let slots = *row.slots.first_chunk().expect("a row has one slot more");
    (slots, row.known, row.has_payload, unknown.to_vec(), row.place)
}

/// Walks the lines of a chunk; what was read of each that is an event.
fn walk_all(
    bytes: &[u8],
    index: &Index,
    length: usize,
    mut then: impl FnMut(&IndexedLine, Line<'_>, &Row, &[Unknown]),
) -> Vec<Read> {
    let (names, mut members) = (Names::default(), Members::default());
    let mut all = Vec::new();
    for indexed in index.lines(length).filter(|line| is_simple(bytes, index, line)) {
        let (start, end) = (indexed.start as usize, text_end(bytes, &indexed));
        let line = Line { bytes, start, end: end as usize, quotes: index.quotes(&indexed) };
        let place = ORIGIN.place(indexed.number, indexed.start, end);
        let (mut row, mut shelf) = (Row { place, ..Row::default() }, Shelf::default());
        if walk::leaping(line, index.odd(&indexed), &names, &mut members, &mut row, &mut shelf).is_some() {
            then(&indexed, line, &row, shelf.unknown(&row));
            all.push(read_of(&row, shelf.unknown(&row)));
        }
    }
    all
}

fn indexed(lines: &[String]) -> (Vec<u8>, usize, Index) {
    let mut chunk = lines.join("\n").into_bytes();
    chunk.push(b'\n');
    let mut index = Index::default();
    index.build(Backend::default(), &chunk, chunk.len());
    let length = chunk.len();
    // Bytes of the next chunk.
    chunk.extend([b'"'; 64]);
    (chunk, length, index)
}

/// Learns lines, each of them twice, and fits others; how many of those had a shape.
fn compare(learnt: &[String], others: &[String]) -> usize {
    let mut shapes = Shapes::default();
    let (bytes, length, index) = indexed(learnt);
    for _ in 0..2 {
        walk_all(&bytes, &index, length, |indexed, line, row, unknown| {
            shapes.learn(line, index.tokens(indexed), row, unknown);
        });
    }
    let (bytes, length, index) = indexed(others);
    let walked = walk_all(&bytes, &index, length, |_, _, _, _| {});
    let mut count = 0;
    for backend in Backend::available() {
        let fitted = fit(backend, &mut shapes, &bytes, &index, length);
        count = fitted.len();
        for read in fitted {
            let line = &others[read.4.number as usize - 1];
            assert!(walked.contains(&read), "{backend:?}: {line}: {read:?} was not walked: {walked:?}");
        }
    }
    count
}

fn scalar() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just(r#""""#.to_owned()),
        "\"[a-z ]{0,40}\"",
        Just(r#""\"\\""#.to_owned()),
        Just(r#""\u0441\ud83d\ude00""#.to_owned()),
        Just(r#""\ud83d""#.to_owned()),
    ];
    prop_oneof![
        4 => text,
        2 => "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?",
        1 => prop_oneof![Just("true"), Just("false"), Just("null"), Just("1e5"), Just("01"), Just("1."), Just("-")]
            .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => scalar(),
        1 => Just("{}".to_owned()),
        1 => Just("[ ]".to_owned()),
        1 => prop::collection::vec(scalar(), 1..4).prop_map(|items| format!("[{}]", items.join(", "))),
        1 => (scalar(), scalar()).prop_map(|(one, other)| format!("{{\"a\":{one},\"user_id\":{{\"b\": {other}}}}}")),
    ]
}

fn members(keys: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec((prop::sample::select(keys), value()), 0..5)
        .prop_map(|members| members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect())
}

const LONG_KEY: &str = "a_key_that_is_longer_than_what_one_comparison_can_tell_and_then_some_more_of_it";

prop_compose! {
    /// A line of the keys in `order`, in one of two styles.
    fn line()(
        event_type in prop_oneof![
            Just("session"), Just("task_result"), Just("page_viewed"), Just("a_type_whose_name_has_33_bytes_xy"),
            Just("sess\\u0069on"), Just("")
        ],
        mut envelope in members(&["user_id", "event_id", "country", "x", "us\\u0065r_id", LONG_KEY]),
        payload in members(&["os", "device", "score", "is_correct", "x", LONG_KEY]),
        has_payload in prop::bool::weighted(0.8),
        at in 0..6_usize,
        payload_at in 0..6_usize,
        spaced in any::<bool>(),
    ) -> String {
        let (comma, colon) = if spaced { (", ", ": ") } else { (",", ":") };
        let event_type = format!("\"event_type\":\"{event_type}\"");
        let payload = format!("\"properties\":{{{}}}", payload.join(comma));
        envelope.insert(at.min(envelope.len()), event_type);
        if has_payload {
            envelope.insert(payload_at.min(envelope.len()), payload);
        }
        format!("{{{}}}", envelope.join(comma)).replace("\":", &format!("\"{colon}"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_fits_is_what_would_be_walked(
        learnt in prop::collection::vec(line(), 1..12),
        others in prop::collection::vec(line(), 0..6),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[\"{},:0a\\\\]?"), 0..12),
    ) {
        // The lines that were learnt, some of them with a byte taken out or put in.
        let mut tried: Vec<String> = learnt.iter().chain(&others).cloned().collect();
        for (line, at, put) in cuts {
            let mut line = line.get(&learnt).clone();
            let at = at.index(line.len());
            if put.is_empty() {
                line.remove(at);
            } else {
                line.insert_str(at, &put);
            }
            tried.push(line);
        }
        compare(&learnt, &tried);
    }
}

#[test]
fn the_usual_lines_fit() {
    let line = |id: u32, name: &str, score: &str| {
        format!(
            r#"{{"event_id": "{id}", "sdk": {{"n": ["{name}", {score}]}}, "event_type": "task_result", "user_id": "u{id}", "properties": {{"task_id": "t", "x": {{"y": "{name}"}}, "score": {score}}}, "country": "KZ"}}"#
        )
    };
    let learnt = [line(1, "a", "0.5")];
    let others = [line(12345, "", "1"), line(0, r"\u0441", "-0.000000001e5"), line(1, "долго", "null")];
    assert_eq!(compare(&learnt, &others), 3);
    assert_eq!(compare(&learnt, &[line(1, "a", "01"), line(1, "a", "\"\""), line(1, r"\x", "1")]), 0);
    // An escape in what is asked for is the walk's to read.
    assert_eq!(compare(&learnt, &[line(1, "a", "1").replace("\"u1\"", r#""\u0075""#)]), 0);
}

#[test]
fn rests_where_keys_come_in_no_order() {
    let mut shapes = Shapes::default();
    // The longer, the more windows were without luck.
    for rest in [REST, 2 * REST, 4 * REST] {
        assert!(shapes.has_luck());
        shapes.note(WINDOW, WINDOW);
        assert!(!shapes.has_luck());
        shapes.note(rest - 1, rest - 1);
        assert!(!shapes.has_luck());
        shapes.note(1, 1);
    }
    // Where most lines have a shape it goes on.
    assert!(shapes.has_luck());
    shapes.note(WINDOW, WINDOW / 4);
    assert!(shapes.has_luck());
    shapes.note(WINDOW, WINDOW);
    shapes.note(REST, REST);
    assert!(shapes.has_luck());
}
