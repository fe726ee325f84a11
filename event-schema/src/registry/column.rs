//! Columns and their ClickHouse types.

use std::fmt;

/// A column of a table of `raw`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: ColumnType,
    /// The unit of the values, if they have one.
    pub unit: Option<&'static str>,
    /// A one-line description.
    pub doc: &'static str,
}

impl Column {
    pub(super) const fn new(name: &'static str, ty: ColumnType, doc: &'static str) -> Column {
        Column { name, ty, unit: None, doc }
    }

    pub(super) const fn with_unit(mut self, unit: &'static str) -> Column {
        self.unit = Some(unit);
        self
    }
}

/// The ClickHouse type of a column; its `Display` is the type's name in DDL and in the Native format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// A value in every row.
    Plain(Scalar),
    /// `Nullable(…)`.
    Nullable(Scalar),
    /// `LowCardinality(String)`: a dictionary and indices into it.
    LowCardinality,
    /// `Array(…)`.
    Array(Scalar),
    /// `Map(String, UInt64)`: counts by name.
    Counts,
    /// `Array(Tuple(name String, size UInt64, etag String))`: the sources of a load.
    Sources,
}

/// A ClickHouse type of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// 128 bits.
    Uuid,
    /// Any bytes.
    String,
    /// Days since 1970-01-01 in 16 bits.
    Date,
    /// Milliseconds since 1970-01-01T00:00:00Z in 64 bits.
    DateTime,
    /// 18 digits, 4 of them after the point, as a 64-bit integer of 1/10000.
    Decimal,
    /// One byte, 0 or 1.
    Bool,
    /// A 64-bit float.
    Float64,
    /// An unsigned integer of 16 bits.
    UInt16,
    /// An unsigned integer of 32 bits.
    UInt32,
    /// An unsigned integer of 64 bits.
    UInt64,
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Plain(scalar) => write!(f, "{scalar}"),
            ColumnType::Nullable(scalar) => write!(f, "Nullable({scalar})"),
            ColumnType::LowCardinality => f.write_str("LowCardinality(String)"),
            ColumnType::Array(scalar) => write!(f, "Array({scalar})"),
            ColumnType::Counts => f.write_str("Map(String, UInt64)"),
            ColumnType::Sources => f.write_str("Array(Tuple(name String, size UInt64, etag String))"),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scalar::Uuid => "UUID",
            Scalar::String => "String",
            Scalar::Date => "Date",
            Scalar::DateTime => "DateTime64(3, 'UTC')",
            Scalar::Decimal => "Decimal(18, 4)",
            Scalar::Bool => "Bool",
            Scalar::Float64 => "Float64",
            Scalar::UInt16 => "UInt16",
            Scalar::UInt32 => "UInt32",
            Scalar::UInt64 => "UInt64",
        })
    }
}
