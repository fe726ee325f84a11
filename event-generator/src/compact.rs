//! The two commonest events, written straight into the buffer.
//!
//! The bytes are those of the typed event (a test compares whole days): only the many small strings in
//! between are saved.

use crate::fact::{Fact, Plain, Task, Visit};
use crate::plain::{Fields, describe};
use crate::plan::{Day, date};
use crate::typed::{event_id, millis};
use crate::world::COURSES;

const HEX: &[u8; 16] = b"0123456789abcdef";
const DIGITS: &[u8; 200] = b"00010203040506070809101112131415161718192021222324\
25262728293031323334353637383940414243444546474849\
50515253545556575859606162636465666768697071727374\
75767778798081828384858687888990919293949596979899";

/// Writes plain events and task results as their typed events do.
#[derive(Default)]
pub(crate) struct Compact {
    /// The day spelt last.
    day: Option<Day>,
    spelling: String,
}

impl Compact {
    pub(crate) fn plain(&mut self, out: &mut Vec<u8>, fact: &Fact, visit: &Visit, plain: Plain) {
        self.envelope(out, fact, visit, plain.what.event_type());
        out.push(b'{');
        let mut fields = Writer { out, is_first: true };
        describe(fact, plain, &mut fields);
        out.extend_from_slice(b"}}");
    }

    pub(crate) fn task(&mut self, out: &mut Vec<u8>, fact: &Fact, visit: &Visit, task: Task) {
        self.envelope(out, fact, visit, "task_result");
        let course = COURSES[usize::from(task.course)].id.as_bytes();
        out.extend_from_slice(br#"{"task_id":""#);
        push_lesson(out, course, task.lesson);
        out.push(b'/');
        push_two(out, u32::from(task.task));
        out.extend_from_slice(if task.is_correct {
            br#"","is_correct":true"#
        } else {
            br#"","is_correct":false"#
        });
        if task.names_course {
            out.extend_from_slice(br#","course_id":""#);
            out.extend_from_slice(course);
            out.push(b'"');
        }
        out.extend_from_slice(br#","lesson_id":""#);
        push_lesson(out, course, task.lesson);
        out.push(b'"');
        if let Some(score) = task.score {
            out.extend_from_slice(br#","score":"#);
            push_hundredths(out, u32::from(score));
        }
        if task.attempt > 0 {
            out.extend_from_slice(br#","attempt":"#);
            push_integer(out, u32::from(task.attempt));
        }
        if let Some(duration_ms) = task.duration_ms {
            out.extend_from_slice(br#","duration_ms":"#);
            push_integer(out, duration_ms);
        }
        if let Some(hints) = task.hints {
            out.extend_from_slice(br#","hints_used":"#);
            push_integer(out, u32::from(hints));
        }
        out.extend_from_slice(b"}}");
    }

    fn envelope(&mut self, out: &mut Vec<u8>, fact: &Fact, visit: &Visit, event_type: &str) {
        out.extend_from_slice(br#"{"event_id":""#);
        push_uuid(out, event_id(millis(visit.day, fact.at), fact.key));
        out.extend_from_slice(br#"","event_type":""#);
        out.extend_from_slice(event_type.as_bytes());
        out.extend_from_slice(b"\",");
        let (before, after) = visit.shared.split_at(visit.time_at);
        out.extend_from_slice(before);
        self.push_time(out, visit.day, fact.at);
        out.extend_from_slice(after);
    }

    /// A day and the milliseconds from its start, as `2026-03-01T09:30:00.123Z`.
    fn push_time(&mut self, out: &mut Vec<u8>, day: Day, at: u32) {
        let (day, at) = (day + (at / 86_400_000) as Day, at % 86_400_000);
        if self.day != Some(day) {
            self.day = Some(day);
            self.spelling = date(day).to_string();
        }
        out.extend_from_slice(self.spelling.as_bytes());
        out.push(b'T');
        push_two(out, at / 3_600_000);
        out.push(b':');
        push_two(out, at / 60_000 % 60);
        out.push(b':');
        push_two(out, at / 1000 % 60);
        out.push(b'.');
        let millis = at % 1000;
        out.push(b'0' + (millis / 100) as u8);
        push_two(out, millis % 100);
        out.push(b'Z');
    }
}

/// Fills what a visit's lines share.
pub(crate) fn prepare(visit: &mut Visit) {
    let Visit { user_id, session_id, app_version, shared, .. } = visit;
    shared.clear();
    shared.extend_from_slice(br#""user_id":""#);
    shared.extend_from_slice(user_id.as_bytes());
    shared.extend_from_slice(br#"","event_time":""#);
    visit.time_at = shared.len();
    shared.push(b'"');
    let optional = [
        ("session_id", session_id.as_str()),
        ("platform", visit.platform.unwrap_or_default()),
        ("app_version", app_version.as_str()),
        ("country", visit.country.unwrap_or_default()),
    ];
    for (key, value) in optional {
        if !value.is_empty() {
            for part in [",\"", key, "\":\"", value, "\""] {
                shared.extend_from_slice(part.as_bytes());
            }
        }
    }
    shared.extend_from_slice(br#","properties":"#);
}

/// A payload's fields, straight into the line.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl Writer<'_> {
    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn quoted(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }
}

impl Fields for Writer<'_> {
    fn text(&mut self, key: &'static str, value: &str) {
        self.key(key);
        self.quoted(value);
    }

    fn prose(&mut self, key: &'static str, value: &str) {
        self.key(key);
        serde_json::to_writer(&mut *self.out, value).expect("a text serialises into memory");
    }

    fn integer(&mut self, key: &'static str, value: u32) {
        self.key(key);
        push_integer(self.out, value);
    }

    fn hundredths(&mut self, key: &'static str, value: u32) {
        self.key(key);
        push_hundredths(self.out, value);
    }

    fn flag(&mut self, key: &'static str, value: bool) {
        self.key(key);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn null(&mut self, key: &'static str) {
        self.key(key);
        self.out.extend_from_slice(b"null");
    }

    fn list(&mut self, key: &'static str, values: &[&str]) {
        self.key(key);
        self.out.push(b'[');
        for (n, value) in values.iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            self.quoted(value);
        }
        self.out.push(b']');
    }

    fn lesson(&mut self, key: &'static str, course: &str, lesson: u8) {
        self.key(key);
        self.out.push(b'"');
        push_lesson(self.out, course.as_bytes(), lesson);
        self.out.push(b'"');
    }

    fn object(&mut self, key: &'static str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.out.push(b'{');
        self.is_first = true;
        fill(self);
        self.is_first = false;
        self.out.push(b'}');
    }
}

fn push_lesson(out: &mut Vec<u8>, course: &[u8], lesson: u8) {
    out.extend_from_slice(course);
    out.push(b'/');
    push_two(out, u32::from(lesson));
}

/// Two digits of a number below 100.
fn push_two(out: &mut Vec<u8>, number: u32) {
    let at = number as usize * 2;
    out.extend_from_slice(&DIGITS[at..at + 2]);
}

fn push_integer(out: &mut Vec<u8>, mut number: u32) {
    let mut digits = [0; 10];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Hundredths as `serde_json` writes the float: the fewest digits, but always one after the point.
fn push_hundredths(out: &mut Vec<u8>, number: u32) {
    push_integer(out, number / 100);
    out.push(b'.');
    out.push(b'0' + (number / 10 % 10) as u8);
    if !number.is_multiple_of(10) {
        out.push(b'0' + (number % 10) as u8);
    }
}

fn push_uuid(out: &mut Vec<u8>, id: u128) {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for byte in id.to_be_bytes() {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests;
