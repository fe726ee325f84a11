#![doc = include_str!("../README.md")]

pub mod event;
pub mod generate;
mod reason;
pub mod registry;
pub mod value;

pub use reason::Reason;
