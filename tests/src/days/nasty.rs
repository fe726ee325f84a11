//! What goes wrong between a product and its day files, on purpose.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::civil::Date;
use serde_json::Value;

use super::{Days, WindowEnd, customers, experiments};
use crate::marts::days_after;

impl Days {
    /// Adds, from a seed: customers who pay, try and get back money in every odd order; experiments that are
    /// tiny, equal, or whose windows end to the millisecond; hostile names; users in two variants; ids that several
    /// events bear; lines that stand in several files, and lines that come late.
    pub fn add_nasty_lines(&mut self, seed: u64, customers: usize, ends: &[WindowEnd]) {
        let mut rng = Rng::with_seed(seed);
        let (Some(first), Some(last)) = (self.dates().first().copied(), self.dates().last().copied()) else {
            return;
        };
        for line in customers::lines(&mut rng, customers, (first, last)) {
            self.add(&line);
        }
        for line in experiments::lines(&mut rng, customers, (first, last), ends) {
            self.add(&line);
        }
        self.put_users_into_second_variants(&mut rng);
        self.share_event_ids(&mut rng);
        self.repeat_lines(&mut rng);
        self.delay_lines(&mut rng);
    }

    /// One in ten of the assigned is assigned again: to another variant or the same, before or after.
    fn put_users_into_second_variants(&mut self, rng: &mut Rng) {
        for lines in self.lines.values_mut() {
            let mut more = Vec::new();
            for line in lines.iter().filter(|line| line.contains("ab_test_assignment")) {
                if rng.u8(..10) > 0 {
                    continue;
                }
                if let Some(mut event) = parsed(line) {
                    event["event_id"] = new_id(rng);
                    shift(&mut event, rng.i64(-3_600_000..3_600_000));
                    if rng.bool() {
                        event["properties"]["variant"] =
                            ["control", "b", "short", "inline"][rng.usize(..4)].into();
                    }
                    more.push(event.to_string());
                }
            }
            lines.extend(more);
        }
    }

    /// Some events take over an id: with another user, or another time, or both.
    fn share_event_ids(&mut self, rng: &mut Rng) {
        for lines in self.lines.values_mut() {
            let Some(mut event) = rng.choice(lines.iter()).and_then(|line| parsed(line)) else { continue };
            let way = rng.u8(..3);
            if way != 0 {
                event["user_id"] = customers::name(rng.usize(..8)).into();
            }
            if way != 1 {
                shift(&mut event, rng.i64(-5..5) * 1000 + 1);
            }
            lines.push(event.to_string());
        }
    }

    /// One line in thirty stands a second time: in its own file, an earlier one or a later one.
    fn repeat_lines(&mut self, rng: &mut Rng) {
        for (line, batch_date) in self.drawn(rng, 30) {
            let dates = self.dates();
            let nearby: Vec<&Date> =
                dates.iter().filter(|date| days_after(**date, 30) >= batch_date).collect();
            let other = **rng.choice(&nearby).expect("a file is near itself");
            let lines = self.lines_mut(other);
            lines.insert(rng.usize(..=lines.len()), line);
        }
    }

    /// One line in thirty moves to a later file.
    fn delay_lines(&mut self, rng: &mut Rng) {
        for (line, batch_date) in self.drawn(rng, 30) {
            let later: Vec<Date> =
                self.dates().into_iter().filter(|date| *date > batch_date).take(15).collect();
            let Some(other) = rng.choice(&later) else { continue };
            let lines = self.lines_mut(batch_date);
            if let Some(place) = lines.iter().position(|other| *other == line) {
                lines.remove(place);
            }
            self.lines_mut(*other).push(line);
        }
    }

    /// One line in so many, with its batch date.
    fn drawn(&self, rng: &mut Rng, one_in: usize) -> Vec<(String, Date)> {
        let lines: BTreeMap<_, _> = self.lines.iter().collect();
        let all = lines.into_iter().flat_map(|(date, lines)| lines.iter().map(|line| (line.clone(), *date)));
        all.filter(|_| rng.usize(..one_in) == 0).collect()
    }
}

fn parsed(line: &str) -> Option<Value> {
    let event: Value = serde_json::from_str(line).ok()?;
    (event.is_object() && event["event_time"].is_string() && event["event_id"].is_string()).then_some(event)
}

fn new_id(rng: &mut Rng) -> Value {
    let id = format!("{:032x}", rng.u128(..));
    [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-").into()
}

/// Moves an event in time, where its time can be read.
fn shift(event: &mut Value, milliseconds: i64) {
    let time: Option<jiff::Timestamp> = event["event_time"].as_str().and_then(|time| time.parse().ok());
    if let Some(time) = time {
        let moved = jiff::Timestamp::from_millisecond(time.as_millisecond() + milliseconds);
        event["event_time"] = moved.expect("an hour more or less is in range").to_string().into();
    }
}
