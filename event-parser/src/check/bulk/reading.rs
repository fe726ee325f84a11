//! Reading one field of many rows: a loop a kind of field, each there once for all tables.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use event_schema::Reason;
use event_schema::registry::Order;
use event_schema::value::{Timestamp, is_upper_letters, parse_amount, parse_date};

use super::super::number::{read_integer, read_share};
use super::super::time::TimeReader;
use crate::arch::{Simd, Task};
use crate::sheet::{Cell, SheetColumn};
use crate::span::Span;

/// Reads a value.
pub(super) trait ReadValue {
    /// Whether the field may hold a value of this kind: a number or boolean, unless it says otherwise.
    #[inline(always)]
    fn accepts(cell: Cell) -> bool {
        !cell.is_text()
    }

    /// The value as 64 bits; `None` where nothing can be said of it here. Has to be `#[inline(always)]`.
    fn read(&mut self, span: Span<'_>) -> Option<u64>;
}

/// Reads a field of every row; 0 where it is absent. Marks the rows of which nothing can be said here.
pub(super) struct ReadEach<'a, R> {
    pub(super) column: SheetColumn<'a>,
    pub(super) is_required: bool,
    pub(super) reader: R,
    pub(super) values: &'a mut [u64],
    pub(super) is_odd: &'a mut [u8],
}

impl<R: ReadValue> Task for ReadEach<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let ReadEach { column, is_required, mut reader, values, is_odd } = self;
        for ((cell, value), is_odd) in column.cells().zip(values).zip(is_odd) {
            if cell.is_empty() {
                // An empty string is as good as none only where a string may stand.
                let is_good = !is_required && (cell.is_absent() || R::accepts(cell));
                *is_odd |= u8::from(!is_good);
                continue;
            }
            let read = if R::accepts(cell) { reader.read(cell.span(column.bytes)) } else { None };
            match read {
                Some(read) => *value = read,
                None => *is_odd = 1,
            }
        }
    }
}

/// Times before an instant, in milliseconds since 1970.
pub(super) struct Times<'a> {
    pub(super) reader: &'a mut TimeReader,
    pub(super) end: i64,
}

impl ReadValue for Times<'_> {
    #[inline(always)]
    fn accepts(cell: Cell) -> bool {
        cell.is_text()
    }

    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        let millis = self.reader.read(span).ok()?;
        (Timestamp::MIN_MILLIS..self.end).contains(&millis).then_some(millis.cast_unsigned())
    }
}

/// Days since 1970.
pub(super) struct Dates;

impl ReadValue for Dates {
    #[inline(always)]
    fn accepts(cell: Cell) -> bool {
        cell.is_text()
    }

    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        parse_date(&span).ok().map(u64::from)
    }
}

/// Amounts of money, signed: texts or numbers.
pub(super) struct Amounts;

impl ReadValue for Amounts {
    /// What is neither a text nor a number is no amount either.
    #[inline(always)]
    fn accepts(_: Cell) -> bool {
        true
    }

    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        parse_amount(&span).ok().map(i64::cast_unsigned)
    }
}

pub(super) struct Booleans;

impl ReadValue for Booleans {
    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        // A scalar is what its first byte says.
        matches!(span[0], b't' | b'f').then_some(u64::from(span[0] == b't'))
    }
}

/// Integers of a range.
pub(super) struct Integers {
    pub(super) range: (u32, u32),
}

impl ReadValue for Integers {
    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        read_integer(span, self.range).ok().map(u64::from)
    }
}

/// Shares, as the bits of floats.
pub(super) struct Shares;

impl ReadValue for Shares {
    #[inline(always)]
    fn read(&mut self, span: Span<'_>) -> Option<u64> {
        let share: Result<f64, Reason> = match span[0] {
            b'0'..=b'9' => read_share(span),
            _ => return None,
        };
        share.ok().map(f64::to_bits)
    }
}

/// Reads UUIDs: first the upper halves, then the lower.
pub(super) struct ReadUuids<'a> {
    pub(super) column: SheetColumn<'a>,
    pub(super) upper: &'a mut [u64],
    pub(super) lower: &'a mut [u64],
    pub(super) is_odd: &'a mut [u8],
}

