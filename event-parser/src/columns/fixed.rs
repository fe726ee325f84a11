//! Columns of numbers.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use super::{Column, View};

/// A column of integers or floats.
#[derive(Debug, Clone, Default)]
pub struct Fixed<T>(Vec<T>);

impl<T: bytemuck::Pod> Fixed<T> {
    /// Appends a row.
    pub fn push(&mut self, value: T) {
        self.0.push(value);
    }

    /// Appends rows.
    #[inline(always)]
    pub(crate) fn extend(&mut self, values: impl ExactSizeIterator<Item = T>) {
        self.0.extend(values);
    }

    /// The values, one a row.
    pub fn values(&self) -> &[T] {
        &self.0
    }
}

impl<T: bytemuck::Pod> Column for Fixed<T> {
    fn clear(&mut self) {
        self.0.clear();
    }

    fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    fn view(&self) -> View<'_> {
        View::Fixed { bytes: bytemuck::cast_slice(&self.0), width: size_of::<T>() }
    }

    fn push_absent(&mut self, count: usize) {
        self.0.resize(self.0.len() + count, T::zeroed());
    }
}

/// A column of integers or floats that may be NULL.
#[derive(Debug, Clone, Default)]
pub struct Nullable<T> {
    values: Vec<T>,
    nulls: Vec<u8>,
}

impl<T: bytemuck::Pod> Nullable<T> {
    /// Appends a row.
    pub fn push(&mut self, value: Option<T>) {
        self.values.push(value.unwrap_or(T::zeroed()));
        self.nulls.push(u8::from(value.is_none()));
    }

    /// Appends rows: their values, zero for NULL, and whether they are NULL.
    #[inline(always)]
    pub(crate) fn extend(
        &mut self,
        values: impl ExactSizeIterator<Item = T>,
        are_null: impl ExactSizeIterator<Item = bool>,
    ) {
        self.values.extend(values);
        self.nulls.extend(are_null.map(u8::from));
    }

    /// The value of a row; `None` is NULL.
    pub fn get(&self, row: usize) -> Option<T> {
        (self.nulls[row] == 0).then(|| self.values[row])
    }
}

impl<T: bytemuck::Pod> Column for Nullable<T> {
    fn clear(&mut self) {
        self.values.clear();
        self.nulls.clear();
    }

    fn bytes(&self) -> usize {
        size_of_val(self.values.as_slice()) + self.nulls.len()
    }

    fn view(&self) -> View<'_> {
        View::Nullable {
            bytes: bytemuck::cast_slice(&self.values),
            width: size_of::<T>(),
            nulls: &self.nulls,
        }
    }

    fn push_absent(&mut self, count: usize) {
        self.nulls.resize(self.nulls.len() + count, 1);
        self.values.resize(self.values.len() + count, T::zeroed());
    }
}
