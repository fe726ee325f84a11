//! A mart's rows, and a warehouse held against them.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use jiff::civil::Date;
use serde_json::Value;

use super::Unit;
use super::money::to_f64;
use crate::world::World;

/// One figure, or a part of a row's key.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A name.
    Text(String),
    /// A date.
    Date(Date),
    /// A period's number or a number of days, of any unsigned type.
    Index(u64),
    /// A number of users, events, …: `UInt64`.
    Count(u64),
    /// Exact money: `Decimal(38, 16)`.
    Money(Unit),
    /// A ratio or a median, `None` where there is none: a `Float64` that agrees to 10⁻¹².
    Rate(Option<f64>),
    /// A statistic: a `Float64` that agrees to 10⁻⁶, and how large the numbers are that it comes from: what is zero
    /// but for their rounding has no digits to compare.
    Statistic(Option<f64>, f64),
    /// A truth value.
    Bool(bool),
    /// Several names, in their order.
    Texts(Vec<String>),
}

impl Cell {
    /// A name.
    pub fn text(text: impl AsRef<str>) -> Cell {
        Cell::Text(text.as_ref().to_owned())
    }

    /// A number of things.
    pub fn count(count: usize) -> Cell {
        Cell::Count(count as u64)
    }

    /// The ratio of two counts, which there is none of where the second is zero.
    pub fn ratio(part: usize, whole: usize) -> Cell {
        Cell::Rate((whole > 0).then(|| part as f64 / whole as f64))
    }

    /// Money for each of a count.
    pub fn money_ratio(money: Unit, whole: usize) -> Cell {
        Cell::Rate((whole > 0).then(|| to_f64(money) / whole as f64))
    }

    /// What a query is to select of the column.
    fn selected(&self, column: &str) -> String {
        match self {
            Cell::Date(_) | Cell::Money(_) => format!("toString({column})"),
            _ => column.to_owned(),
        }
    }

    /// The types that the column may have.
    fn types(&self) -> &'static [&'static str] {
        match self {
            Cell::Text(_) => &["String", "LowCardinality(String)"],
            Cell::Date(_) => &["Date"],
            Cell::Index(_) => &["UInt8", "UInt16", "UInt32", "UInt64"],
            Cell::Count(_) => &["UInt64"],
            Cell::Money(_) => &["Decimal(38, 16)"],
            Cell::Rate(_) | Cell::Statistic(..) => &["Float64", "Nullable(Float64)"],
            Cell::Bool(_) => &["Bool"],
            Cell::Texts(_) => &["Array(LowCardinality(String))"],
        }
    }

    /// The found value in the form of this cell.
    fn read(&self, found: &Value) -> Cell {
        let number = |found: &Value| match found {
            Value::Null => None,
            // The server writes "inf" and "nan" in quotes.
            Value::String(text) => Some(text.parse().unwrap_or_else(|_| panic!("{text} is no number"))),
            found => found.as_f64(),
        };
        let text = || found.as_str().unwrap_or_else(|| panic!("{found} is no text"));
        let count = || found.as_u64().unwrap_or_else(|| panic!("{found} is no count"));
        match self {
            Cell::Text(_) => Cell::text(text()),
            Cell::Date(_) => Cell::Date(text().parse().expect("the server writes dates")),
            Cell::Index(_) => Cell::Index(count()),
            Cell::Count(_) => Cell::Count(count()),
            Cell::Money(_) => Cell::Money(money(text())),
            Cell::Rate(_) => Cell::Rate(number(found)),
            Cell::Statistic(_, scale) => Cell::Statistic(number(found), *scale),
            Cell::Bool(_) => {
                Cell::Bool(found.as_bool().unwrap_or_else(|| panic!("{found} is no truth value")))
            }
            Cell::Texts(_) => {
                let texts = found.as_array().unwrap_or_else(|| panic!("{found} is no array"));
                Cell::Texts(texts.iter().map(|text| text.as_str().expect("a text").to_owned()).collect())
            }
        }
    }

    /// Whether a found cell agrees with this one.
    fn agrees(&self, found: &Cell) -> bool {
        let near = |one: &Option<f64>, other: &Option<f64>, tolerance: f64, scale: f64| match (one, other) {
            (Some(one), Some(other)) => {
                (one - other).abs() <= tolerance * one.abs().max(other.abs()) + 1e-12 * scale
            }
            (None, None) => true,
            _ => false,
        };
        match (self, found) {
            (Cell::Rate(one), Cell::Rate(other)) => near(one, other, 1e-12, 0.0),
            (Cell::Statistic(one, scale), Cell::Statistic(other, _)) => near(one, other, 1e-6, *scale),
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Text(text) => write!(f, "{text:?}"),
            Cell::Date(date) => write!(f, "{date}"),
            Cell::Index(number) | Cell::Count(number) => write!(f, "{number}"),
            Cell::Money(money) => write!(f, "{money}e-16"),
            Cell::Rate(Some(number)) | Cell::Statistic(Some(number), _) => write!(f, "{number}"),
            Cell::Rate(None) | Cell::Statistic(None, _) => write!(f, "NULL"),
            Cell::Bool(value) => write!(f, "{value}"),
            Cell::Texts(texts) => write!(f, "{texts:?}"),
        }
    }
}

