//! The template match against the index walk: a line that matches has the same slots.

use proptest::prelude::*;

use super::dispatch::{BACK_OFF, WINDOW};
use super::*;
use crate::arch::Backend;
use crate::column_batch::ColumnBatches;
use crate::contract::IGNORED_SLOT;
use crate::index::Index;
use crate::reader::{self, Arena, KeyTables, Line, LineLocation, LineSlots, Members, Slot, UnknownMember};
use crate::slot_rows::{ChunkOrigin, all_kinds, text_end};

/// The parts of a row that both ways of reading fill.
type Read = ([Slot; IGNORED_SLOT], Option<PayloadKind>, bool, Vec<UnknownMember>, LineLocation);

const ORIGIN: ChunkOrigin = ChunkOrigin { first_line: 1, byte_offset: 0 };

/// Dispatches and matches the lines of a chunk; returns what was read of those that match a template.
fn match_all(
    backend: Backend,
    templates: &mut Templates,
    bytes: &[u8],
    index: &Index,
    length: usize,
) -> Vec<Read> {
    let (mut unmatched, mut batches, mut arena) = (Vec::new(), ColumnBatches::default(), Arena::default());
    let mut dispatched = 0;
    for line in index.lines(length) {
        if is_simple(bytes, index, &line) && templates.dispatch(bytes, index.tokens(&line), line) {
            dispatched += 1;
        }
    }
    templates.match_lines(backend, (bytes, index), &mut unmatched, &mut batches, &mut arena.unknown);
    let mut read = Vec::new();
    for kind in all_kinds() {
        read.extend(batches.of(kind).iter().map(|values| {
            let row = values.to_slots(bytes, kind, ORIGIN);
            read_of(&row, arena.unknown(&row))
        }));
    }
    assert_eq!(read.len() + unmatched.len(), dispatched, "every line matches or does not");
    read.sort_by_key(|read| read.4.number);
    read
}

/// Whether a line may be dispatched.
fn is_simple(bytes: &[u8], index: &Index, line: &IndexedLine) -> bool {
    line.has_newline && index.special(line).iter().all(|at| bytes[*at as usize] == b'\\')
}

fn read_of(row: &LineSlots, unknown: &[UnknownMember]) -> Read {
    let slots = *row.slots.first_chunk().expect("a row has one slot more");
    (slots, row.kind, row.has_payload, unknown.to_vec(), row.location)
}

/// Reads the lines of a chunk by the index walk; what was read of each that is valid JSON.
fn read_all(
    bytes: &[u8],
    index: &Index,
    length: usize,
    mut then: impl FnMut(&IndexedLine, Line<'_>, &LineSlots, &[UnknownMember]),
) -> Vec<Read> {
    let (keys, mut members) = (KeyTables::default(), Members::default());
    let mut all = Vec::new();
    for indexed in index.lines(length).filter(|line| is_simple(bytes, index, line)) {
        let (start, end) = (indexed.start as usize, text_end(bytes, &indexed));
        let line = Line { bytes, start, end: end as usize, quotes: index.quotes(&indexed) };
        let location = ORIGIN.location(indexed.number, indexed.start, end);
        let (mut row, mut arena) = (LineSlots { location, ..LineSlots::default() }, Arena::default());
        let special = index.special(&indexed);
        if reader::read_by_index(line, special, &keys, &mut members, &mut row, &mut arena).is_some() {
            then(&indexed, line, &row, arena.unknown(&row));
            all.push(read_of(&row, arena.unknown(&row)));
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

/// Learns lines, each of them twice, and matches others; how many of those matched.
fn compare(learnt: &[String], others: &[String]) -> usize {
    let mut templates = Templates::default();
    let (bytes, length, index) = indexed(learnt);
    for _ in 0..2 {
        read_all(&bytes, &index, length, |indexed, line, row, unknown| {
            templates.learn(line, index.tokens(indexed), row, unknown);
        });
    }
    let (bytes, length, index) = indexed(others);
    let expected = read_all(&bytes, &index, length, |_, _, _, _| {});
    let mut count = 0;
    for backend in Backend::available() {
        let matched = match_all(backend, &mut templates, &bytes, &index, length);
        count = matched.len();
        for read in matched {
            let line = &others[read.4.number as usize - 1];
            assert!(expected.contains(&read), "{backend:?}: {line}: {read:?} is not one of {expected:?}");
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
    fn a_match_has_the_slots_of_the_index_walk(
        learnt in prop::collection::vec(line(), 1..12),
        others in prop::collection::vec(line(), 0..6),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[\"{},:0a\\\\]?"), 0..12),
    ) {
        // The lines that were learnt, some of them with a byte removed or inserted.
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
fn usual_lines_match() {
    let line = |id: u32, name: &str, score: &str| {
        format!(
            r#"{{"event_id": "{id}", "sdk": {{"n": ["{name}", {score}]}}, "event_type": "task_result", "user_id": "u{id}", "properties": {{"task_id": "t", "x": {{"y": "{name}"}}, "score": {score}}}, "country": "KZ"}}"#
        )
    };
    let learnt = [line(1, "a", "0.5")];
    let others = [line(12345, "", "1"), line(0, r"\u0441", "-0.000000001e5"), line(1, "долго", "null")];
    assert_eq!(compare(&learnt, &others), 3);
    assert_eq!(compare(&learnt, &[line(1, "a", "01"), line(1, "a", "\"\""), line(1, r"\x", "1")]), 0);
    // A string of a slot with an escape does not match.
    assert_eq!(compare(&learnt, &[line(1, "a", "1").replace("\"u1\"", r#""\u0075""#)]), 0);
}

#[test]
fn backs_off_if_keys_have_no_fixed_order() {
    let mut templates = Templates::default();
    // The longer, the more windows had too few hits.
    for back_off in [BACK_OFF, 2 * BACK_OFF, 4 * BACK_OFF] {
        assert!(templates.is_matching());
        templates.count(WINDOW, WINDOW);
        assert!(!templates.is_matching());
        templates.count(back_off - 1, back_off - 1);
        assert!(!templates.is_matching());
        templates.count(1, 1);
    }
    // Matching goes on if most lines match.
    assert!(templates.is_matching());
    templates.count(WINDOW, WINDOW / 4);
    assert!(templates.is_matching());
    templates.count(WINDOW, WINDOW);
    templates.count(BACK_OFF, BACK_OFF);
    assert!(templates.is_matching());
}
