//! The layouts that are compared.

use event_schema::generate::{codec, sorting_key};
use event_schema::registry::{Column, ColumnType, ENTITIES, Entity, Scalar};

const BY_USER: &str = "user_id, event_time, event_id";
const BY_DATE: &str = "toDate(event_time), user_id, event_time, event_id";
const BY_TYPE: &str = "event_type, user_id, event_time, event_id";

/// A sorting key, and codecs.
pub(super) struct Layout {
    pub(super) database: &'static str,
    name: &'static str,
    pub(super) key: &'static str,
    codec: fn(&Column) -> Option<&'static str>,
    doc: &'static str,
}

pub(super) static LAYOUTS: [Layout; 7] = [
    Layout { database: "l_plain", name: "plain", key: BY_USER, codec: |_| None, doc: "LZ4 for all columns" },
    Layout {
        database: "l_packed",
        name: "packed",
        key: BY_USER,
        codec: packed,
        doc: "`NONE` for event_id; `T64, LZ4` for times and source_line; LZ4 for the others",
    },
    Layout {
        database: "l_delta",
        name: "delta",
        key: BY_USER,
        codec: delta,
        doc: "`NONE` for event_id; `DoubleDelta, LZ4` for times, `Delta, LZ4` for source_line; LZ4 for the others",
    },
    Layout {
        database: "l_strings",
        name: "strings",
        key: BY_USER,
        codec: |column| match column.ty {
            ColumnType::Plain(Scalar::String) => Some("ZSTD(1)"),
            _ => packed(column),
        },
        doc: "as *packed*, but `ZSTD(1)` for strings",
    },
    Layout {
        database: "l_small",
        name: "small",
        key: BY_USER,
        codec: |column| match packed(column) {
            Some("T64, LZ4") => Some("T64, ZSTD(1)"),
            Some(codec) => Some(codec),
            None => Some("ZSTD(1)"),
        },
        doc: "as *packed*, but `ZSTD(1)` in place of LZ4 everywhere",
    },
    Layout {
        database: "l_date",
        name: "by date",
        key: BY_DATE,
        codec: packed,
        doc: "as *packed*, by date first",
    },
    Layout {
        database: "l_type",
        name: "by type",
        key: BY_TYPE,
        codec: packed,
        doc: "as *packed*, by type first",
    },
];

fn packed(column: &Column) -> Option<&'static str> {
    match (column.name, column.ty) {
        ("event_id", _) => Some("NONE"),
        ("source_line", _) | (_, ColumnType::Plain(Scalar::DateTime)) => Some("T64, LZ4"),
        _ => None,
    }
}

fn delta(column: &Column) -> Option<&'static str> {
    match packed(column) {
        Some("T64, LZ4") if column.name == "source_line" => Some("Delta, LZ4"),
        Some("T64, LZ4") => Some("DoubleDelta, LZ4"),
        codec => codec,
    }
}

impl Layout {
    /// The columns of a table, as `CREATE TABLE` takes them.
    pub(super) fn columns(&self, entity: &Entity) -> String {
        let definition = |column: &Column| {
            let codec = (self.codec)(column).map(|codec| format!(" CODEC({codec})")).unwrap_or_default();
            format!("{} {}{codec}", column.name, column.ty)
        };
        entity.columns().iter().map(definition).collect::<Vec<_>>().join(", ")
    }

    /// Its name, in bold where it is that of `schoolbell init`.
    pub(super) fn title(&self) -> String {
        if self.is_ours() { format!("**{}**", self.name) } else { self.name.to_owned() }
    }

    /// What it is, in words.
    pub(super) fn describe(&self) -> String {
        format!("`ORDER BY ({})`; {}", self.key, self.doc)
    }

    fn is_ours(&self) -> bool {
        let has_our_codecs =
            |entity: &&Entity| entity.columns().iter().all(|column| (self.codec)(column) == codec(column));
        ENTITIES.iter().all(|entity| sorting_key(entity) == self.key) && ENTITIES.iter().all(has_our_codecs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layout_is_ours() {
        assert_eq!(LAYOUTS.iter().filter(|layout| layout.is_ours()).count(), 1);
    }
}