impl Task for ReadUuids<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let ReadUuids { column, upper, lower, is_odd } = self;
        for (((cell, upper), lower), is_odd) in column.cells().zip(upper).zip(lower).zip(is_odd) {
            let id = match cell.span(column.bytes).wide() {
                Some(text) if cell.text_length() == text.len() as u32 => simd.uuid(text),
                _ => None,
            };
            match id {
                Some(id) => (*upper, *lower) = ((id >> 64) as u64, id as u64),
                None => *is_odd = 1,
            }
        }
    }
}

/// Marks the rows whose text is shorter or longer than it may be, or no text.
pub(super) struct CheckLengths<'a> {
    pub(super) column: SheetColumn<'a>,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) is_odd: &'a mut [u8],
}

impl Task for CheckLengths<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let CheckLengths { column, min, max, is_odd } = self;
        for (cell, is_odd) in column.cells().zip(is_odd) {
            *is_odd |= u8::from(cell.text_length().wrapping_sub(min) > max - min);
        }
    }
}

/// Marks the rows whose text is no code of so many capital letters.
pub(super) struct CheckLetters<'a> {
    pub(super) column: SheetColumn<'a>,
    pub(super) count: usize,
    pub(super) is_required: bool,
    pub(super) is_odd: &'a mut [u8],
}

impl Task for CheckLetters<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let CheckLetters { column, count, is_required, is_odd } = self;
        for (cell, is_odd) in column.cells().zip(is_odd) {
            let is_good = if cell.is_empty() {
                !is_required
            } else {
                cell.text_length() as usize == count && are_capital_letters(cell.span(column.bytes))
            };
            *is_odd |= u8::from(!is_good);
        }
    }
}

/// What [`is_upper_letters`] says, of up to four letters at once.
#[inline(always)]
fn are_capital_letters(span: Span<'_>) -> bool {
    const HIGH: u32 = 0x8080_8080;
    let each = |byte: u8| u32::from_le_bytes([byte; 4]);
    match span.wide() {
        Some(wide) if span.len() <= wide.len() => {
            let word = u32::from_le_bytes(*wide);
            // The high bit of every byte that is ASCII, not before A, and not after Z.
            let letters =
                !word & word.wrapping_add(each(0x80 - b'A')) & !word.wrapping_add(each(0x7f - b'Z'));
            let others = !letters & HIGH;
            // Those after the text do not count.
            others.trailing_zeros() as usize / 8 >= span.len()
        }
        _ => is_upper_letters(&span),
    }
}

/// Marks the rows where no object stands in a field.
pub(super) fn check_objects(column: SheetColumn<'_>, is_odd: &mut [u8]) {
    for (cell, is_odd) in column.cells().zip(is_odd) {
        let is_object = !cell.is_text() && cell.span(column.bytes)[0] == b'{';
        *is_odd |= u8::from(!is_object);
    }
}

/// A field's values and what stood there.
pub(super) type Values<'a> = (&'a [u64], SheetColumn<'a>);

/// Marks the rows where one value is not as much later than another as it has to be, where both are there.
pub(super) fn check_order(
    (earlier, earlier_column): Values<'_>,
    (later, later_column): Values<'_>,
    order: Order,
    is_odd: &mut [u8],
) {
    let cells = earlier_column.cells().zip(later_column.cells());
    for (((earlier, later), cells), is_odd) in earlier.iter().zip(later).zip(cells).zip(is_odd) {
        let are_both_there = !cells.0.is_empty() && !cells.1.is_empty();
        // What was read is not before 1970: unsigned numbers have the same order.
        let is_in_order = earlier < later || (earlier == later && order.may_be_equal);
        *is_odd |= u8::from(are_both_there && !is_in_order);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn capital_letters_are_told_as_the_contract_tells_them(
            text in prop::collection::vec(prop_oneof![4 => b'A'..=b'Z', 1 => any::<u8>()], 0..6),
            after in prop::collection::vec(any::<u8>(), 0..5),
        ) {
            let bytes = [&text[..], &after].concat();
            prop_assert_eq!(are_capital_letters(Span::new(&bytes, 0, text.len() as u32)), is_upper_letters(&text));
        }
    }
}
