//! What to generate.

use event_schema::value::{Date, DateError};

/// What to generate. The same plan always gives the same bytes; the content of a day does not depend on
/// [`days`](Plan::days).
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The first day.
    pub start: Date,
    /// How many days.
    pub days: u32,
    /// How many users the product has gathered in the 120 days before the first day; one per cent of that
    /// number joins on every day after, and some leave. A quarter of them are seen on a day at first. A
    /// million users make days of about 1 GB (2.8 million lines) in the first weeks, of half as much again
    /// after half a year, of twice as much after a year and a half.
    pub users: u64,
    /// Two seeds make two different worlds.
    pub seed: u64,
    /// Lines that break the contract, as a share of all lines; from 0 to 0.5. They come on top: the good
    /// lines are the same whatever the share.
    pub reject_share: f64,
    /// How the good lines are spelt.
    pub spelling: Spelling,
}

/// How clients spell their events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spelling {
    /// As a product's clients do: nearly all compact and in the contract's order, a few in their own way.
    #[default]
    Mixed,
    /// All as scripting languages write JSON: sorted keys, a blank after each comma and colon, everything
    /// beyond ASCII escaped.
    Script,
    /// All with keys in another order on each line, and with fields that the contract does not know.
    Shuffled,
    /// As the typed events write themselves, and payloads of the product's own events hold a long text of
    /// several alphabets.
    Prose,
}

/// A plan that cannot be carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No day at all.
    #[error("a plan needs at least one day: give `days` of 1 or more")]
    NoDays,
    /// No user, or more than ids are made for.
    #[error("expected 1 to {} users, found {found}", Plan::MAX_USERS)]
    Users {
        /// The users asked for.
        found: u64,
    },
    /// The reject share is no share, or leaves too few good lines.
    #[error("expected a reject share from 0 to 0.5, found {found}")]
    RejectShare {
        /// The share asked for.
        found: f64,
    },
    /// Too early or too late for the contract's times and dates.
    #[error(
        "expected days from {} to {}, found {first} and the {days} days from there",
        Plan::first_day(),
        Plan::last_day()
    )]
    Days {
        /// The first day asked for.
        first: Date,
        /// How many days were asked for.
        days: u32,
    },
    /// A part that is not one of the parts.
    #[error("expected a part from 0 to below the number of parts ({parts}), found {part}")]
    Part {
        /// The part asked for, from 0.
        part: u32,
        /// How many parts there are.
        parts: u32,
    },
}

impl Plan {
    /// The share of bad lines unless said otherwise.
    pub const REJECT_SHARE: f64 = 0.002;
    /// The most users of a plan.
    pub const MAX_USERS: u64 = 10_000_000_000;
    /// Bytes of plain day files for each of [`Plan::users`], on an average day of the first weeks.
    pub const BYTES_PER_USER: u64 = 1000;

    /// A plan with seed 1, the usual share of bad lines and the usual spelling.
    pub const fn new(start: Date, days: u32, users: u64) -> Plan {
        let (seed, reject_share) = (1, Self::REJECT_SHARE);
        Plan { start, days, users, seed, reject_share, spelling: Spelling::Mixed }
    }

    /// A plan with as many users as make about `bytes` of plain lines on an average day of the first weeks.
    pub const fn for_bytes(start: Date, days: u32, bytes: u64) -> Plan {
        let users = bytes / Self::BYTES_PER_USER;
        Plan::new(start, days, if users == 0 { 1 } else { users })
    }

    /// The days of the plan, in order.
    pub fn dates(&self) -> impl Iterator<Item = Date> + use<> {
        let start = self.start;
        (0..self.days).filter_map(move |n| start.plus_days(n as i32))
    }

    pub(crate) fn check(&self) -> Result<(), PlanError> {
        if self.days == 0 {
            return Err(PlanError::NoDays);
        }
        if !(1..=Self::MAX_USERS).contains(&self.users) {
            return Err(PlanError::Users { found: self.users });
        }
        if !(0.0..=0.5).contains(&self.reject_share) {
            return Err(PlanError::RejectShare { found: self.reject_share });
        }
        let last = i32::try_from(self.days - 1).ok().and_then(|days| self.start.plus_days(days));
        match last {
            Some(last) if self.start >= Self::first_day() && last <= Self::last_day() => Ok(()),
            _ => Err(PlanError::Days { first: self.start, days: self.days }),
        }
    }

    /// Late events of the first day stay inside the contract's times.
    const fn first_day() -> Date {
        Date::from_days(10_988)
    }

    /// Yearly periods begun on the last day stay inside the contract's dates.
    const fn last_day() -> Date {
        Date::from_days(62_090)
    }
}

/// A calendar day's number, as [`Date::days`], with room for days before 1970 and after 2149.
pub(crate) type Day = i32;

/// The date of a day that the plan's check has put inside the range.
pub(crate) fn date(day: Day) -> Date {
    u16::try_from(day).map(Date::from_days).expect("a plan's days leave room for its periods")
}

/// The same day of the month `months` later, or the month's last where it has no such day.
pub(crate) fn add_months(day: Day, months: u32) -> Day {
    let (year, month, of_month) = date(day).ymd();
    let months = month - 1 + months;
    let (year, month) = (year + (months / 12) as i32, months % 12 + 1);
    (1..=of_month)
        .rev()
        .map(|of_month| Date::new(year, month, of_month))
        .find_map(|date: Result<Date, DateError>| date.ok())
        .map_or(Day::from(Date::MAX.days()), |date| Day::from(date.days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_ends_are_clipped() {
        let day = |text: &str| Day::from(text.parse::<Date>().expect("a date").days());
        assert_eq!(add_months(day("2027-11-30"), 3), day("2028-02-29"));
        assert_eq!(add_months(day("2026-01-31"), 1), day("2026-02-28"));
        assert_eq!(add_months(day("2026-01-31"), 2), day("2026-03-31"));
        assert_eq!(add_months(day("2024-02-29"), 12), day("2025-02-28"));
    }

    #[test]
    fn plans_that_cannot_be_carried_out_are_refused() {
        let plan = Plan::new("2026-03-01".parse().expect("a date"), 7, 100);
        assert_eq!(plan.check(), Ok(()));
        assert_eq!(Plan { days: 0, ..plan.clone() }.check(), Err(PlanError::NoDays));
        assert_eq!(Plan { users: 0, ..plan.clone() }.check(), Err(PlanError::Users { found: 0 }));
        assert_eq!(
            Plan { reject_share: 0.6, ..plan.clone() }.check(),
            Err(PlanError::RejectShare { found: 0.6 })
        );
        assert!(Plan { reject_share: f64::NAN, ..plan.clone() }.check().is_err());
        assert!(Plan { days: u32::MAX, ..plan.clone() }.check().is_err());
        let early = Plan { start: Date::MIN, ..plan }.check().expect_err("1970 is too early");
        assert!(early.to_string().starts_with("expected days from 2000-02-01 to 2139-"), "{early}");
    }
}
