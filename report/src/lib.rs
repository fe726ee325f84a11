#![doc = include_str!("../README.md")]
//! ## Modules
//!
//! - `tables`: the figures of the page, with the query of each;
//! - `as_of`: what the figures are as of, and what is to be doubted;
//! - `document`: the answers, by column and within a size, as the JSON that the page reads;
//! - `page`: the HTML around it, with the script and style from `web`, bundled into `assets`.
//!
//! The charts are drawn in the reader's browser by Observable Plot; `assets/report.licences.txt` has the licences.

mod as_of;
mod document;
mod page;
mod tables;

#[cfg(test)]
mod tests;

pub use as_of::{AsOf, Questions, Row};
pub use document::{Document, Meta};
pub use page::page;
pub use tables::{OwnMetric, Range, Table, tables};
