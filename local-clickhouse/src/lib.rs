#![doc = include_str!("../README.md")]

mod config;
mod data_dir;
mod engine;
mod error;
mod host;
mod log;
mod query;
mod registry;
mod server;
pub mod service;

pub use engine::{
    CACHE_ENV, ENGINE_ENV, ENGINE_PACKAGE, ENGINE_VERSION, Engine, MINIMUM_VERSION, PACKAGE_JSON,
    PACKAGE_LOCK, cache_dir, pinned_library,
};
pub use error::{EngineError, IoError, Place, StartError, StopError};
pub use host::{HOST_ARGUMENT, run_if_host};
pub use query::{QueryError, query};
pub use server::{Builder, Server};
