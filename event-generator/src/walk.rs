//! What a user does in a visit, step by step: opens, watches, answers, looks around, leaves.

use crate::draw::{Draw, Topic, key};
use crate::fact::{Fact, Kind, Plain, Task, What};
use crate::person::Person;
use crate::plan::Day;
use crate::visit::{DAY_MS, Delivery};
use crate::world::{COURSES, TASKS};

/// Nobody starts anything new after this long, in milliseconds.
const LONGEST: u32 = 5_400_000;
/// Events reach the day file at most this many milliseconds after they happened, unless they are late.
const TRANSPORT: u32 = 2000;
/// Milliseconds between the events of a batch that is delivered at once.
const BATCH_STEP: u32 = 3;

/// A visit in progress.
pub(crate) struct Walk<'a> {
    draw: Draw,
    key: u64,
    slot: u32,
    begins: u32,
    now: u32,
    /// The visit's first fact.
    first: usize,
    facts: &'a mut Vec<Fact>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(draw: Draw, key: u64, slot: u32, begins: u32, facts: &'a mut Vec<Fact>) -> Walk<'a> {
        Walk { draw, key, slot, begins, now: begins, first: facts.len(), facts }
    }

    /// Something happens now.
    pub(crate) fn tell(&mut self, kind: Kind) {
        let key = key(self.key, Topic::EventId, (self.facts.len() - self.first) as u64);
        let fact = Fact { order: self.now, at: self.now, key, slot: self.slot, is_copy: false, kind };
        self.facts.push(fact);
        self.wait(120, 900);
    }

    fn wait(&mut self, least: u32, more: u32) {
        self.now += least + self.draw.below(more);
    }

    fn plain(&mut self, what: What, course: u8, lesson: u8) {
        self.tell(Kind::Plain(Plain { what, course, lesson }));
    }

    fn is_over(&self) -> bool {
        self.now - self.begins > LONGEST
    }

    pub(crate) fn arrive(&mut self, platform: Option<&str>) {
        if self.draw.chance(90) {
            self.plain(What::NotificationOpened, 0, 0);
        }
        let opens = if platform == Some("web") { What::PageViewed } else { What::AppOpened };
        self.plain(opens, 0, 0);
        while self.draw.chance(330) && !self.is_over() {
            self.wait(2000, 40_000);
            self.plain(What::PageViewed, 0, 0);
        }
        if self.draw.chance(90) {
            self.wait(2000, 20_000);
            self.plain(What::SearchPerformed, 0, 0);
        }
    }

    /// Lessons, with what the user can do by that day.
    pub(crate) fn learn(&mut self, person: &Person, day: Day, bonus: f64) {
        let since = f64::from(day - person.arrival);
        let skill = person.skill + bonus + 1.2 * since / (since + 30.0);
        let courses = person.courses(COURSES.len() as u32);
        let mut more = 780;
        let mut next = 0;
        while self.draw.chance(more) && !self.is_over() {
            let course = courses[usize::from(self.draw.chance(250))];
            let lessons = u32::from(COURSES[usize::from(course)].lessons);
            let lesson = ((day - person.arrival) as u32 * 3 / 4 + next + self.draw.below(2)) % lessons;
            self.lesson(course, lesson as u8 + 1, skill);
            next += 1;
            more = 380;
        }
    }

    fn lesson(&mut self, course: u8, lesson: u8, skill: f64) {
        self.wait(1000, 15_000);
        self.plain(What::LessonOpened, course, lesson);
        if self.draw.chance(330) {
            self.wait(30_000, 400_000);
            self.plain(What::VideoWatched, course, lesson);
        }
        let first = self.draw.below(TASKS);
        for n in 0..self.draw.below(5) {
            let task = ((first + n) % TASKS) as u8 + 1;
            self.task(course, lesson, task, skill);
            if self.is_over() {
                return;
            }
        }
        if self.draw.chance(300) {
            self.wait(1000, 9000);
            self.plain(What::LessonCompleted, course, lesson);
            if self.draw.chance(120) {
                self.plain(What::AchievementUnlocked, course, lesson);
            }
        }
        if self.draw.chance(12) {
            self.wait(10_000, 90_000);
            self.plain(What::FeedbackSent, course, lesson);
        }
    }

    /// One task until it is solved or given up.
    fn task(&mut self, course: u8, lesson: u8, task: u8, skill: f64) {
        let mut against = skill - difficulty(course, lesson, task);
        for attempt in 1..=4 {
            // Slow answers are rare: the cube of an even draw.
            let slowness = self.draw.unit();
            let took = 2500 + (slowness * slowness * slowness * 150_000.0) as u32;
            self.now += took;
            let is_correct = self.draw.unit() < solving(against);
            let hints = if self.draw.chance(250) { 1 + self.draw.below(3) as u8 } else { 0 };
            let score = if is_correct { 100 - 10 * hints } else { 5 * self.draw.below(13) as u8 };
            let result = Task {
                course,
                lesson,
                task,
                attempt: if self.draw.chance(985) { attempt } else { 0 },
                is_correct,
                score: self.draw.chance(800).then_some(score),
                duration_ms: self.draw.chance(970).then_some(took),
                hints: (hints > 0 || self.draw.chance(300)).then_some(hints),
                names_course: !self.draw.chance(20),
            };
            self.tell(Kind::Task(result));
            if is_correct || self.draw.chance(300) {
                return;
            }
            against += 0.6;
        }
    }

    /// The visit itself is told when it ends.
    pub(crate) fn leave(&mut self) {
        self.wait(500, 60_000);
        let has_end = !self.draw.chance(40);
        self.tell(Kind::Visit { started: self.begins, has_end });
    }

    /// Moves the visit to where its lines stand in the file, and repeats a few of them.
    pub(crate) fn deliver(mut self, delivery: Delivery, clock_ahead: u32) {
        let facts = &mut self.facts[self.first..];
        // A visit ends on the day it begins: what would run past midnight happened a little earlier.
        let last = facts.last().map_or(0, |fact| fact.at);
        let back = if last < DAY_MS { 0 } else { last - DAY_MS + 1 + self.draw.below(600_000) };
        let moved = |at: u32| at.saturating_sub(back) + clock_ahead;
        for (n, fact) in facts.iter_mut().enumerate() {
            fact.at = moved(fact.at);
            if let Kind::Visit { started, .. } = &mut fact.kind {
                *started = moved(*started);
            }
            match delivery {
                Delivery::Live => fact.order += self.draw.below(TRANSPORT),
                Delivery::Late(at) | Delivery::Again(at) => fact.order = at + n as u32 * BATCH_STEP,
            }
            fact.is_copy = matches!(delivery, Delivery::Again(_));
        }
        if delivery == Delivery::Live {
            self.repeat();
        }
    }

    /// A client that got no answer sends an event again within a minute.
    fn repeat(&mut self) {
        for n in self.first..self.facts.len() {
            let fact = self.facts[n];
            let retry = key(fact.key, Topic::Copy, 0);
            if retry.is_multiple_of(500) {
                let order = fact.order + 500 + (retry >> 32) as u32 % 60_000;
                self.facts.push(Fact { order, is_copy: true, ..fact });
            }
        }
    }
}

/// How hard a task is, on the scale of skill.
fn difficulty(course: u8, lesson: u8, task: u8) -> f64 {
    let known = &COURSES[usize::from(course)];
    let number = u64::from(course) << 16 | u64::from(lesson) << 8 | u64::from(task);
    let own = Draw::new(key(0, Topic::Difficulty, number)).unit() * 1.6 - 0.8;
    known.difficulty + own + 0.6 * f64::from(lesson) / f64::from(known.lessons)
}

/// The chance of solving a task that is `against` easier than one's skill: a sigmoid made of operations
/// that give the same bits on every machine.
fn solving(against: f64) -> f64 {
    let x = against + 0.6;
    0.5 + 0.5 * x / (0.6 + x.abs())
}
