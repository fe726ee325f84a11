//! The catalogue: every figure of the marts by its name, what it means, and the query that reads it.

use event_schema::value::Date;
use thiserror::Error;

use crate::custom::CustomMetric;
use crate::model::{Column, ColumnTest, Layer, Model, Role};
use crate::sql::{Expr, Literal, Order, Query, Relation, Select, SqlType, col, text};

/// Key columns of which one value is read at a time; the first value is the default.
const CHOICES: [&str; 3] = ["segment", "period", "cohort_period"];
/// The column with the values of the chosen segment.
const SEGMENT_VALUE: &str = "segment_value";
/// Letters from which on a part of a name is taken for a hint.
const LEAST_PART: usize = 4;
/// What the default segment is called; it has no values.
const OVERALL: &str = "overall";

/// A figure of a mart.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    mart: Model,
    column: Column,
    is_unique: bool,
}

/// Which rows of a metric are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slice {
    /// The first date, or `None` for all from the beginning.
    pub from: Option<Date>,
    /// The last date, or `None` for all to the end.
    pub to: Option<Date>,
    /// Segments (`platform`) and periods (`week`) to read by.
    pub by: Vec<String>,
}

/// Why a metric cannot be found or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// No mart has such a figure.
    #[error("there is no metric `{name}`{}; `schoolbell metrics list` shows all", nearest(near))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names that resemble it.
        near: Vec<String>,
    },
    /// More than one mart has a figure of that name.
    #[error("more than one mart has a metric `{name}`: say {}", candidates.join(" or "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The full names.
        candidates: Vec<String>,
    },
    /// It is a model's name, not a metric's.
    #[error("`{name}` is a model of dbt, not a metric: {}", of_model(name, metrics))]
    IsModel {
        /// The model.
        name: String,
        /// The metrics that it has, if it is a mart.
        metrics: Vec<String>,
    },
    /// The metric is not kept by this.
    #[error("`{metric}` cannot be read by `{by}`{}; it has {}", nearest(near), one_of(allowed))]
    UnknownSlice {
        /// The metric.
        metric: String,
        /// What was asked for.
        by: String,
        /// What resembles it.
        near: Vec<String>,
        /// What it can be read by.
        allowed: Vec<String>,
    },
    /// Two values of one column were asked for.
    #[error("`{metric}` is read by `{first}` or by `{second}`, not by both at once")]
    TwoOfAKind {
        /// The metric.
        metric: String,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// The mart has no dates to choose from.
    #[error("`{metric}` has no dates: leave out --from and --to")]
    NoDates {
        /// The metric.
        metric: String,
    },
}

#[cfg(test)]
mod tests;

fn nearest(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", near.join(", ")) }
}

fn of_model(name: &str, metrics: &[String]) -> String {
    if metrics.is_empty() {
        format!("`schoolbell metrics sql {name}` prints its SQL")
    } else {
        format!("its metrics are {}", metrics.join(", "))
    }
}

fn one_of(allowed: &[String]) -> String {
    if allowed.is_empty() { "nothing to be read by".to_owned() } else { allowed.join(", ") }
}

/// Every metric, in the order of the marts and their columns; the user's own come last.
pub fn metrics(custom: &[CustomMetric]) -> Vec<Metric> {
    let marts = models(custom).filter(|model| model.id.layer == Layer::Mart);
    let figures: Vec<(Model, Column)> = marts
        .flat_map(|mart| {
            let figures: Vec<Column> =
                mart.columns.iter().filter(|column| is_figure(column)).cloned().collect();
            figures.into_iter().map(move |column| (mart.clone(), column))
        })
        .collect();
    let times = |name| figures.iter().filter(|(_, column)| column.name == name).count();
    let unique: Vec<bool> = figures.iter().map(|(_, column)| times(column.name.clone()) == 1).collect();
    figures
        .into_iter()
        .zip(unique)
        .map(|((mart, column), is_unique)| Metric { mart, column, is_unique })
        .collect()
}

fn models(custom: &[CustomMetric]) -> impl Iterator<Item = Model> {
    crate::models().into_iter().chain(custom.iter().flat_map(crate::custom::models))
}

fn is_figure(column: &Column) -> bool {
    matches!(column.role, Role::Measure | Role::Ratio)
}

/// The metric of that name: a column's, or where several marts have one, the mart's with the column's behind a
/// point.
///
/// # Errors
/// Where there is none, or more than one.
pub fn find(name: &str, custom: &[CustomMetric]) -> Result<Metric, CatalogueError> {
    let mut found: Vec<Metric> = metrics(custom);
    if let Some(model) = models(custom).find(|model| model.id.name.as_str() == name) {
        found.retain(|metric| metric.mart.id == model.id);
        let metrics = found.iter().map(Metric::name).collect();
        return Err(CatalogueError::IsModel { name: name.to_owned(), metrics });
    }
    // What was asked for may be a column, or with a mart before it; what is named in an answer can be asked for.
    let known = |metric: &Metric| {
        let column = metric.column.name.as_str();
        (if name.contains('.') { metric.full_name() } else { column.to_owned() }, metric.name())
    };
    let mut all: Vec<(String, String)> = found.iter().map(known).collect();
    all.extend(
        models(custom).map(|model| model.id.name.as_str().to_owned()).map(|name| (name.clone(), name)),
    );
    found.retain(|metric| metric.column.name.as_str() == name || metric.full_name() == name);
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(CatalogueError::Unknown { name: name.to_owned(), near: similar(name, all) }),
        _ => Err(CatalogueError::Ambiguous {
            name: name.to_owned(),
            candidates: found.iter().map(Metric::full_name).collect(),
        }),
    }
}

