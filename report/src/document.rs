//! The answers of the queries, by column, as the JSON that the page reads.

use std::collections::{BTreeMap, HashMap, HashSet};

use metrics_sql::CustomMetric;
use metrics_sql::catalogue;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::AsOf;
use crate::tables::{OwnMetric, Table};

/// How many values of a segment are kept at first, the largest ones; fewer where the document is too large.
const MOST_VALUES: usize = 12;
/// The most bytes of the document: with the script the page stays below 2 MB.
const MOST_BYTES: usize = 1_500_000;

/// What the figures are of, for the reader.
#[derive(Debug, Clone, Serialize)]
pub struct Meta {
    /// What the marts were built from.
    #[serde(flatten)]
    pub as_of: AsOf,
    /// The first date of the page, `YYYY-MM-DD`.
    pub from: String,
    /// The last date of the page, `YYYY-MM-DD`.
    pub to: String,
    /// `monday` or `sunday`.
    pub week_start: String,
    /// The version of Schoolbell.
    pub version: String,
}

/// A table as ClickHouse's format `JSONColumns` gives it: values by column.
type Columns = Map<String, Value>;

/// The answers, ready for the page.
#[derive(Debug, Clone)]
pub struct Document {
    meta: Meta,
    definitions: Value,
    custom: Value,
    tables: Vec<(Table, Columns)>,
}

impl Document {
    /// A document without answers yet.
    pub fn new(meta: Meta, custom: &[CustomMetric]) -> Document {
        let definitions: Map<String, Value> = catalogue::metrics(custom)
            .iter()
            .map(|metric| {
                let column = metric.column();
                (column.name.as_str().to_owned(), json!({ "description": column.doc, "unit": column.unit }))
            })
            .collect();
        let custom = OwnMetric::all(custom).iter().map(OwnMetric::to_json).collect();
        Document { meta, definitions: definitions.into(), custom, tables: Vec::new() }
    }

    /// Adds the answer to a table's query, in ClickHouse's format `JSONColumns`.
    ///
    /// # Errors
    /// Where the answer is not of that format.
    pub fn add(&mut self, table: Table, answer: &[u8]) -> Result<(), serde_json::Error> {
        let columns = serde_json::from_slice(answer)?;
        self.tables.push((table, columns));
        Ok(())
    }

    /// The JSON, of at most 1.5 MB where leaving out small values of segments achieves that.
    pub(crate) fn to_json(&self) -> String {
        let mut values = MOST_VALUES;
        loop {
            let text = self.with_values(values).to_string();
            if text.len() <= MOST_BYTES || values == 0 {
                return text;
            }
            values /= 2;
        }
    }

    /// The JSON with at most so many values of each segment.
    fn with_values(&self, most: usize) -> Value {
        let tables: Map<String, Value> = self
            .tables
            .iter()
            .map(|(table, columns)| (table.name().to_owned(), encoded(columns, table.ranked_by(), most)))
            .collect();
        json!({ "meta": self.meta, "definitions": self.definitions, "custom_metrics": self.custom, "tables": tables })
    }
}

/// A table with the largest values of each segment, its texts as places in a list of distinct ones.
fn encoded(columns: &Columns, ranked_by: Option<&str>, most: usize) -> Value {
    let rows = columns.values().next().and_then(Value::as_array).map_or(0, Vec::len);
    let (kept, left_out) = match ranked_by {
        Some(ranked_by) => largest(columns, ranked_by, rows, most),
        None => ((0..rows).collect(), BTreeMap::new()),
    };
    let of_kept = |values: &Value| -> Vec<Value> {
        let values = values.as_array().map_or(&[][..], Vec::as_slice);
        kept.iter().map(|row| values[*row].clone()).collect()
    };
    let encoded: Map<String, Value> =
        columns.iter().map(|(name, values)| (name.clone(), column(of_kept(values)))).collect();
    json!({ "rows": kept.len(), "columns": encoded, "left_out": left_out })
}

/// The rows of the largest values of each segment, and how many values of each are left out.
fn largest(
    columns: &Columns,
    ranked_by: &str,
    rows: usize,
    most: usize,
) -> (Vec<usize>, BTreeMap<String, usize>) {
    let text = |column: &str, row: usize| columns[column][row].as_str().unwrap_or_default();
    let mut sizes: HashMap<(&str, &str), f64> = HashMap::new();
    for row in 0..rows {
        let size = columns[ranked_by][row].as_f64().unwrap_or_default();
        *sizes.entry((text("segment", row), text("segment_value", row))).or_default() += size;
    }
    let mut ranked: Vec<_> = sizes.into_iter().collect();
    ranked.sort_by(|(one, size), (other, other_size)| other_size.total_cmp(size).then(one.cmp(other)));
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept = HashSet::new();
    for (key @ (segment, _), _) in ranked {
        let count = taken.entry(segment).or_default();
        if segment == "overall" || *count < most {
            *count += 1;
            kept.insert(key);
        } else {
            *left_out.entry(segment.to_owned()).or_default() += 1;
        }
    }
    let rows = (0..rows)
        .filter(|row| kept.contains(&(text("segment", *row), text("segment_value", *row))))
        .collect();
    (rows, left_out)
}

/// Texts repeat: each stands once, and rows name its place. Other values stay as they are.
fn column(values: Vec<Value>) -> Value {
    if values.is_empty() || !values.iter().all(Value::is_string) {
        return values.into();
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut distinct: Vec<&str> = Vec::new();
    let codes: Vec<usize> = values
        .iter()
        .filter_map(Value::as_str)
        .map(|text| {
            *places.entry(text).or_insert_with(|| {
                distinct.push(text);
                distinct.len() - 1
            })
        })
        .collect();
    json!({ "values": distinct, "codes": codes })
}
