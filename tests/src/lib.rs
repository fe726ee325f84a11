//! What Schoolbell's tests across crates stand on.
//!
//! - [`mod@reference`] reads event lines by the contract, slowly and plainly, sharing no code with the loader;
//! - [`corpus`] loads `corpus/`: lines with their expected outcome, written to be read by people;
//! - [`parsed`] is what `event-parser` makes of the same lines, in the reference's form;
//! - [`lines`] generates event lines and files, whole and damaged, for property tests;
//! - [`marts`] computes every mart from what the reference reads, without SQL;
//! - [`days`] makes day files with all that goes wrong between a product and its warehouse;
//! - [`world`] is the product as its users have it, [`proxy`] the network between it and a server.
//!
//! The tests themselves live in `tests/`: they hold the loader and the marts against these.

pub mod corpus;
pub mod days;
pub mod lines;
pub mod marts;
pub mod parsed;
pub mod proxy;
pub mod reference;
pub mod world;
