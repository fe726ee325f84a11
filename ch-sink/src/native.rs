//! `ClickHouse`'s Native format: one block of columns, handed out in pieces while it is encoded.
//!
//! A block is its number of columns, its number of rows, and each column's name, type and values, one column
//! after another. Values are gathered in a given order of rows straight into pieces of about
//! [`pieces::PIECE_BYTES`], so that no second copy of a table is ever in memory.
//!
//! Layouts: <https://clickhouse.com/docs/interfaces/formats/Native> and, for `LowCardinality`, the engine's
//! `SerializationLowCardinality.cpp`.

mod pieces;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use event_parser::columns::{Dictionary, Indices, Strings, View};
use event_schema::registry::ColumnType;

pub(crate) use pieces::Buffers;
use pieces::Pieces;

/// `LowCardinality`: a dictionary for the whole column comes with the indices.
const SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS: u64 = 1;
const HAS_ADDITIONAL_KEYS: u64 = 1 << 9;
const NEEDS_DICTIONARY_UPDATE: u64 = 1 << 10;

/// Strings are copied so many bytes at a time, up to so many times.
const STEP_BYTES: usize = 64;
const MOST_STEPS: usize = 4;

/// Some rows of one table.
pub(crate) struct Block<'a> {
    pub(crate) rows: usize,
    /// The rows in the order they are to be sent; `None`: as they stand.
    pub(crate) order: Option<&'a [u32]>,
    pub(crate) columns: Vec<BlockColumn<'a>>,
}

/// One column of a block.
pub(crate) struct BlockColumn<'a> {
    pub(crate) name: &'static str,
    pub(crate) ty: ColumnType,
    pub(crate) values: Values<'a>,
}

