//! One file for each kind of rule of the contract. A file holds the rule's fast form, its strict form and what it
//! appends to a column:
//!
//! - [`RuleKind::check_column`]: the fast form, a loop over one field of many rows. It marks the rows that it cannot
//!   decide: those whose value breaks the rule, and valid values in an unusual form.
//! - [`RuleKind::read`]: the strict form, for one row. It decides every value and adds the violation.
//! - [`StoredIn`]: both forms of appending what was read.
//!
//! Which field has which rule, and which column it fills, is generated from the registry: [`super::payloads`].

mod amount;
mod boolean;
mod date;
mod digits;
mod integer;
mod letters;
mod object;
mod order;
mod share;
mod text;
mod time;
mod time_reader;
mod uuid;

pub(super) use amount::Amount;
pub(super) use boolean::Boolean;
pub(super) use date::Date;
pub(super) use integer::Integer;
pub(super) use letters::Letters;
pub(super) use object::Object;
pub(super) use order::{check_order, check_order_of_columns};
pub(super) use share::Share;
pub(super) use text::Text;
pub(super) use time::{EventTime, Time};
pub(super) use time_reader::TimeReader;
pub(super) use uuid::Uuid;

use super::bulk::{BulkAppend, BulkCheck, ColumnValues};
use super::row::{CheckedField, RowCheck};
use crate::arch::Simd;

/// A kind of rule. All functions have to be `#[inline(always)]`: see [`crate::arch::Task`].
pub(super) trait RuleKind {
    /// What a value is once it has been read.
    type Value<'a>;

    /// Reads the field of one row. `None` where it is absent, or breaks the rule: then the row has a violation.
    fn read<'a, S: Simd>(row: &mut RowCheck<'a, S>, field: CheckedField) -> Option<Self::Value<'a>>;

    /// Checks the field of many rows, and marks those that need the slow path. A rule that reads values keeps them for
    /// [`StoredIn::append_column`].
    fn check_column<S: Simd>(check: &mut BulkCheck<'_, S>, field: CheckedField) -> ColumnValues;
}

/// A kind of rule whose values are stored in columns of type `C`. All functions have to be `#[inline(always)]`.
pub(super) trait StoredIn<C>: RuleKind {
    /// Appends the value of one row.
    fn append(value: Option<Self::Value<'_>>, column: &mut C);

    /// Appends the values of many rows, all of which have passed [`RuleKind::check_column`].
    fn append_column<S: Simd>(append: &mut BulkAppend<'_, S>, field: CheckedField, column: &mut C);
}
