//! The contract as data: every field with its rule, column, unit and description.
//!
//! [`ENVELOPE`] has the fields of every event, [`ENTITIES`] the five tables with their event types. The DDL, the JSON
//! Schema, the documentation, dbt's sources and the parser's tables are generated from here.

mod column;
mod contract;
mod rule;
mod table_id;

#[cfg(test)]
mod tests;

pub use column::{Column, ColumnType, Scalar};
pub use contract::{
    AB_TEST_ASSIGNMENTS, DEAD_LOADS, ENTITIES, ENVELOPE, EVENTS, LOADS, PURCHASES, REJECTED_EVENTS,
    REPLAYED_LINES, SESSIONS, STAGED_LOADS, TASK_RESULTS,
};
pub use rule::{JsonType, Rule};
pub use table_id::TableId;

/// A field of the envelope or of a payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The JSON key, which is also the column's name.
    pub name: &'static str,
    /// The rule that a value must keep.
    pub rule: Rule,
    /// Whether every event must have it.
    pub required: bool,
    /// The column's type; `None` if the field has no column of its own (the payload object).
    pub column: Option<ColumnType>,
    /// The value's unit, if it has one.
    pub unit: Option<&'static str>,
    /// A one-line description.
    pub doc: &'static str,
}

impl Field {
    /// The rule in words, for messages and the reference page: `1 to 256 bytes of text …`.
    pub fn expected(&self) -> String {
        match self.rule {
            Rule::Text { max } if self.required => {
                format!("1 to {max} bytes of text without control characters")
            }
            rule => rule.to_string(),
        }
    }

    /// The column that this field fills.
    pub fn as_column(&self) -> Option<Column> {
        self.column.map(|ty| Column { name: self.name, ty, unit: self.unit, doc: self.doc })
    }
}

/// An event type that the contract knows, and the fields of its `properties`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventType {
    /// The value of `event_type`.
    pub name: &'static str,
    /// The payload's fields, in the order in which they are checked and reported.
    pub fields: &'static [Field],
    /// Optional envelope fields that this event type must have.
    pub required_envelope: &'static [&'static str],
    /// A rule over two of its fields.
    pub order: Option<Order>,
    /// A one-line description.
    pub doc: &'static str,
}

/// A rule over two fields of a payload: one has the greater value. A violation is reported for the later field, if both
/// are valid alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The field with the smaller value.
    pub earlier: &'static str,
    /// The field with the greater value.
    pub later: &'static str,
    /// Whether both values may be equal.
    pub may_be_equal: bool,
}

/// A table of `raw`, and the event types that are stored in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entity {
    /// The table's name in `raw`.
    pub table: &'static str,
    /// The event types stored here; empty for the table of all other event types.
    pub event_types: &'static [EventType],
    /// Columns that the loader computes: they are not the value of a field.
    pub made_columns: &'static [Column],
    /// The payload's fields in the order of their columns, which may differ from the order in which they are checked.
    pub field_columns: &'static [&'static str],
    /// A one-line description.
    pub doc: &'static str,
}

impl Entity {
    /// The columns that only this table has, in order.
    ///
    /// The first event type has every field of the others (a test checks that).
    pub fn own_columns(&self) -> Vec<Column> {
        let fields = self.event_types.first().map_or(&[][..], |event_type| event_type.fields);
        let column_of =
            |name: &&str| fields.iter().find(|field| field.name == *name).and_then(Field::as_column);
        self.made_columns.iter().copied().chain(self.field_columns.iter().filter_map(column_of)).collect()
    }

    /// Every column of the table, in order: batch date, envelope, origin, and the columns that only it has.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = vec![contract::BATCH_DATE];
        columns.extend(ENVELOPE.iter().filter_map(Field::as_column));
        columns.extend([contract::EXTRA, contract::SOURCE_FILE, contract::SOURCE_LINE, contract::LOAD_ID]);
        columns.extend(self.own_columns());
        columns
    }
}

/// A table of `raw` without events: rejected lines, and the loads of each day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bookkeeping {
    /// The table's name in `raw`.
    pub table: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
    /// A one-line description.
    pub doc: &'static str,
}

/// The known event type of that name, with its table; `None` for one stored in `raw.events`.
pub fn event_type(name: &str) -> Option<(&'static Entity, &'static EventType)> {
    ENTITIES
        .into_iter()
        .find_map(|entity| entity.event_types.iter().find(|ty| ty.name == name).map(|ty| (entity, ty)))
}
