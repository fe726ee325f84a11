//! What producers get wrong: good lines spoilt in one place each, so that the reason is known.

use std::ops::Range;

use event_schema::Reason;
use event_schema::value::Date;

use crate::draw::Draw;
use crate::fact::{Fact, Kind};
use crate::money::Deed;

/// How often each reason comes up; lines that are too long are rarer still, see
/// [`too_long`].
const WEIGHTS: [(Reason, u32); 9] = [
    (Reason::InvalidUtf8, 6),
    (Reason::InvalidJson, 20),
    (Reason::NestingTooDeep, 2),
    (Reason::NotAnObject, 5),
    (Reason::DuplicateField, 6),
    (Reason::MissingField, 20),
    (Reason::WrongType, 18),
    (Reason::InvalidValue, 14),
    (Reason::OutOfRange, 9),
];

/// A field and what a bad producer puts there; nothing where it leaves the field out.
type Slip = (&'static str, Option<&'static str>);

/// The fact that a bad line is made of: its own event, with every field there is to get wrong.
pub(crate) fn template(mut fact: Fact, draw: &mut Draw) -> Fact {
    fact.key = draw.next();
    match &mut fact.kind {
        Kind::Task(task) => {
            task.attempt = task.attempt.max(1);
            task.names_course = true;
            task.score.get_or_insert(50);
            task.duration_ms.get_or_insert(8000);
            task.hints.get_or_insert(0);
        }
        Kind::Visit { has_end, .. } => *has_end = true,
        Kind::Plain(_) | Kind::Money(_) | Kind::Assignment(_) => {}
    }
    fact
}

/// Spoils a good line, written as the typed event writes it, of a file of `batch_date`.
pub(crate) fn spoil(line: &str, kind: &Kind, batch_date: Date, draw: &mut Draw) -> (Vec<u8>, Reason) {
    let reason = WEIGHTS[draw.weighted(WEIGHTS.map(|weight| weight.1))].0;
    let spoilt = match reason {
        Reason::InvalidUtf8 => invalid_utf8(line, draw),
        Reason::InvalidJson => invalid_json(line, draw).into_bytes(),
        Reason::NestingTooDeep => {
            let levels = 150 + draw.below(300) as usize;
            let tree = format!("\"tree\":{}{},", "[".repeat(levels), "]".repeat(levels));
            first_property(line, &tree).into_bytes()
        }
        Reason::NotAnObject => match draw.below(4) {
            0 => format!("[{line}]"),
            1 => serde_json::to_string(line).expect("a text serialises into memory"),
            2 => "null".to_owned(),
            _ => "[]".to_owned(),
        }
        .into_bytes(),
        Reason::DuplicateField => {
            let key = draw.pick(&["user_id", "event_time", "event_type"]);
            let value = &line[value_of(line, key)];
            let again = format!("{{\"{key}\":{value},");
            line.replacen('{', &again, 1).into_bytes()
        }
        _ => slip(line, kind, batch_date, reason, draw).into_bytes(),
    };
    (spoilt, reason)
}

/// A line longer than the loader takes: somebody's whole notebook in one property.
pub(crate) fn too_long(line: &str) -> Vec<u8> {
    let page = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. ";
    first_property(line, &format!("\"notebook\":\"{}\",", page.repeat((1 << 20) / page.len() + 1)))
        .into_bytes()
}

fn invalid_utf8(line: &str, draw: &mut Draw) -> Vec<u8> {
    let mut bytes = line.as_bytes().to_vec();
    let user = value_of(line, "user_id");
    let at = user.start + 1 + draw.below((user.len() - 2) as u32) as usize;
    // Latin-1's é, a byte that is never UTF-8, half of a two-byte character.
    bytes[at] = draw.pick(&[0xe9, 0xff, 0xd0]);
    bytes
}

