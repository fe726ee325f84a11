//! Other Rust libraries on the same bytes.
//!
//! Typed rivals read each line into a typed envelope and, by its event type, into a typed payload; payloads of other
//! types stay raw. They check JSON and the fields' types, and no other rule of the contract; they fill no columns.

use std::borrow::Cow;
use std::hint::black_box;

use serde::Deserialize;
use serde_json::value::RawValue;
use simd_json::prelude::*;
use simd_json::tape::{Object, Value};
use simd_json::{Buffers, INPUT_PADDING, Tape, fill_tape_padded};
use sonic_rs::LazyValue;

use crate::{Contestant, lines};

pub(crate) fn contestants() -> Vec<Contestant> {
    vec![
        ("simd-json, typed".into(), Box::new(simd_json_typed)),
        ("sonic-rs, typed".into(), Box::new(sonic_rs_typed)),
        ("serde_json, typed".into(), Box::new(serde_json_typed)),
        ("newline search".into(), Box::new(|day| memchr::memchr_iter(b'\n', day).count())),
        ("memcpy".into(), Box::new(memcpy)),
    ]
}

/// In pieces that stay in the cache on the writing side, as in a parser that copies its input.
fn memcpy(day: &[u8]) -> usize {
    let mut copy = vec![0; 128 << 10];
    for piece in day.chunks(copy.len()) {
        copy[..piece.len()].copy_from_slice(piece);
        black_box(&mut copy);
    }
    0
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
#[expect(dead_code, reason = "fields are read from JSON and not used")]
struct Line<'a, P> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    session_id: Option<Cow<'a, str>>,
    platform: Option<Cow<'a, str>>,
    app_version: Option<Cow<'a, str>>,
    country: Option<Cow<'a, str>>,
    properties: Option<P>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields are read from JSON and not used")]
struct Purchase<'a> {
    #[serde(borrow)]
    purchase_id: Cow<'a, str>,
    #[serde(borrow)]
    plan: Cow<'a, str>,
    #[serde(borrow)]
    amount: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow)]
    period_start: Cow<'a, str>,
    #[serde(borrow)]
    period_end: Cow<'a, str>,
    is_trial: Option<bool>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields are read from JSON and not used")]
struct Refund<'a> {
    #[serde(borrow)]
    purchase_id: Cow<'a, str>,
    #[serde(borrow)]
    amount: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields are read from JSON and not used")]
struct TaskResult<'a> {
    #[serde(borrow)]
    task_id: Cow<'a, str>,
    is_correct: bool,
    course_id: Option<Cow<'a, str>>,
    lesson_id: Option<Cow<'a, str>>,
    score: Option<f64>,
    attempt: Option<u16>,
    duration_ms: Option<u32>,
    hints_used: Option<u16>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields are read from JSON and not used")]
struct Session<'a> {
    #[serde(borrow)]
    started_at: Cow<'a, str>,
    ended_at: Option<Cow<'a, str>>,
    device: Option<Cow<'a, str>>,
    os: Option<Cow<'a, str>>,
    referrer: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields are read from JSON and not used")]
struct AbTestAssignment<'a> {
    #[serde(borrow)]
    experiment_id: Cow<'a, str>,
    #[serde(borrow)]
    variant: Cow<'a, str>,
}

