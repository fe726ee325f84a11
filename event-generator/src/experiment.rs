//! A/B tests: which run when, who is put into which variant, and what it does to them.

use crate::draw::{Draw, Topic, key};
use crate::person::{Person, start};
use crate::plan::{Day, Plan};

/// A test that is run again and again, each round under its own id.
pub(crate) struct Experiment {
    pub(crate) name: &'static str,
    /// The round's first day, counted from the plan's.
    first: Day,
    /// Days on which newcomers are still put in.
    lasts: Day,
    /// Variants and their weights.
    pub(crate) variants: &'static [(&'static str, u32)],
}

/// Days from one round's start to the next's.
const EVERY: Day = 60;
/// Old users meet the test within this many days.
const SPREAD: u32 = 10;

pub(crate) const EXPERIMENTS: [Experiment; 3] = [
    Experiment { name: "paywall", first: 2, lasts: 21, variants: &[("control", 50), ("short", 50)] },
    Experiment {
        name: "hints",
        first: 5,
        lasts: 28,
        variants: &[("control", 34), ("inline", 33), ("video", 33)],
    },
    Experiment { name: "onboarding", first: -7, lasts: 45, variants: &[("a", 50), ("b", 50)] },
];
const PAYWALL: usize = 0;
const HINTS: usize = 1;

/// A user in a round of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enrolment {
    /// Index of [`EXPERIMENTS`].
    pub(crate) experiment: u8,
    pub(crate) round: u16,
    /// Index of the experiment's variants.
    pub(crate) variant: u8,
    pub(crate) day: Day,
}

/// The round that has begun most lately on `day`.
fn round(plan: &Plan, experiment: usize, day: Day) -> Option<u16> {
    let since = day - start(plan) - EXPERIMENTS[experiment].first;
    u16::try_from(since.div_euclid(EVERY)).ok()
}

/// When and where the user is put into a round, should they be active on that day.
fn enrolment(plan: &Plan, person: &Person, experiment: usize, round: u16) -> Option<Enrolment> {
    let test = &EXPERIMENTS[experiment];
    let begins = start(plan) + test.first + Day::from(round) * EVERY;
    let number = u64::from(round) << 8 | experiment as u64;
    let mut draw = Draw::new(key(person.key, Topic::Enrolment, number));
    let day = match person.arrival - begins {
        ..0 => begins + draw.below(SPREAD) as Day,
        since if since < test.lasts => person.arrival,
        _ => return None,
    };
    if day > person.leaves || draw.chance(150) {
        return None;
    }
    let variant = draw.weighted(test.variants.iter().map(|variant| variant.1)) as u8;
    Some(Enrolment { experiment: experiment as u8, round, variant, day })
}

/// The assignments a user is given on an active day.
pub(crate) fn assigned_on(plan: &Plan, person: &Person, day: Day) -> impl Iterator<Item = Enrolment> {
    (0..EXPERIMENTS.len())
        .filter_map(move |experiment| enrolment(plan, person, experiment, round(plan, experiment, day)?))
        .filter(move |enrolment| enrolment.day == day)
}

/// Assignments that are told again on a later day; of a few users, with another variant.
pub(crate) fn told_again_on(plan: &Plan, person: &Person, day: Day) -> impl Iterator<Item = Enrolment> {
    (0..EXPERIMENTS.len()).filter_map(move |experiment| {
        let round = round(plan, experiment, day)?;
        let mut draw = Draw::new(key(person.key, Topic::Crossing, u64::from(round) << 8 | experiment as u64));
        if !draw.chance(40) {
            return None;
        }
        let after = 1 + draw.below(5) as Day;
        let mut enrolment = enrolment(plan, person, experiment, round)?;
        if enrolment.day + after != day || !person.is_active(enrolment.day) {
            return None;
        }
        if draw.chance(350) {
            enrolment.variant = (enrolment.variant + 1) % EXPERIMENTS[experiment].variants.len() as u8;
        }
        Some(enrolment)
    })
}

/// The day the paywall wins a user, in any round; the short one wins more of them.
pub(crate) fn paywall_conversion(plan: &Plan, person: &Person) -> Option<Day> {
    let last = round(plan, PAYWALL, person.leaves)?;
    let first = round(plan, PAYWALL, person.arrival).unwrap_or(0);
    (first..=last).find_map(|round| {
        let enrolment = enrolment(plan, person, PAYWALL, round)?;
        let mut draw = Draw::new(key(person.key, Topic::Paywall, u64::from(round)));
        let wins = draw.chance(if enrolment.variant == 1 { 100 } else { 60 });
        (wins && person.is_active(enrolment.day)).then(|| enrolment.day + draw.below(12) as Day)
    })
}

/// What the hints shown add to a user's skill on `day`.
pub(crate) fn hint_bonus(plan: &Plan, person: &Person, day: Day) -> f64 {
    round(plan, HINTS, day)
        .and_then(|round| enrolment(plan, person, HINTS, round))
        .filter(|enrolment| enrolment.day <= day && person.is_active(enrolment.day))
        .map_or(0.0, |enrolment| [0.0, 0.25, 0.1][usize::from(enrolment.variant)])
}

#[cfg(test)]
mod tests;