fn invalid_json(line: &str, draw: &mut Draw) -> String {
    match draw.below(8) {
        0..3 => {
            let mut end = 1 + draw.below(line.len() as u32 - 1) as usize;
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            line[..end].to_owned()
        }
        3 => format!("{},}}", &line[..line.len() - 1]),
        4 => line.replacen("{\"event_id\":\"", "{'event_id':\"", 1),
        5 => first_property(line, draw.pick(&["\"ratio\":NaN,", "\"ratio\":.5,", "\"ratio\":Infinity,"])),
        6 => first_property(line, draw.pick(&["\"emoji\":\"\\ud83d\",", "\"emoji\":\"\\udc4d ok\","])),
        // Two writers and one file handle; a raw tab in a text.
        _ if draw.chance(500) => format!("{line}{line}"),
        _ => first_property(line, "\"note\":\"a\tb\","),
    }
}

/// Puts a wrong value, or none, in one field.
fn slip(line: &str, kind: &Kind, batch_date: Date, reason: Reason, draw: &mut Draw) -> String {
    if reason == Reason::OutOfRange && draw.chance(350) {
        // A clock that is two days ahead, on a device nobody looks after.
        let ahead =
            batch_date.plus_days(2 + draw.below(400) as i32).expect("dates go on after the last plan");
        return put(line, "event_time", &format!("\"{ahead}T00:00:00.000Z\""));
    }
    let (mut slips, payload) = (envelope_slips(reason), payload_slips(kind, reason));
    if !payload.is_empty() && draw.chance(600) {
        slips = payload;
    }
    let has = |slip: &&Slip| line.contains(&format!("\"{}\":", slip.0));
    let slips: Vec<&Slip> = slips.iter().filter(has).collect();
    let (key, value) = *draw.pick(&slips);
    match value {
        Some(value) => put(line, key, value),
        None => remove(line, key),
    }
}

fn envelope_slips(reason: Reason) -> &'static [Slip] {
    match reason {
        Reason::MissingField => &[
            ("event_id", None),
            ("user_id", None),
            ("user_id", Some("null")),
            ("event_time", None),
            ("event_type", None),
            ("event_type", Some("null")),
        ],
        Reason::WrongType => &[
            ("user_id", Some("4821")),
            ("event_time", Some("1772357400123")),
            ("event_id", Some("17")),
            ("country", Some("49")),
            ("properties", Some("\"{\\\"path\\\":\\\"/home\\\"}\"")),
            ("properties", Some("[]")),
        ],
        Reason::InvalidValue => &[
            ("event_id", Some("\"not-a-uuid\"")),
            ("event_id", Some("\"{018f2c6e-7b1a-7c3d-9e4f-0123456789ab}\"")),
            ("event_time", Some("\"01.03.2026 09:30\"")),
            ("event_time", Some("\"2026-03-01T09:30:00\"")),
            ("event_time", Some("\"2026-02-30T09:30:00Z\"")),
            ("user_id", Some("\"\"")),
            ("user_id", Some("\"u-1\\u0000\"")),
            ("event_type", Some("\"\"")),
            ("country", Some("\"de\"")),
            ("country", Some("\"Germany\"")),
        ],
        _ => &[
            ("event_time", Some("\"1970-01-01T00:00:00.000Z\"")),
            ("event_time", Some("\"1999-12-31T23:59:59.999Z\"")),
        ],
    }
}

