//! Which day a source is of, by its name.

use std::collections::BTreeMap;

use event_schema::value::Date;
use event_source::{Options, Resolved, Source};

use super::check_dates;
use crate::failure::{Code, Failure};

/// The date in a source's name; an error where that has none, or several.
pub(super) fn date_of(source: &Source) -> Result<Date, Failure> {
    let name = source.name();
    match source.dates_in_name().as_slice() {
        [date] => Ok(*date),
        [] => Err(Failure::new(
            Code::Usage,
            format_args!(
                "the name of {name} holds no date (YYYY-MM-DD): say which day it is with --batch-date"
            ),
        )),
        [first, second, ..] => Err(several_dates(name, *first, *second)),
    }
}

/// The date in a source's name, or `otherwise` where that has none; an error where it has several.
pub(super) fn date_of_or(source: &Source, otherwise: Date) -> Result<Date, Failure> {
    if source.dates_in_name().is_empty() { Ok(otherwise) } else { date_of(source) }
}

fn several_dates(name: &str, first: Date, second: Date) -> Failure {
    Failure::new(
        Code::Usage,
        format_args!(
            "the name of {name} holds more than one date, {first} and {second}: say which day it is with --batch-date"
        ),
    )
}

/// The sources of each day from one date to another, by the dates in their names.
pub(super) fn by_date(
    resolved: Resolved,
    options: &Options,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<BTreeMap<Date, Resolved>, Failure> {
    check_dates(from, to)?;
    let dates = resolved.sources.iter().map(date_of).collect::<Result<Vec<_>, _>>()?;
    let mut dates = dates.into_iter();
    let mut days = resolved.split_by(options, |_| dates.next().expect("each source has a date"));
    let (first, last) = (days.keys().next().copied(), days.keys().next_back().copied());
    days.retain(|date, _| from.is_none_or(|from| from <= *date) && to.is_none_or(|to| *date <= to));
    match (first, last) {
        (Some(first), Some(last)) if days.is_empty() => Err(Failure::new(
            Code::NoInput,
            format_args!("no source is of a date that --from and --to allow: they are of {first} to {last}"),
        )),
        _ => Ok(days),
    }
}