/// A decimal number in 10⁻¹⁶.
fn money(text: &str) -> Unit {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= 16, "{text} has more than sixteen decimal places");
    format!("{whole}{fraction:0<16}").parse().expect("a decimal number has digits")
}

/// A mart: named columns, the first of them its key, and rows in no particular order.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The mart's name.
    pub name: &'static str,
    columns: Vec<&'static str>,
    key: usize,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn new(name: &'static str, key: &[&'static str], figures: &[&'static str]) -> Table {
        Table { name, columns: [key, figures].concat(), key: key.len(), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<Cell>) {
        assert_eq!(row.len(), self.columns.len(), "{}", self.name);
        self.rows.push(row);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The named column's cells of the rows whose key's cells begin with these.
    ///
    /// # Panics
    /// Where there is no such column.
    pub fn column(&self, name: &str, key: &[Cell]) -> Vec<&Cell> {
        let place = self.columns.iter().position(|column| *column == name);
        let place = place.unwrap_or_else(|| panic!("{} has no column {name}", self.name));
        self.rows.iter().filter(|row| row.starts_with(key)).map(|row| &row[place]).collect()
    }

    /// Holds the warehouse's mart against this one: columns and their types, keys, and every cell.
    ///
    /// # Panics
    /// Where they differ: with the first differences.
    pub fn assert_is_in(&self, world: &World, situation: &str) {
        let differences = self.differences(world);
        assert!(
            differences.is_empty(),
            "{} is not what the plain computation says, {situation}: {} differences, first of them\n{}",
            self.name,
            differences.len(),
            differences.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
        );
    }

    /// What the warehouse's mart says otherwise, a line a difference.
    pub fn differences(&self, world: &World) -> Vec<String> {
        let types: BTreeMap<String, String> = world
            .query(&format!(
                "SELECT name, type FROM system.columns WHERE database || '.' || table = '{{marts}}.{}'",
                self.name
            ))
            .iter()
            .map(|row| {
                (row[0].as_str().unwrap_or_default().into(), row[1].as_str().unwrap_or_default().into())
            })
            .collect();
        let Some(example) = self.rows.first() else {
            let found = world.query(&format!("SELECT count() FROM {{marts}}.{}", self.name));
            return if found[0][0] == 0 {
                Vec::new()
            } else {
                vec![format!("{} rows too many", found[0][0])]
            };
        };
        let mut differences = Vec::new();
        for (column, cell) in self.columns.iter().zip(example) {
            match types.get(*column) {
                Some(ty) if cell.types().contains(&&**ty) => {}
                Some(ty) => differences.push(format!("{column} is {ty}, not {}", cell.types().join(" or "))),
                None => return vec![format!("there is no column {column}, but {types:?}")],
            }
        }
        let others: Vec<_> = types.keys().filter(|name| !self.columns.contains(&&***name)).collect();
        if !others.is_empty() {
            differences.push(format!("columns that nobody asked for: {others:?}"));
        }

        let selected: Vec<String> =
            self.columns.iter().zip(example).map(|(column, cell)| cell.selected(column)).collect();
        // NaN is to be seen as such, not as a NULL.
        let found = world.query(&format!(
            "SELECT {} FROM {{marts}}.{} SETTINGS output_format_json_quote_denormals = 1",
            selected.join(", "),
            self.name
        ));
        let mut found_rows: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
        for row in &found {
            let row: Vec<Cell> =
                example.iter().enumerate().map(|(place, cell)| cell.read(&row[place])).collect();
            let key = self.key_of(&row);
            if found_rows.insert(key.clone(), row).is_some() {
                differences.push(format!("two rows of {key}"));
            }
        }
        let mut keys: Vec<(String, &Vec<Cell>)> =
            self.rows.iter().map(|row| (self.key_of(row), row)).collect();
        keys.sort_by(|one, other| one.0.cmp(&other.0));
        for (key, expected) in keys {
            let Some(found) = found_rows.remove(&key) else {
                differences.push(format!("no row of {key}: {}", self.described(expected)));
                continue;
            };
            for (place, (expected, found)) in expected.iter().zip(&found).enumerate() {
                if !expected.agrees(found) {
                    let column = self.columns[place];
                    differences.push(format!("{key}: {column} is {found}, not {expected}"));
                }
            }
        }
        for (key, row) in found_rows {
            differences.push(format!("a row too many of {key}: {}", self.described(&row)));
        }
        differences
    }

    fn key_of(&self, row: &[Cell]) -> String {
        row[..self.key].iter().map(Cell::to_string).collect::<Vec<_>>().join(" ")
    }

    fn described(&self, row: &[Cell]) -> String {
        let mut text = String::new();
        for (column, cell) in self.columns.iter().zip(row).skip(self.key) {
            let _ = write!(text, "{column} {cell} ");
        }
        text
    }
}