/// Where a column's values come from.
pub(crate) enum Values<'a> {
    /// A parsed column.
    Stored(View<'a>),
    /// The same bytes in every row.
    Constant(&'a [u8]),
    /// The string of each row, fetched one at a time.
    Fetched(Box<dyn Fn(usize) -> &'a [u8] + 'a>),
    /// Arrays of strings: where each row's items end, and the items of all rows. The rows must be sent as they
    /// stand.
    Arrays { ends: &'a [u64], items: &'a Strings },
}

/// The receiver of the pieces is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Encodes the block and hands its pieces, in `buffers`, to `take`, in order, until that answers `false`.
pub(crate) fn encode(
    block: &Block<'_>,
    buffers: &Buffers,
    take: impl FnMut(Bytes) -> bool,
) -> Result<(), Stopped> {
    let mut out = Pieces::new(buffers, take);
    out.number(block.columns.len() as u64)?;
    out.number(block.rows as u64)?;
    for column in &block.columns {
        out.string(column.name.as_bytes())?;
        out.string(column.ty.to_string().as_bytes())?;
        block.encode_values(&column.values, &mut out)?;
    }
    out.flush()
}

impl Block<'_> {
    fn encode_values<F: FnMut(Bytes) -> bool>(
        &self,
        values: &Values<'_>,
        out: &mut Pieces<'_, F>,
    ) -> Result<(), Stopped> {
        match values {
            Values::Stored(View::Fixed { bytes, width }) => self.fixed(bytes, *width, out),
            Values::Stored(View::Nullable { bytes, width, nulls }) => {
                self.fixed(nulls, 1, out)?;
                self.fixed(bytes, *width, out)
            }
            Values::Stored(View::Strings(strings)) => self.strings(strings, out),
            Values::Stored(View::Dictionary(dictionary)) => self.dictionary(dictionary, out),
            Values::Constant(value) => match value.len() {
                2 => self.constant::<2, _>(value, out),
                16 => self.constant::<16, _>(value, out),
                _ => self.each_row(|_| out.bytes(value)),
            },
            Values::Fetched(fetch) => self.each_row(|row| out.string(fetch(row))),
            Values::Arrays { ends, items } => {
                debug_assert!(self.order.is_none(), "arrays are sent as they stand");
                self.each_row(|row| out.bytes(&ends[row].to_le_bytes()))?;
                out.bytes(items.native())
            }
        }
    }

    fn each_row(&self, mut send: impl FnMut(usize) -> Result<(), Stopped>) -> Result<(), Stopped> {
        match self.order {
            Some(order) => order.iter().try_for_each(|row| send(*row as usize)),
            None => (0..self.rows).try_for_each(send),
        }
    }

    fn fixed<F: FnMut(Bytes) -> bool>(
        &self,
        bytes: &[u8],
        width: usize,
        out: &mut Pieces<'_, F>,
    ) -> Result<(), Stopped> {
        match (self.order, width) {
            (None, _) => out.bytes(bytes),
            (Some(_), 1) => self.gather(bytes.as_chunks::<1>().0, out),
            (Some(_), 2) => self.gather(bytes.as_chunks::<2>().0, out),
            (Some(_), 4) => self.gather(bytes.as_chunks::<4>().0, out),
            (Some(_), 8) => self.gather(bytes.as_chunks::<8>().0, out),
            (Some(_), 16) => self.gather(bytes.as_chunks::<16>().0, out),
            (Some(_), width) => unreachable!("columns have values of 1 to 16 bytes, not of {width}"),
        }
    }

    fn gather<const WIDTH: usize, F: FnMut(Bytes) -> bool>(
        &self,
        values: &[[u8; WIDTH]],
        out: &mut Pieces<'_, F>,
    ) -> Result<(), Stopped> {
        self.each_value(|row| values[row], out)
    }

    fn constant<const WIDTH: usize, F: FnMut(Bytes) -> bool>(
        &self,
        value: &[u8],
        out: &mut Pieces<'_, F>,
    ) -> Result<(), Stopped> {
        let value: [u8; WIDTH] = value.try_into().expect("the constant is as wide as its column");
        self.each_value(|_| value, out)
    }

    /// Values whose width the compiler knows: there is room for many of them at once.
    fn each_value<const WIDTH: usize, F: FnMut(Bytes) -> bool>(
        &self,
        value: impl Fn(usize) -> [u8; WIDTH],
        out: &mut Pieces<'_, F>,
    ) -> Result<(), Stopped> {
        let mut done = 0;
        while done < self.rows {
            let places = out.room(WIDTH)?.as_chunks_mut::<WIDTH>().0;
            let count = places.len().min(self.rows - done);
            let places = &mut places[..count];
            match self.order {
                Some(order) => {
                    for (place, row) in places.iter_mut().zip(&order[done..]) {
                        *place = value(*row as usize);
                    }
                }
                None => {
                    for (place, row) in places.iter_mut().zip(done..) {
                        *place = value(row);
                    }
                }
            }
            out.fill(count * WIDTH);
            done += count;
        }
        Ok(())
    }

    fn strings<F: FnMut(Bytes) -> bool>(
        &self,
        strings: &Strings,
        out: &mut Pieces<'_, F>,
    ) -> Result<(), Stopped> {
        let Some(order) = self.order else { return out.bytes(strings.native()) };
        for (bytes, length) in strings.native_rows(order) {
            // Nearly all are short: copying whole steps is cheaper than branching on the length.
            let steps = length.div_ceil(STEP_BYTES);
            match bytes.as_chunks::<STEP_BYTES>().0.get(..steps) {
                Some(from) if steps <= MOST_STEPS => {
                    let to = out.room(steps * STEP_BYTES)?.as_chunks_mut::<STEP_BYTES>().0;
                    for (to, from) in to.iter_mut().zip(from) {
                        *to = *from;
                    }
                    out.fill(length);
                }
                _ => out.bytes(&bytes[..length])?,
            }
        }
        Ok(())
    }

    fn dictionary<F: FnMut(Bytes) -> bool>(
        &self,
        dictionary: &Dictionary,
        out: &mut Pieces<'_, F>,
    ) -> Result<(), Stopped> {
        if self.rows == 0 {
            return Ok(());
        }
        let entries = dictionary.entries();
        let indices = dictionary.indices();
        // The width is stored as its binary logarithm.
        let width_log = match indices {
            Indices::Bytes(_) => 0,
            Indices::Words(_) => 1,
            Indices::DoubleWords(_) => 2,
        };
        out.bytes(&SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS.to_le_bytes())?;
        out.bytes(&(HAS_ADDITIONAL_KEYS | NEEDS_DICTIONARY_UPDATE | width_log).to_le_bytes())?;
        out.bytes(&(entries.rows() as u64).to_le_bytes())?;
        out.bytes(entries.native())?;
        out.bytes(&(self.rows as u64).to_le_bytes())?;
        match indices {
            Indices::Bytes(indices) => self.each_value(|row| [indices[row]], out),
            Indices::Words(indices) => self.each_value(|row| indices[row].to_le_bytes(), out),
            Indices::DoubleWords(indices) => self.each_value(|row| indices[row].to_le_bytes(), out),
        }
    }
}
