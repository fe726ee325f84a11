//! Users: who they are, when they come, on which days they are active, when they leave.
//!
//! Everything here is a pure function of the seed, the user's number and the day, so any day can be made
//! without those before it.

use crate::draw::{Draw, Topic, key, mix};
use crate::experiment;
use crate::plan::{Day, Plan};
use crate::world::{COUNTRIES, PLATFORMS, WEEKDAYS};

/// Days over which the first [`Plan::users`] arrived.
const GATHERED_OVER: u32 = 120;
/// Share of [`Plan::users`] that joins on each day from the first on: 1 in this many.
const DAILY_JOINERS: u64 = 100;

/// How many users have arrived by the end of `day`.
pub(crate) fn arrived_by(plan: &Plan, day: Day) -> u64 {
    let open = u64::try_from(day + 1 - start(plan)).unwrap_or(0);
    plan.users + (open * plan.users).div_ceil(DAILY_JOINERS)
}

pub(crate) fn start(plan: &Plan) -> Day {
    Day::from(plan.start.days())
}

/// One user.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) key: u64,
    /// The user's number, from 0.
    pub(crate) user: u64,
    pub(crate) arrival: Day,
    /// The last day of possible activity.
    pub(crate) leaves: Day,
    /// Activity on an average day, per million.
    rate: u64,
    /// Index of [`COUNTRIES`].
    pub(crate) country: u8,
    /// Users of one of [`PLATFORMS`], some of two.
    pub(crate) platforms: [u8; 2],
    /// What a user can do on arrival; tasks are as hard.
    pub(crate) skill: f64,
    /// The day of the first trial or purchase.
    pub(crate) converts: Option<Day>,
}

/// Who a person is as a learner: weight, rate per million, days of staying, per mille converting.
const HABITS: [(u32, u64, u32, u32); 4] =
    [(34, 250_000, 5, 12), (38, 300_000, 50, 90), (22, 520_000, 240, 260), (6, 820_000, 900, 520)];

impl Person {
    /// The user of a number, unless nothing of them can stand in the files of `from` to `to`.
    pub(crate) fn alive(plan: &Plan, user: u64, from: Day, to: Day) -> Option<Person> {
        let person_key = key(plan.seed, Topic::Person, user);
        let arrival = arrival(plan, user, person_key);
        if arrival > to {
            return None;
        }
        let mut draw = Draw::new(person_key);
        let habit = HABITS[draw.weighted(HABITS.map(|habit| habit.0))];
        // The square makes most stays short and a few long.
        let stay = f64::from(habit.2) * 3.0 * draw.unit() * draw.unit();
        let leaves = arrival + stay as Day;
        // A subscription begins its last period at most 25 days later, and is refunded in 17.
        if leaves + 45 < from {
            return None;
        }
        let country = draw.weighted(COUNTRIES.map(|country| country.weight)) as u8;
        let first = draw.weighted(PLATFORMS.map(|platform| platform.weight)) as u8;
        let second =
            if draw.chance(220) { (first + 1 + draw.below(2) as u8) % PLATFORMS.len() as u8 } else { first };
        let mut person = Person {
            key: person_key,
            user,
            arrival,
            leaves,
            rate: habit.1,
            country,
            platforms: [first, second],
            skill: draw.unit() + draw.unit() - 0.7,
            converts: None,
        };
        person.converts = person.conversion(plan, habit.3);
        Some(person)
    }

    /// Converts of their own accord, or after the paywall they met in an experiment.
    fn conversion(&self, plan: &Plan, per_mille: u32) -> Option<Day> {
        let mut draw = Draw::new(key(self.key, Topic::Conversion, 0));
        let day = if draw.chance(per_mille) {
            Some(self.arrival + if draw.chance(400) { 0 } else { 1 + draw.below(24) as Day })
        } else {
            experiment::paywall_conversion(plan, self)
        };
        day.filter(|day| *day <= self.leaves)
    }

    /// Whether the user opens the product that day.
    pub(crate) fn is_active(&self, day: Day) -> bool {
        if day < self.arrival || day > self.leaves {
            return false;
        }
        if day == self.arrival || Some(day) == self.converts {
            return true;
        }
        let (week, weekday) = ((day + 3).div_euclid(7), (day + 3).rem_euclid(7));
        let away = key(self.key, Topic::Pause, week as u64) % 1000 < 80;
        if away && week != (self.arrival + 3).div_euclid(7) {
            return false;
        }
        let novelty = if day - self.arrival < 7 { 125 } else { 100 };
        let chance = self.rate * WEEKDAYS[weekday as usize] * novelty / 10_000;
        key(self.key, Topic::Activity, day as u64) % 1_000_000 < chance
    }

    /// The country's code, which a few users' clients never tell.
    pub(crate) fn country_code(&self) -> Option<&'static str> {
        (!mix(self.key).is_multiple_of(200)).then(|| COUNTRIES[usize::from(self.country)].code)
    }

    /// How far the device's clock is ahead: nothing, but for one user in 400, whose events seem to come
    /// from later that day or from the next.
    pub(crate) fn clock_ahead_ms(&self) -> u32 {
        let habit = key(self.key, Topic::Habits, 0);
        if habit.is_multiple_of(400) { 900_000 * (1 + (habit >> 32) as u32 % 56) } else { 0 }
    }

    /// Two courses, the first liked better.
    pub(crate) fn courses(&self, count: u32) -> [u8; 2] {
        let mut draw = Draw::new(key(self.key, Topic::Habits, 1));
        let first = draw.below(count);
        [first as u8, ((first + 1 + draw.below(count - 1)) % count) as u8]
    }
}

/// The day a user comes for the first time.
fn arrival(plan: &Plan, user: u64, person_key: u64) -> Day {
    if user < plan.users {
        // Linear growth up to the first day: the larger of two draws.
        let (a, b) = (mix(person_key ^ 1) >> 32, mix(person_key ^ 2) >> 32);
        let since = (((a.min(b)) * u64::from(GATHERED_OVER)) >> 32) as Day;
        start(plan) - 1 - since
    } else {
        start(plan) + ((user - plan.users) * DAILY_JOINERS / plan.users) as Day
    }
}
