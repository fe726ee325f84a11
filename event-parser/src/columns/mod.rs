//! Columns: where parsed values are stored, one type a kind of column.
//!
//! Each keeps its values as ClickHouse's Native format lays them out, so that a sink copies them once,
//! into the block it sends. [`View`] is how a sink looks at a column without knowing its type.

mod dictionary;
mod fixed;
mod indices;
mod strings;

pub use dictionary::Dictionary;
pub use fixed::{Fixed, Nullable};
pub use indices::Indices;
pub use strings::Strings;

/// A column as bytes in the layout of ClickHouse's Native format.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Values of `width` bytes each (1, 2, 4, 8 or 16), little-endian, one after another.
    Fixed {
        /// The values.
        bytes: &'a [u8],
        /// Bytes of one value.
        width: usize,
    },
    /// As `Fixed`, with a byte a row that is 1 where the value is NULL (and stored as zeros).
    Nullable {
        /// The values.
        bytes: &'a [u8],
        /// Bytes of one value.
        width: usize,
        /// One byte a row.
        nulls: &'a [u8],
    },
    /// Strings with their lengths.
    Strings(&'a Strings),
    /// Indices into a dictionary of strings.
    Dictionary(&'a Dictionary),
}

/// What every column can do.
pub trait Column {
    /// Forgets the values; keeps the memory.
    fn clear(&mut self);
    /// Bytes of memory that the values take.
    fn bytes(&self) -> usize;
    /// The values in the Native layout.
    fn view(&self) -> View<'_>;
}
