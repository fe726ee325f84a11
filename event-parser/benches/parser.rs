//! How fast one core parses a generated day, beside what else one could do with the same bytes, all in one
//! interleaved run: `cargo xtask bench parser`.
//!
//! The rivals do less: they check no rule and fill no column. Their lines are split and their fields typed.

use std::borrow::Cow;
use std::hint::black_box;

use event_generator::{Generator, Plan};
use event_parser::{Batch, Options, Parser};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::value::RawValue;

const ROUNDS: usize = 9;
/// A day of about 100 MB.
const USERS: u64 = 100_000;
const DAY: &str = "2026-03-01";

/// A way to read a day: its name, and how many lines it could read.
type Rival = (&'static str, fn(&[u8]) -> usize);

const RIVALS: [Rival; 4] = [
    ("event-parser", event_parser_columns),
    ("serde_json, typed", serde_json_typed),
    ("serde_json, syntax only", serde_json_syntax),
    ("newline search (a limit)", newlines),
];

fn main() {
    let plan = Plan { reject_share: 0.01, ..Plan::new(DAY.parse().expect("a date"), 1, USERS) };
    let mut day = Vec::new();
    let generator = Generator::new(plan).expect("the plan is sound");
    generator.write_day(DAY.parse().expect("a date"), 0, 1, &mut day).expect("memory takes any bytes");

    let mut seconds = vec![Vec::new(); RIVALS.len()];
    let mut lines = vec![0; RIVALS.len()];
    for _ in 0..ROUNDS {
        for (place, (_, read)) in RIVALS.iter().enumerate() {
            let begun = cpu_seconds();
            lines[place] = black_box(read(black_box(&day)));
            seconds[place].push(cpu_seconds() - begun);
        }
    }

    let megabytes = day.len() as f64 / 1e6;
    let medians: Vec<f64> = seconds.iter_mut().map(|times| median(times)).collect();
    println!(
        "{megabytes:.0} MB, 1 % bad lines, {} instructions, medians of {ROUNDS} interleaved rounds\n",
        event_parser::backend()
    );
    println!("| one core | MB/s | CPU-s/GB | time ÷ event-parser's | lines read |");
    println!("|---|---:|---:|---:|---:|");
    for (((name, _), median), lines) in RIVALS.iter().zip(&medians).zip(&lines) {
        let (rate, per_gigabyte, ratio) = (megabytes / median, median / megabytes * 1e3, median / medians[0]);
        println!("| {name} | {rate:.0} | {per_gigabyte:.2} | {ratio:.2} | {lines} |");
    }
}

/// CPU seconds of this process: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn event_parser_columns(day: &[u8]) -> usize {
    // As a load has it: batches are filled, handed on, and used again.
    let options = Options { batch_bytes: 16 << 20, ..Options::new(DAY.parse().expect("a date")) };
    let (mut parser, mut batch, mut rows) = (Parser::new("day", options), Batch::default(), 0);
    let mut rest = day;
    while !rest.is_empty() {
        let taken = parser.push(rest, &mut batch);
        rest = &rest[taken..];
        rows += black_box(&batch).rows_by_table().iter().map(|(_, rows)| rows).sum::<usize>();
        batch.clear();
    }
    parser.finish(&mut batch);
    rows + batch.rows_by_table().iter().map(|(_, rows)| rows).sum::<usize>()
}

fn lines(day: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', day).map(move |end| {
        let line = &day[start..end];
        start = end + 1;
        line
    })
}

fn serde_json_typed(day: &[u8]) -> usize {
    lines(day)
        .filter(|line| serde_json::from_slice::<Line<'_>>(line).is_ok_and(|line| line.is_typed()))
        .count()
}

fn serde_json_syntax(day: &[u8]) -> usize {
    lines(day).filter(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()).count()
}

fn newlines(day: &[u8]) -> usize {
    lines(day).count()
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields are read from JSON and not used")]
struct Line<'a> {
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
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
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

impl Line<'_> {
    /// Reads the payloads of the two commonest event types with payloads of their own; the few others stay raw.
    fn is_typed(&self) -> bool {
        let Some(properties) = self.properties else { return true };
        match &*self.event_type {
            "task_result" => serde_json::from_str::<TaskResult<'_>>(properties.get()).is_ok(),
            "session" => serde_json::from_str::<Session<'_>>(properties.get()).is_ok(),
            _ => true,
        }
    }
}
