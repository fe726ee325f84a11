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
mod source_parser;

pub use definition::Definition;
pub use map::{ContractLines, Mapper, Trial};
pub use mapping::Mapping;
pub use read::FindFile;
pub use source_parser::SourceParser;