/// Of names, each with what it is told as, those that are most like what was asked for.
fn similar(name: &str, names: Vec<(String, String)>) -> Vec<String> {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    // Also a part of a name, such as `revenue`.
    let is_part = |known: &str| name.len() >= LEAST_PART && known.contains(name);
    let mut near: Vec<(String, String)> =
        names.into_iter().filter(|(known, _)| likeness(known) > 0.85 || is_part(known)).collect();
    near.sort_by(|(a, _), (b, _)| likeness(b).total_cmp(&likeness(a)));
    near.truncate(3);
    near.into_iter().map(|(_, told)| told).collect()
}

impl Metric {
    /// Its name: the column's, with the mart's before it where several marts have such a column.
    pub fn name(&self) -> String {
        if self.is_unique { self.column.name.as_str().to_owned() } else { self.full_name() }
    }

    /// The mart's name and the column's.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.mart.id.name.as_str(), self.column.name.as_str())
    }

    /// The mart it stands in.
    pub fn mart(&self) -> &Model {
        &self.mart
    }

    /// Its column: meaning, type and unit.
    pub fn column(&self) -> &Column {
        &self.column
    }

    /// Whether it can be read from one date to another.
    pub fn has_dates(&self) -> bool {
        self.date().is_some()
    }

    /// The column of its dates, if it has any.
    pub fn date_name(&self) -> Option<&str> {
        self.date().map(|key| key.name.as_str())
    }

    /// The segments and periods it can be read by; the first of each kind is the default.
    pub fn can_be_read_by(&self) -> Vec<String> {
        self.choices().flat_map(|(_, values)| values.to_vec()).filter(|value| value != OVERALL).collect()
    }

    /// The query that reads it, in the order of its keys.
    ///
    /// # Errors
    /// Where the metric does not have what is asked for.
    pub fn query(&self, slice: &Slice) -> Result<Query, CatalogueError> {
        let chosen = self.chosen(&slice.by)?;
        let mut select = Select::from(Relation::from(self.mart.id.clone()));
        for key in self.keys() {
            let name = key.name.as_str();
            let value = col(key.name.clone());
            let choice =
                |column: &str| chosen.iter().find(|(known, _)| *known == column).map(|(_, value)| value);
            if let Some(value) = choice(name) {
                select = select.filter(col(key.name.clone()).equals(text(value.clone())));
                continue;
            }
            let shown = match choice("segment") {
                Some(segment) if name == SEGMENT_VALUE && segment == OVERALL => continue,
                Some(segment) if name == SEGMENT_VALUE => segment.clone(),
                _ => name.to_owned(),
            };
            select = select.item(value.clone(), shown).order_by([Order::by(value)]);
        }
        for (date, keep) in
            [(slice.from, Expr::at_least as fn(Expr, Expr) -> Expr), (slice.to, Expr::at_most)]
        {
            let Some(date) = date else { continue };
            let Some(key) = self.date() else { return Err(CatalogueError::NoDates { metric: self.name() }) };
            let date = Expr::Literal(Literal::Date(date.to_string()));
            select = select.filter(keep(col(key.name.clone()), date));
        }
        Ok(select.item(col(self.column.name.clone()), self.column.name.clone()).into())
    }

    fn keys(&self) -> impl Iterator<Item = &Column> {
        self.mart.columns.iter().filter(|column| column.role == Role::Key)
    }

    fn date(&self) -> Option<&Column> {
        self.keys().find(|key| key.ty == SqlType::Date)
    }

    /// The columns of which one value is read at a time, with their values.
    fn choices(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.keys().filter(|key| CHOICES.contains(&key.name.as_str())).filter_map(|key| {
            key.tests.iter().find_map(|test| match test {
                ColumnTest::OneOf(values) => Some((key.name.as_str(), values.as_slice())),
                ColumnTest::Within(..) => None,
            })
        })
    }

    /// The value of each such column.
    fn chosen(&self, by: &[String]) -> Result<Vec<(&str, String)>, CatalogueError> {
        let mut asked: Vec<(&str, &String)> = Vec::new();
        for wanted in by {
            let Some((column, _)) = self.choices().find(|(_, values)| values.contains(wanted)) else {
                return Err(CatalogueError::UnknownSlice {
                    metric: self.name(),
                    by: wanted.clone(),
                    near: similar(
                        wanted,
                        self.can_be_read_by().into_iter().map(|by| (by.clone(), by)).collect(),
                    ),
                    allowed: self.can_be_read_by(),
                });
            };
            if let Some((_, first)) = asked.iter().find(|(known, first)| *known == column && *first != wanted)
            {
                return Err(CatalogueError::TwoOfAKind {
                    metric: self.name(),
                    first: (*first).clone(),
                    second: wanted.clone(),
                });
            }
            asked.push((column, wanted));
        }
        let value = |column: &str, values: &[String]| {
            asked
                .iter()
                .find(|(known, _)| *known == column)
                .map_or_else(|| values[0].clone(), |(_, value)| (*value).clone())
        };
        Ok(self.choices().map(|(column, values)| (column, value(column, values))).collect())
    }
}
