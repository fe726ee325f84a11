//! One day's lines: who visits, in the order of time, into any writer.

use std::hint::black_box;
use std::io::{self, Write};

use event_schema::Reason;
use event_schema::value::Date;

use crate::compact::Compact;
use crate::draw::{Draw, Topic, key};
use crate::fact::{Fact, Kind, Plain, What};
use crate::mistake;
use crate::person::{Person, arrived_by};
use crate::plan::{Day, Plan, PlanError};
use crate::stats::DayStats;
use crate::style::{self, Style};
use crate::typed;
use crate::visit::{self, DAY_MS, Delivery, Slots};

/// A visit or its retry reaches the files at most this many days later.
const LATEST: Day = 3;
/// Users whose visits' starts are kept at once: the day of more is walked in several spans of time.
const USERS_KEPT: u64 = 8_000_000;
/// Visits that are told at a time, at least.
const VISITS_TOLD: usize = 2048;
/// Bytes gathered before they are handed to the writer.
const BUFFER: usize = 256 << 10;
/// Lines that are written between two looks at what comes next.
const BATCH: usize = 16;

/// Makes the days of a plan.
#[derive(Debug, Clone)]
pub struct Generator {
    plan: Plan,
}

/// A day that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// What was asked for does not exist.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The writer failed.
    #[error("cannot write the lines of {date}: {source}")]
    Io {
        /// The day.
        date: Date,
        /// What the writer said.
        source: io::Error,
    },
}

impl Generator {
    /// Takes a plan that can be carried out.
    pub fn new(plan: Plan) -> Result<Generator, PlanError> {
        plan.check()?;
        Ok(Generator { plan })
    }

    /// What is generated.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Writes the lines of one day, each ended by `\n`, roughly in the order of their times: all of them
    /// with one part, else those of the users that fall to `part` (from 0 to below `parts`).
    ///
    /// Days before or after the plan's are made as well, as far as the contract's times go. Memory:
    /// the starts of the day's visits, 16 bytes each and 128 MiB at the most, and the visits under way at
    /// one moment, less than one in a hundred of the day's.
    pub fn write_day(
        &self,
        date: Date,
        part: u32,
        parts: u32,
        out: &mut impl Write,
    ) -> Result<DayStats, WriteError> {
        if part >= parts {
            return Err(PlanError::Part { part, parts }.into());
        }
        Plan { start: date, days: 1, ..self.plan.clone() }.check()?;
        let users = arrived_by(&self.plan, Day::from(date.days()));
        let spans = (users / u64::from(parts)).div_ceil(USERS_KEPT).clamp(1, 1440) as u32;
        self.write_in_spans(date, part, parts, spans, out)
    }

    /// The same, looking for visits in one span of the day after the other.
    fn write_in_spans(
        &self,
        date: Date,
        part: u32,
        parts: u32,
        spans: u32,
        out: &mut impl Write,
    ) -> Result<DayStats, WriteError> {
        let day = DayWriter {
            plan: &self.plan,
            date,
            day: Day::from(date.days()),
            users: (u64::from(part), u64::from(parts)),
            spoilt_per_good: self.plan.reject_share / (1.0 - self.plan.reject_share),
            out,
            buffer: Vec::with_capacity(BUFFER + (64 << 10)),
            compact: Compact::default(),
            stats: DayStats::new(date),
        };
        day.write(spans, part == 0).map_err(|source| WriteError::Io { date, source })
    }
}

/// A visit that falls into the day file, or what happens to a user without one.
#[derive(Clone, Copy)]
struct Entry {
    at: u32,
    user: u64,
    /// How many days ago the visit was.
    ago: u8,
    /// Which of its day's visits.
    index: u8,
    way: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Live,
    Late,
    Again,
    Unattended,
}

struct DayWriter<'a, W> {
    plan: &'a Plan,
    date: Date,
    day: Day,
    /// The first user of this part, and the step to the next.
    users: (u64, u64),
    spoilt_per_good: f64,
    out: &'a mut W,
    buffer: Vec<u8>,
    compact: Compact,
    stats: DayStats,
}

