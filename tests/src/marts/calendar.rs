//! Dates, and the periods they fall into.

use jiff::Span;
use jiff::civil::{Date, Weekday};

/// A length of time that figures are given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A date.
    Day,
    /// Seven days, the first of them on this day of the week.
    Week(Weekday),
    /// A calendar month.
    Month,
}

impl Period {
    /// All of them, with weeks that begin on that day.
    pub fn all(week_start: Weekday) -> [Period; 3] {
        [Period::Day, Period::Week(week_start), Period::Month]
    }

    /// What marts call it.
    pub fn name(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Week(_) => "week",
            Period::Month => "month",
        }
    }

    /// The first day of the period that the date falls into.
    pub fn start(self, date: Date) -> Date {
        match self {
            Period::Day => date,
            Period::Week(first) => days_after(date, -i64::from(date.weekday().since(first))),
            Period::Month => date.first_of_month(),
        }
    }

    /// The first day of the period that comes so many periods after the one that begins on `start`.
    pub fn nth(self, start: Date, n: i64) -> Date {
        match self {
            Period::Day => days_after(start, n),
            Period::Week(_) => days_after(start, 7 * n),
            Period::Month => months_after(start, n),
        }
    }

    /// The last day of the period that begins on `start`.
    pub fn last_day(self, start: Date) -> Date {
        days_after(self.nth(start, 1), -1)
    }

    /// The first days of all periods from the one of `first` to the one of `last`.
    pub fn starts(self, first: Date, last: Date) -> Vec<Date> {
        let mut starts = Vec::new();
        let mut start = self.start(first);
        while start <= last {
            starts.push(start);
            start = self.nth(start, 1);
        }
        starts
    }
}

/// The date so many days later, or earlier.
pub fn days_after(date: Date, days: i64) -> Date {
    date.checked_add(Span::new().days(days)).expect("dates are far from the calendar's ends")
}

/// The same day of the month so many months later, or that month's last day where it has no such day.
pub fn months_after(date: Date, months: i64) -> Date {
    date.checked_add(Span::new().months(months)).expect("dates are far from the calendar's ends")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn periods_begin_on_mondays_or_sundays_and_firsts() {
        let [monday, sunday] = [Weekday::Monday, Weekday::Sunday].map(Period::Week);
        assert_eq!(monday.start(date(2026, 3, 1)), date(2026, 2, 23));
        assert_eq!(monday.start(date(2026, 2, 23)), date(2026, 2, 23));
        assert_eq!(sunday.start(date(2026, 3, 1)), date(2026, 3, 1));
        assert_eq!(sunday.start(date(2026, 2, 28)), date(2026, 2, 22));
        assert_eq!(Period::Month.last_day(date(2028, 2, 1)), date(2028, 2, 29));
        assert_eq!(Period::Month.starts(date(2026, 1, 31), date(2026, 3, 1)).len(), 3);
        assert_eq!(months_after(date(2026, 1, 31), 1), date(2026, 2, 28));
    }
}
