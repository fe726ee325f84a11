//! Columns of values, one type for each kind.
//!
//! Values are stored in the layout of ClickHouse's Native format, so that a sink copies them once, into the block that it
//! sends. [`View`] is a column of any type.

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

/// A column of any kind.
pub trait Column {
    /// Removes the values and keeps the memory.
    fn clear(&mut self);
    /// Bytes of memory that the values take.
    fn bytes(&self) -> usize;
    /// The values in the Native layout.
    fn view(&self) -> View<'_>;
    /// Appends rows without a value: NULL, zero or an empty string.
    fn push_absent(&mut self, count: usize);
}
