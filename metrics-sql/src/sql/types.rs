//! Types of columns that models produce.

use std::fmt;

/// A `ClickHouse` type; its `Display` is the type's name in DDL and in dbt's contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlType {
    /// A calendar date.
    Date,
    /// True or false.
    Bool,
    /// The number of a user.
    UInt32,
    /// A count.
    UInt64,
    /// A rate or ratio.
    Float64,
    /// Money in the reporting currency: `Decimal(38, 16)`. An amount has 4 decimals and a rate 12, so their
    /// product is exact.
    Money,
    /// Any text.
    String,
    /// Text with few distinct values.
    LowCardinality,
    /// A set of users, by their numbers: the state of `groupBitmap`, a Roaring bitmap.
    Users,
    /// Several of the type, in an order.
    Array(Box<SqlType>),
    /// The type, or `NULL`.
    Nullable(Box<SqlType>),
    /// The type that a column of `raw` has.
    Raw(event_schema::registry::ColumnType),
}

impl SqlType {
    /// `Nullable` of this type.
    #[must_use]
    pub fn nullable(self) -> SqlType {
        SqlType::Nullable(Box::new(self))
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::Date => f.write_str("Date"),
            SqlType::Bool => f.write_str("Bool"),
            SqlType::UInt64 => f.write_str("UInt64"),
            SqlType::Float64 => f.write_str("Float64"),
            SqlType::Money => f.write_str("Decimal(38, 16)"),
            SqlType::String => f.write_str("String"),
            SqlType::LowCardinality => f.write_str("LowCardinality(String)"),
            SqlType::UInt32 => f.write_str("UInt32"),
            SqlType::Users => f.write_str("AggregateFunction(groupBitmap, UInt32)"),
            SqlType::Array(inner) => write!(f, "Array({inner})"),
            SqlType::Nullable(inner) => write!(f, "Nullable({inner})"),
            SqlType::Raw(ty) => write!(f, "{ty}"),
        }
    }
}
