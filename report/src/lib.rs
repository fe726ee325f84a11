//! The marts as one HTML page: charts and tables that need nothing but the file itself. No IO.
//!
//! [`parts`] says what is to be read; whoever has a connection reads it and gives the rows to [`page`].
//!
//! - `parts`: which figures stand on the page, with the query of each;
//! - `as_of`: what the figures are as of, and what is to be doubted;
//! - `chart`: lines over time, as SVG;
//! - `table`: cohorts as a grid of shades, experiments as a list;
//! - `page`: the page around them.

mod as_of;
mod chart;
mod page;
mod parts;
mod table;

#[cfg(test)]
mod tests;

use event_schema::value::Date;
use metrics_sql::sql::Query;
use serde_json::{Map, Value};

pub use as_of::{AsOf, Questions};
pub use page::page;
pub use parts::parts;

/// A row of a query's answer, by column.
pub type Row = Map<String, Value>;

/// Which dates are shown; a missing bound is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// The first date.
    pub from: Option<Date>,
    /// The last date.
    pub to: Option<Date>,
}

/// One chart or table of the page.
#[derive(Debug, Clone)]
pub struct Part {
    pub(crate) title: &'static str,
    pub(crate) note: &'static str,
    /// The mart it reads.
    pub(crate) mart: &'static str,
    pub(crate) query: Query,
    pub(crate) form: Form,
}

impl Part {
    /// What is to be read for it: figures of a mart, in the order of its keys.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// What it shows.
    pub fn title(&self) -> &'static str {
        self.title
    }
}

/// How figures are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// A line for each of these columns, over the column `x`.
    Lines { x: &'static str, lines: &'static [&'static str], unit: Unit },
    /// A line for each value of the column `by`.
    LinesBy { by: &'static str, x: &'static str, y: &'static str, unit: Unit },
    /// A grid of shares: a row for each value of one column, a column for each of another.
    Cohorts { row: &'static str, size: &'static str, column: &'static str, share: &'static str },
    /// The rows as they are.
    List { columns: &'static [(&'static str, Unit)] },
}

/// What numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Money,
    Share,
    /// A number of no unit of its own.
    Number,
    Text,
}

/// The number in a column; `None` where it is absent or `NULL`.
pub(crate) fn number(row: &Row, column: &str) -> Option<f64> {
    match row.get(column)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The text in a column.
pub(crate) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}