fn payload_slips(kind: &Kind, reason: Reason) -> &'static [Slip] {
    match (kind, reason) {
        (Kind::Task(_), Reason::MissingField) => &[
            ("task_id", None),
            ("is_correct", None),
            ("is_correct", Some("null")),
            ("properties", Some("{}")),
        ],
        (Kind::Task(_), Reason::WrongType) => &[
            ("is_correct", Some("\"true\"")),
            ("is_correct", Some("1")),
            ("task_id", Some("77")),
            ("score", Some("\"0.9\"")),
            ("attempt", Some("\"2\"")),
            ("attempt", Some("1.0")),
            ("duration_ms", Some("1500.5")),
        ],
        (Kind::Task(_), Reason::InvalidValue) => &[("task_id", Some("\"\"")), ("task_id", Some("\"a\\nb\""))],
        (Kind::Task(_), Reason::OutOfRange) => &[
            ("score", Some("1.7")),
            ("score", Some("85")),
            ("attempt", Some("0")),
            ("attempt", Some("65536")),
            ("duration_ms", Some("4294967296")),
            ("hints_used", Some("-1")),
        ],
        (Kind::Visit { .. }, Reason::MissingField) => {
            &[("session_id", None), ("session_id", Some("\"\"")), ("started_at", None)]
        }
        (Kind::Visit { .. }, Reason::WrongType) => &[("started_at", Some("1772357400"))],
        (Kind::Visit { .. }, Reason::InvalidValue) => {
            &[("started_at", Some("\"yesterday\"")), ("ended_at", Some("\"2000-01-01T00:00:00Z\""))]
        }
        (Kind::Visit { .. }, Reason::OutOfRange) => &[
            ("started_at", Some("\"0001-01-01T00:00:00Z\"")),
            ("ended_at", Some("\"2200-01-01T00:00:00Z\"")),
        ],
        (Kind::Money(_), Reason::MissingField) => {
            &[("purchase_id", None), ("amount", None), ("currency", None)]
        }
        (Kind::Money(_), Reason::WrongType) => &[("amount", Some("true")), ("currency", Some("840"))],
        (Kind::Money(_), Reason::InvalidValue) => &[
            ("amount", Some("\"9,99\"")),
            ("amount", Some("\"$9.99\"")),
            ("amount", Some("9.999999")),
            ("amount", Some("1e3")),
            ("currency", Some("\"usd\"")),
        ],
        (Kind::Money(money), Reason::OutOfRange) if money.deed == Deed::Refund => {
            &[("amount", Some("-9.99"))]
        }
        (Kind::Money(_), Reason::OutOfRange) => {
            &[("amount", Some("\"-9.99\"")), ("period_end", Some("\"2999-12-31\""))]
        }
        (Kind::Assignment(_), Reason::MissingField) => &[("variant", None), ("experiment_id", None)],
        (Kind::Assignment(_), Reason::WrongType) => &[("variant", Some("1"))],
        (Kind::Assignment(_), Reason::InvalidValue) => &[("variant", Some("\"\""))],
        _ => &[],
    }
}

/// Where the value of a key stands; every line written by a typed event has its own keys once, envelope
/// first.
fn value_of(line: &str, key: &str) -> Range<usize> {
    let name = format!("\"{key}\":");
    let start = line.find(&name).expect("the line has the field that is to be spoilt") + name.len();
    let rest = &line.as_bytes()[start..];
    let length = match rest[0] {
        // The payload is the last value of the line.
        b'{' => rest.len() - 1,
        // Values that are spoilt have no escapes.
        b'"' => 2 + rest[1..].iter().position(|byte| *byte == b'"').expect("a text ends"),
        _ => rest.iter().position(|byte| matches!(byte, b',' | b'}')).expect("a value ends"),
    };
    start..start + length
}

fn put(line: &str, key: &str, value: &str) -> String {
    let range = value_of(line, key);
    format!("{}{value}{}", &line[..range.start], &line[range.end..])
}

fn remove(line: &str, key: &str) -> String {
    let value = value_of(line, key);
    let start = value.start - key.len() - 3;
    // One comma goes with the field: the one after it, or before where it is the last.
    if line.as_bytes()[value.end] == b',' {
        format!("{}{}", &line[..start], &line[value.end + 1..])
    } else {
        let start = if line.as_bytes()[start - 1] == b',' { start - 1 } else { start };
        format!("{}{}", &line[..start], &line[value.end..])
    }
}

/// Puts `"key":value,` before the payload's first field; no payload of the generator is empty.
fn first_property(line: &str, member: &str) -> String {
    line.replacen("\"properties\":{", &format!("\"properties\":{{{member}"), 1)
}
