//! What Schoolbell's tests across crates stand on.
//!
//! - [`mod@reference`] reads event lines by the contract, slowly and plainly, sharing no code with the loader;
//! - [`corpus`] loads `corpus/`: lines with their expected outcome, written to be read by people;
//! - [`parsed`] is what `event-parser` makes of the same lines, in the reference's form;
//! - [`lines`] generates event lines and files, whole and damaged, for property tests;
//! - [`fuzz`] holds the parser against the reference on as many changed lines as one has time for;
//! - `marts` computes every mart from what the reference reads, without SQL;
//! - `days` makes day files with all that goes wrong between a product and its warehouse;
//! - `world` is the product as its users have it, `s3` and `azure` the stores of its day files, `proxy` the network
//!   between, `tls` a server's front that encrypts, `users` servers with users of their own.
//!
//! The tests themselves live in `tests/`: they hold the loader and the marts against these. What needs more than the
//! parser is behind the feature `product`, which is on unless one asks for the fuzzer alone.

pub mod corpus;
pub mod fuzz;
pub mod lines;
pub mod parsed;
pub mod reference;

#[cfg(feature = "product")]
pub mod azure;
#[cfg(feature = "product")]
pub mod days;
#[cfg(feature = "product")]
pub mod marts;
#[cfg(feature = "product")]
pub mod proxy;
#[cfg(feature = "product")]
pub mod s3;
#[cfg(feature = "product")]
mod service;
#[cfg(feature = "product")]
pub mod tls;
#[cfg(feature = "product")]
pub mod users;
#[cfg(feature = "product")]
pub mod world;