/// Reads a payload of an event type with one of the parsers; returns whether it could be read.
macro_rules! payload {
    ($event_type:expr, $text:expr, $from_str:path) => {
        match $event_type {
            "purchase" => $from_str($text).map(|read: Purchase<'_>| drop(black_box(read))).is_ok(),
            "refund" => $from_str($text).map(|read: Refund<'_>| drop(black_box(read))).is_ok(),
            "task_result" => $from_str($text).map(|read: TaskResult<'_>| drop(black_box(read))).is_ok(),
            "session" => $from_str($text).map(|read: Session<'_>| drop(black_box(read))).is_ok(),
            "ab_test_assignment" => {
                $from_str($text).map(|read: AbTestAssignment<'_>| drop(black_box(read))).is_ok()
            }
            _ => true,
        }
    };
}

fn serde_json_typed(day: &[u8]) -> usize {
    let is_read = |line: &&[u8]| {
        let Ok(line) = serde_json::from_slice::<Line<'_, &RawValue>>(line) else { return false };
        let text = line.properties.map_or("{}", RawValue::get);
        payload!(&*line.event_type, text, serde_json::from_str)
    };
    lines(day).filter(is_read).count()
}

fn sonic_rs_typed(day: &[u8]) -> usize {
    let is_read = |line: &&[u8]| {
        let Ok(line) = sonic_rs::from_slice::<Line<'_, LazyValue<'_>>>(line) else { return false };
        let text = line.properties.as_ref().map_or("{}", LazyValue::as_raw_str);
        payload!(&*line.event_type, text, sonic_rs::from_str)
    };
    lines(day).filter(is_read).count()
}

/// simd-json reads a line onto a tape; the fields are then read from the tape in order.
fn simd_json_typed(day: &[u8]) -> usize {
    let (mut buffers, mut tape) = (Buffers::default(), Tape::null());
    let mut padded = Vec::new();
    let mut read = 0;
    for line in lines(day) {
        padded.clear();
        padded.extend_from_slice(line);
        padded.resize(line.len() + INPUT_PADDING, 0);
        let mut this = tape.reset();
        let is_json = fill_tape_padded(&mut padded, line.len(), &mut buffers, &mut this).is_ok();
        read += usize::from(is_json && typed_line(&this).is_some());
        tape = this.reset();
    }
    read
}

fn typed_line(tape: &Tape<'_>) -> Option<()> {
    let fields = tape.as_value().as_object()?;
    let mut texts = [None; 8];
    let mut properties = None;
    for (key, value) in &fields {
        let place = match key {
            "event_id" => 0,
            "event_type" => 1,
            "user_id" => 2,
            "event_time" => 3,
            "session_id" => 4,
            "platform" => 5,
            "app_version" => 6,
            "country" => 7,
            "properties" => {
                properties = value.as_object();
                continue;
            }
            _ => continue,
        };
        texts[place] = Some(text(value)?);
    }
    let [Some(_), Some(event_type), Some(_), Some(_), ..] = black_box(texts) else { return None };
    let Some(properties) = properties else { return Some(()) };
    typed_payload(event_type.as_str()?, &properties)
}

/// The value, if it is a string.
fn text<'tape, 'input>(value: Value<'tape, 'input>) -> Option<Value<'tape, 'input>> {
    value.is_str().then_some(value)
}

fn typed_payload(event_type: &str, properties: &Object<'_, '_>) -> Option<()> {
    match event_type {
        "purchase" => texts(
            properties,
            ["purchase_id", "plan", "amount", "currency", "period_start", "period_end"],
            ["is_trial"],
            |value| value.as_bool().map(drop),
        ),
        "refund" => texts(properties, ["purchase_id", "amount", "currency"], [], |_| Some(())),
        "task_result" => task_result(properties),
        "session" => texts(properties, ["started_at"], ["ended_at", "device", "os", "referrer"], |value| {
            value.as_str().map(drop)
        }),
        "ab_test_assignment" => texts(properties, ["experiment_id", "variant"], [], |_| Some(())),
        _ => Some(()),
    }
}

/// Takes required texts and optional values from an object.
fn texts<const N: usize, const M: usize>(
    object: &Object<'_, '_>,
    required: [&str; N],
    optional: [&str; M],
    read: impl Fn(&Value<'_, '_>) -> Option<()>,
) -> Option<()> {
    let mut found = [None; N];
    for (key, value) in object {
        if let Some(place) = required.iter().position(|name| *name == key) {
            found[place] = Some(text(value)?);
        } else if optional.contains(&key) && !value.is_null() {
            black_box(read(&value)?);
        }
    }
    black_box(found).iter().all(Option::is_some).then_some(())
}

fn task_result(object: &Object<'_, '_>) -> Option<()> {
    let (mut task_id, mut is_correct, mut score) = (None, None, None);
    let (mut names, mut numbers) = ([None; 2], [None; 3]);
    for (key, value) in object {
        match key {
            "task_id" => task_id = Some(text(value)?),
            "is_correct" => is_correct = Some(value.as_bool()?),
            _ if value.is_null() => {}
            "course_id" => names[0] = Some(text(value)?),
            "lesson_id" => names[1] = Some(text(value)?),
            "score" => score = Some(value.cast_f64()?),
            "attempt" => numbers[0] = Some(value.as_u32()?),
            "duration_ms" => numbers[1] = Some(value.as_u32()?),
            "hints_used" => numbers[2] = Some(value.as_u32()?),
            _ => {}
        }
    }
    black_box((names, numbers, score));
    black_box(task_id).and(black_box(is_correct)).map(drop)
}
