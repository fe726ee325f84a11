#![doc = include_str!("../README.md")]

mod definition_error;
pub mod event;
pub mod generate;
mod reason;
pub mod registry;
pub mod value;

pub use definition_error::DefinitionError;
pub use reason::Reason;
