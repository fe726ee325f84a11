//! Visits of users: when they begin, who makes them with what, and the places they are kept in.

use std::fmt::Write as _;

use crate::compact;
use crate::draw::{Draw, Topic, key, mix};
use crate::experiment;
use crate::fact::{Fact, Kind, Visit};
use crate::money;
use crate::person::Person;
use crate::plan::{Day, Plan};
use crate::style::Style;
use crate::walk::Walk;
use crate::world::{COUNTRIES, HOURS, PLATFORMS, REFERRERS, WEB};

/// Milliseconds of a day.
pub(crate) const DAY_MS: u32 = 86_400_000;

/// How a visit's events reach the day file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// As they happen.
    Live,
    /// All at once, in milliseconds from the start of a later day.
    Late(u32),
    /// The same, though an earlier file has them.
    Again(u32),
}

/// A visit that is known to happen, and when its first line is due.
#[derive(Clone)]
pub(crate) struct Start {
    draw: Draw,
    key: u64,
    pub(crate) at: u32,
}

/// How many times the user visits on an active day.
pub(crate) fn visits(person: &Person, day: Day) -> u32 {
    1 + Draw::new(key(person.key, Topic::Visits, day as u64)).weighted([58, 28, 11, 3]) as u32
}

/// When a visit begins, by the user's local hours.
pub(crate) fn start(person: &Person, day: Day, index: u32) -> Start {
    let key = key(key(person.key, Topic::Visits, day as u64), Topic::Visits, u64::from(index) + 1);
    let mut draw = Draw::new(key);
    let local = draw.weighted(HOURS) as i32 * 3_600_000 + draw.below(3_600_000) as i32;
    let ahead = COUNTRIES[usize::from(person.country)].offset_minutes * 60_000;
    Start { draw, key, at: (local - ahead).rem_euclid(DAY_MS as i32) as u32 }
}

/// Visits under way, in places that are used again.
#[derive(Default)]
pub(crate) struct Slots {
    visits: Vec<Visit>,
    free: Vec<u32>,
}

impl Slots {
    pub(crate) fn get(&self, slot: u32) -> &Visit {
        &self.visits[slot as usize]
    }

    /// A place for a new visit.
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.visits.push(Visit::default());
            (self.visits.len() - 1) as u32
        })
    }

    /// One event of the visit has been written; its place is free after the last.
    pub(crate) fn written(&mut self, slot: u32) {
        let visit = &mut self.visits[slot as usize];
        visit.left -= 1;
        if visit.left == 0 {
            self.free.push(slot);
        }
    }
}

/// Adds the facts of a visit.
pub(crate) fn tell(
    plan: &Plan,
    person: &Person,
    day: Day,
    index: u32,
    delivery: Delivery,
    slots: &mut Slots,
    facts: &mut Vec<Fact>,
) {
    let Start { mut draw, key, at } = start(person, day, index);
    let first = facts.len();
    let slot = slots.take();
    let visit = &mut slots.visits[slot as usize];
    enter(visit, person, day, &mut draw, key);
    let mut walk = Walk::new(draw, key, slot, at, facts);
    if index == 0 {
        experiment::assigned_on(plan, person, day).for_each(|met| walk.tell(Kind::Assignment(met)));
    }
    walk.arrive(visit.platform);
    let bonus = experiment::hint_bonus(plan, person, day);
    walk.learn(person, day, bonus);
    if index == 0 {
        money::on(person, day, |money| {
            if money.by_hand {
                walk.tell(Kind::Money(money));
            }
        });
    }
    walk.leave();
    walk.deliver(delivery, person.clock_ahead_ms());
    visit.left = (facts.len() - first) as u32;
}

/// Adds what happens to a user without a visit: renewals, refunds, assignments told again.
pub(crate) fn tell_unattended(
    plan: &Plan,
    person: &Person,
    day: Day,
    slots: &mut Slots,
    facts: &mut Vec<Fact>,
) {
    let first = facts.len();
    let slot = slots.take();
    let batch = key(person.key, Topic::Visits, !(day as u64));
    let begins = unattended_start(person, day);
    unattended(plan, person, day, |kind| {
        let count = (facts.len() - first) as u32;
        let at = begins + count * 60_000;
        let key = key(batch, Topic::EventId, u64::from(count));
        facts.push(Fact { order: at, at, key, slot, is_copy: false, kind });
    });
    let visit = &mut slots.visits[slot as usize];
    let mut draw = Draw::new(batch);
    who(visit, person, day);
    visit.session_id.clear();
    visit.app_version.clear();
    visit.platform = draw.chance(700).then(|| PLATFORMS[usize::from(person.platforms[0])].name);
    visit.style = Style::draw(&mut draw);
    visit.left = (facts.len() - first) as u32;
    compact::prepare(visit);
}

/// The user, who is the same in every visit.
fn who(visit: &mut Visit, person: &Person, day: Day) {
    visit.day = day;
    visit.person_key = person.key;
    visit.user_id.clear();
    write!(visit.user_id, "u{:08}", person.user).expect("a string takes any text");
    visit.country = person.country_code();
}

/// The user with a device in hand.
fn enter(visit: &mut Visit, person: &Person, day: Day, draw: &mut Draw, visit_key: u64) {
    who(visit, person, day);
    visit.session_id.clear();
    write!(visit.session_id, "s-{:014x}", mix(visit_key) >> 8).expect("a string takes any text");
    let number = person.platforms[usize::from(draw.chance(300))];
    let platform = &PLATFORMS[usize::from(number)];
    visit.platform = (!draw.chance(4)).then_some(platform.name);
    // A release every two weeks; people lag behind, the web does not.
    let lag = if number == WEB { 0 } else { (mix(person.key ^ 3) % 45) as Day };
    let release = (day - lag) / 14;
    visit.app_version.clear();
    let (major, minor, patch) = (release / 20 - 65, release % 20, mix(release as u64) % 4);
    write!(visit.app_version, "{}.{minor}.{patch}", major.max(0)).expect("a string takes any text");
    let device = mix(person.key ^ u64::from(number)) as usize % platform.devices.len();
    (visit.device, visit.os) = platform.devices[device];
    visit.referrer = draw.chance(if number == WEB { 550 } else { 60 }).then(|| draw.pick(&REFERRERS));
    visit.style = Style::draw(draw);
    compact::prepare(visit);
}

/// What happens to a user without a visit.
pub(crate) fn unattended(plan: &Plan, person: &Person, day: Day, mut tell: impl FnMut(Kind)) {
    money::on(person, day, |money| {
        if !money.by_hand {
            tell(Kind::Money(money));
        }
    });
    experiment::told_again_on(plan, person, day).for_each(|enrolment| tell(Kind::Assignment(enrolment)));
}

/// When the first of it happens; the rest of the day leaves room for the others.
pub(crate) fn unattended_start(person: &Person, day: Day) -> u32 {
    Draw::new(key(person.key, Topic::Money, !(day as u64))).below(DAY_MS - 3_600_000)
}
