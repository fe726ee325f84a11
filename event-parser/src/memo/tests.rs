//! Following against walking: whatever can be followed leaves what the walk leaves.

use proptest::prelude::*;

use super::*;
use crate::arch::{Backend, Task};
use crate::index::{Index, IndexedLine};
use crate::walk::{self, NOWHERE, Names};

/// A row without what one way of reading notes and the other does not.
type Read = ([Slot; NOWHERE], Option<Known>, bool, Vec<Unknown>);

struct Follow<'a> {
    memo: &'a Memo,
    line: Line<'a>,
    odd: &'a [u32],
}

impl Task for Follow<'_> {
    type Output = Option<Read>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let (mut row, mut aside) = (Row::default(), Shelf::default());
        // Members of other lines.
        aside.unknown.push(Unknown::default());
        let followed = self.memo.follow(simd, self.line, &mut row, &mut aside)
            && walk::mark_escapes(&self.line.bytes[..self.line.end], self.odd, &mut row);
        followed.then(|| (slots_of(&row), row.known, row.has_payload, aside.unknown(&row).to_vec()))
    }
}

fn slots_of(row: &Row) -> [Slot; NOWHERE] {
    *row.slots.first_chunk().expect("a row has one slot more")
}

/// Does something with the memo, a line, its odd bytes, and what the walk has read of it.
type Then<'a> = dyn FnMut(&mut Memo, Line<'_>, &[u32], Option<Row>, &Shelf) + 'a;

/// A chunk of lines, and bytes after it.
fn chunk_of(lines: &[String]) -> Vec<u8> {
    let mut chunk = lines.join("\n").into_bytes();
    chunk.push(b'\n');
    chunk
}

fn line_of<'a>(padded: &'a [u8], indexed: &IndexedLine<'a>) -> Line<'a> {
    Line { bytes: padded, start: indexed.start, end: indexed.end, quotes: indexed.quotes }
}

/// Learns lines, each of them twice, and follows others; how many of those could be followed.
fn compare(learnt: &[String], followed: &[String]) -> usize {
    let mut memo = Memo::default();
    let names = Names::default();
    let mut read = |lines: &[String], then: &mut Then<'_>| {
        let chunk = chunk_of(lines);
        let padded = [&chunk[..], &[b'"'; 64]].concat();
        let mut index = Index::default();
        index.build(Backend::default(), &chunk);
        for indexed in index.lines(chunk.len()) {
            let line = line_of(&padded, &indexed);
            let (mut row, mut shelf) = (Row::default(), Shelf::default());
            let is_read = walk::jumping(line, indexed.odd, &names, &mut row, &mut shelf).is_ok();
            then(&mut memo, line, indexed.odd, is_read.then_some(row), &shelf);
        }
    };
    for _ in 0..2 {
        read(learnt, &mut |memo, line, _, row, shelf| {
            if let Some(row) = row {
                memo.learn(line, &row, shelf.unknown(&row));
            }
        });
    }
    let mut count = 0;
    read(followed, &mut |memo, line, odd, row, shelf| {
        for backend in Backend::available() {
            let Some(read) = backend.run(Follow { memo, line, odd }) else { continue };
            let shown = String::from_utf8_lossy(&line.bytes[line.start..line.end]).into_owned();
            let row = row.unwrap_or_else(|| panic!("{backend:?} follows what is no event: {shown}"));
            let walked = (slots_of(&row), row.known, row.has_payload, shelf.unknown(&row).to_vec());
            assert_eq!(read, walked, "{backend:?}: {shown}");
            count += 1;
        }
    });
    count / Backend::available().len()
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
        type_first in prop::bool::weighted(0.8),
        has_payload in prop::bool::weighted(0.8),
        at in 0..6_usize,
        spaced in any::<bool>(),
    ) -> String {
        let (comma, colon) = if spaced { (", ", ": ") } else { (",", ":") };
        let event_type = format!("\"event_type\":\"{event_type}\"");
        let payload = format!("\"properties\":{{{}}}", payload.join(comma));
        envelope.insert(at.min(envelope.len()), event_type);
        if has_payload {
            let place = if type_first { envelope.len() } else { at.min(envelope.len()) };
            envelope.insert(place, payload);
        }
        format!("{{{}}}", envelope.join(comma)).replace("\":", &format!("\"{colon}"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_followed_is_what_would_be_walked(
        learnt in prop::collection::vec(line(), 1..12),
        others in prop::collection::vec(line(), 0..6),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[\"{},:0a\\\\]?"), 0..12),
    ) {
        // The lines that were learnt, some of them with a byte taken out or put in.
        let mut followed: Vec<String> = learnt.iter().chain(&others).cloned().collect();
        for (line, at, put) in cuts {
            let mut line = line.get(&learnt).clone();
            let at = at.index(line.len());
            if put.is_empty() {
                line.remove(at);
            } else {
                line.insert_str(at, &put);
            }
            followed.push(line);
        }
        compare(&learnt, &followed);
    }
}

#[test]
fn follows_the_usual_lines() {
    let line = |id: u32, name: &str, score: &str| {
        format!(
            r#"{{"event_id": "{id}", "sdk": {{"n": [1, {score}]}}, "event_type": "task_result", "user_id": "{name}", "properties": {{"task_id": "{name}", "x": {{"y": "{name}"}}, "score": {score}}}, "country": "KZ"}}"#
        )
    };
    let learnt = [line(1, "a", "0.5")];
    let followed = [line(12345, "", "1"), line(0, r"\u0441", "-0.000000001e5"), line(1, "долго", "null")];
    assert_eq!(compare(&learnt, &followed), 3);
    assert_eq!(compare(&learnt, &[line(1, "a", "01"), line(1, "a", "\"\""), line(1, r"\x", "1")]), 0);
}

#[test]
fn rests_where_keys_come_in_no_order_and_forgets() {
    let mut memo = Memo::default();
    for _ in 0..WINDOW {
        assert!(memo.has_luck());
        memo.note(false);
    }
    for _ in 0..REST {
        assert!(!memo.has_luck());
    }
    assert!(memo.has_luck());
}
