#![doc = include_str!("../README.md")]

pub mod builtin;
mod check;
mod compile;
mod convert;
pub mod definition;
mod json;
mod map;
mod mapping;
mod read;

pub use definition::Definition;
pub use map::{ContractLines, Mapper};
pub use mapping::Mapping;
pub use read::FindFile;
