//! The contract as data: every field with its JSON type, rule, column, unit and doc line.
//!
//! [`ENVELOPE`] holds the fields of every event, [`ENTITIES`] the five tables with the event types each
//! takes. Whatever is written down elsewhere about fields and tables is generated from here.

mod column;
mod contract;
mod rule;

#[cfg(test)]
mod tests;

pub use column::{Column, ColumnType, Scalar};
pub use contract::{
    AB_TEST_ASSIGNMENTS, DEAD_LOADS, ENTITIES, ENVELOPE, EVENTS, LOADS, PURCHASES, REJECTED_EVENTS,
    REPLAYED_LINES, SESSIONS, STAGED_LOADS, TASK_RESULTS,
};
pub use rule::{JsonType, Rule};

/// A field of the envelope or of a payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The JSON key, which is also the column's name.
    pub name: &'static str,
    /// What a value must be.
    pub rule: Rule,
    /// Whether every event must have it.
    pub required: bool,
    /// The column's type; `None` where the field is not stored as it stands (the payload object).
    pub column: Option<ColumnType>,
    /// The value's unit, where it has one.
    pub unit: Option<&'static str>,
    /// One line for people.
    pub doc: &'static str,
}

impl Field {
    /// What is expected of a value, for messages and the reference page: `1 to 256 bytes of text …`.
    pub fn expected(&self) -> String {
        match self.rule {
            Rule::Text { max } if self.required => {
                format!("1 to {max} bytes of text without control characters")
            }
            rule => rule.to_string(),
        }
    }

    /// The column this field fills.
    pub fn as_column(&self) -> Option<Column> {
        self.column.map(|ty| Column { name: self.name, ty, unit: self.unit, doc: self.doc })
    }
}

/// An event type that the contract knows, and the fields of its `properties`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventType {
    /// The value of `event_type`.
    pub name: &'static str,
    /// The payload's fields, in the order they are checked and reported.
    pub fields: &'static [Field],
    /// Optional envelope fields that this event type must have.
    pub required_envelope: &'static [&'static str],
    /// A rule over two of its fields.
    pub order: Option<Order>,
    /// One line for people.
    pub doc: &'static str,
}

/// Two fields of a payload in order; a breach is reported at the later one, once both are good alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The field with the smaller value.
    pub earlier: &'static str,
    /// The field with the greater value.
    pub later: &'static str,
    /// Whether both may be the same.
    pub may_be_equal: bool,
}

/// One table of `raw` and the event types that are stored in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entity {
    /// The table's name in `raw`.
    pub table: &'static str,
    /// The event types stored here; empty for the table of all other event types.
    pub event_types: &'static [EventType],
    /// Columns made by the loader rather than copied from one field.
    pub made_columns: &'static [Column],
    /// The payload's fields in the order of their columns, which need not be the order they are checked in.
    pub field_columns: &'static [&'static str],
    /// One line for people.
    pub doc: &'static str,
}

impl Entity {
    /// The columns of the table that only it has, in order.
    ///
    /// The first event type has every field of the others (a test of the registry says so).
    pub fn own_columns(&self) -> Vec<Column> {
        let fields = self.event_types.first().map_or(&[][..], |event_type| event_type.fields);
        let column_of =
            |name: &&str| fields.iter().find(|field| field.name == *name).and_then(Field::as_column);
        self.made_columns.iter().copied().chain(self.field_columns.iter().filter_map(column_of)).collect()
    }

    /// Every column of the table, in order: where from, envelope, what the entity alone has.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = vec![contract::BATCH_DATE];
        columns.extend(ENVELOPE.iter().filter_map(Field::as_column));
        columns.extend([contract::EXTRA, contract::SOURCE_FILE, contract::SOURCE_LINE, contract::LOAD_ID]);
        columns.extend(self.own_columns());
        columns
    }
}

/// A table of `raw` that holds no events: what was rejected, and which loads make up each day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bookkeeping {
    /// The table's name in `raw`.
    pub table: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
    /// One line for people.
    pub doc: &'static str,
}

/// The known event type of that name, with its table; `None` for one stored in `raw.events`.
pub fn event_type(name: &str) -> Option<(&'static Entity, &'static EventType)> {
    ENTITIES
        .into_iter()
        .find_map(|entity| entity.event_types.iter().find(|ty| ty.name == name).map(|ty| (entity, ty)))
}