impl<W: Write> DayWriter<'_, W> {
    fn write(mut self, spans: u32, with_long_line: bool) -> io::Result<DayStats> {
        let all = arrived_by(self.plan, self.day);
        let mut slots = Slots::default();
        let mut facts = Vec::new();
        let mut told = Vec::new();
        let mut entries = Vec::new();
        for span in 0..spans {
            let starts = |n: u32| (u64::from(DAY_MS) * u64::from(n) / u64::from(spans)) as u32;
            entries.clear();
            self.enter(all, starts(span)..starts(span + 1), &mut entries);
            entries.sort_unstable_by_key(|entry| (entry.at, entry.user, entry.ago, entry.index));
            let mut rest = &entries[..];
            while !rest.is_empty() {
                // As many more as are waiting already, or looking through those would take the time.
                let (chunk, later) = rest.split_at(rest.len().min(VISITS_TOLD.max(facts.len() / 8)));
                rest = later;
                // Whatever is due before the chunk's first visit cannot be preceded by anything new.
                self.emit(chunk[0].at, &mut facts, &mut told, &mut slots)?;
                for entry in chunk {
                    self.tell(entry, &mut slots, &mut facts);
                }
            }
        }
        self.emit(u32::MAX, &mut facts, &mut told, &mut slots)?;
        if with_long_line {
            self.long_line();
        }
        self.flush()?;
        Ok(self.stats)
    }

    /// Gathers the visits whose first line is due within a span of the day.
    fn enter(&self, all: u64, span: std::ops::Range<u32>, entries: &mut Vec<Entry>) {
        let mut user = self.users.0;
        while user < all {
            if let Some(person) = Person::alive(self.plan, user, self.day - LATEST, self.day) {
                self.enter_user(&person, |entry| {
                    if span.contains(&entry.at) {
                        entries.push(entry);
                    }
                });
            }
            user += self.users.1;
        }
    }

    fn enter_user(&self, person: &Person, mut enter: impl FnMut(Entry)) {
        let user = person.user;
        for ago in 0..=LATEST {
            let day = self.day - ago;
            let hitch = Hitch::of(person, day);
            if ago > 0 && hitch.days != ago || !person.is_active(day) {
                continue;
            }
            let visits = visit::visits(person, day);
            if ago == 0 {
                // The day's last visit waits where the connection is lost.
                for index in 0..visits - u32::from(hitch.is_late) {
                    let at = visit::start(person, day, index).at;
                    enter(Entry { at, user, ago: 0, index: index as u8, way: Way::Live });
                }
            } else {
                let way = if hitch.is_late { Way::Late } else { Way::Again };
                enter(Entry { at: hitch.at, user, ago: ago as u8, index: (visits - 1) as u8, way });
            }
        }
        let mut is_empty = true;
        visit::unattended(self.plan, person, self.day, |_| is_empty = false);
        if !is_empty {
            let at = visit::unattended_start(person, self.day);
            enter(Entry { at, user, ago: 0, index: 0, way: Way::Unattended });
        }
    }

    fn tell(&self, entry: &Entry, slots: &mut Slots, facts: &mut Vec<Fact>) {
        let person = Person::alive(self.plan, entry.user, self.day - LATEST, self.day)
            .expect("the user was alive when the visit was entered");
        let delivery = match entry.way {
            Way::Live => Delivery::Live,
            Way::Late => Delivery::Late(entry.at),
            Way::Again => Delivery::Again(entry.at),
            Way::Unattended => return visit::tell_unattended(self.plan, &person, self.day, slots, facts),
        };
        let (day, index) = (self.day - Day::from(entry.ago), u32::from(entry.index));
        visit::tell(self.plan, &person, day, index, delivery, slots, facts);
    }

    /// Writes what is due before `until`, in order; the rest stays.
    fn emit(
        &mut self,
        until: u32,
        facts: &mut Vec<Fact>,
        kept: &mut Vec<Fact>,
        slots: &mut Slots,
    ) -> io::Result<()> {
        kept.clear();
        let mut due: Vec<u64> = Vec::with_capacity(facts.len());
        for (n, fact) in facts.iter().enumerate() {
            if fact.order < until {
                due.push(u64::from(fact.order) << 32 | n as u64);
            } else {
                kept.push(*fact);
            }
        }
        due.sort_unstable();
        let mut batch: Vec<Fact> = Vec::with_capacity(BATCH);
        for keys in due.chunks(BATCH) {
            // In the order of time, facts and visits lie anywhere in memory. Looking at a batch of them first
            // lets the processor wait for all of it at once instead of for each on its own.
            batch.clear();
            batch.extend(keys.iter().map(|key| facts[(key & u64::from(u32::MAX)) as usize]));
            for fact in &batch {
                let visit = slots.get(fact.slot);
                black_box((visit.shared.first(), visit.shared.last()));
            }
            for fact in &batch {
                self.line(fact, slots);
                slots.written(fact.slot);
            }
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
        }
        std::mem::swap(facts, kept);
        Ok(())
    }

    fn line(&mut self, fact: &Fact, slots: &Slots) {
        let visit = slots.get(fact.slot);
        match (Style::of(self.plan.spelling, visit.style), fact.kind) {
            (Style::Canonical, Kind::Plain(plain)) => {
                self.compact.plain(&mut self.buffer, fact, visit, plain);
            }
            (Style::Canonical, Kind::Task(task)) => self.compact.task(&mut self.buffer, fact, visit, task),
            (style, _) => style::write(&mut self.buffer, &typed::event(fact, visit), style, fact.key),
        }
        self.buffer.push(b'\n');
        self.stats.accept(fact.kind.table());
        self.stats.late += u64::from(visit.day < self.day);
        self.stats.duplicates += u64::from(fact.is_copy);
        let mut draw = Draw::new(key(fact.key, Topic::Mistake, u64::from(fact.order)));
        if draw.unit() < self.spoilt_per_good {
            let template = mistake::template(*fact, &mut draw);
            let good = typed::event(&template, visit).to_line();
            let (line, reason) = mistake::spoil(&good, &fact.kind, self.date, &mut draw);
            self.buffer.extend_from_slice(&line);
            self.buffer.push(b'\n');
            self.stats.reject(reason);
        }
    }

    /// One line of more than 1 MiB: on every day where a twentieth of the lines is bad, on fewer days where
    /// fewer are.
    fn long_line(&mut self) {
        let mut draw = Draw::new(key(self.plan.seed, Topic::LongLine, self.day as u64));
        if draw.unit() >= self.plan.reject_share * 20.0 {
            return;
        }
        let kind = Kind::Plain(Plain { what: What::FeedbackSent, course: 0, lesson: 1 });
        let at = draw.below(DAY_MS);
        let fact = Fact { order: at, at, key: draw.next(), slot: 0, is_copy: false, kind };
        let visit =
            crate::fact::Visit { day: self.day, user_id: "u00000000".to_owned(), ..Default::default() };
        let line = mistake::too_long(&typed::event(&fact, &visit).to_line());
        self.buffer.extend_from_slice(&line);
        self.buffer.push(b'\n');
        self.stats.reject(Reason::LineTooLong);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.stats.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// What goes wrong with the last visit of a user's day on its way to the files.
struct Hitch {
    /// How many days later it is delivered; 0 where nothing goes wrong.
    days: Day,
    /// Whether it is delivered only then, or again.
    is_late: bool,
    /// When on that day.
    at: u32,
}

impl Hitch {
    fn of(person: &Person, day: Day) -> Hitch {
        let delivery = key(person.key, Topic::Delivery, day as u64);
        let (is_late, is_again) = (delivery % 1000 < 15, delivery % 1000 >= 988);
        if !is_late && !is_again {
            return Hitch { days: 0, is_late: false, at: 0 };
        }
        let mut draw = Draw::new(delivery);
        Hitch { days: 1 + draw.below(LATEST as u32) as Day, is_late, at: draw.below(DAY_MS - 60_000) }
    }
}

#[cfg(test)]
mod tests;
