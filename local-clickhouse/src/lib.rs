//! Hosts one real ClickHouse on loopback: for trying Schoolbell out, for tests and for the demo.
//!
//! The engine is an installed `clickhouse`, or else the pinned engine library that
//! `cargo xtask setup` puts into the cache ([`Engine::find`] says which). Either way it runs as
//! `clickhouse local` in a child process of its own, with the HTTP and the native protocol open on
//! `127.0.0.1` and its tables in a data folder that outlives it.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = local_clickhouse::Server::builder()
//!     .data_dir("target/warehouse")
//!     .host_executable("target/debug/schoolbell")
//!     .start()?;
//! println!("ClickHouse answers at {}", server.url());
//! server.stop()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Host executables
//! A library engine needs a process to live in: it can be started once per process, and takes
//! signal handlers and hundreds of threads with it. That process is a second run of a *host
//! executable*, one whose `main` begins with [`run_if_host`]:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     if let Some(code) = local_clickhouse::run_if_host() {
//!         return code;
//!     }
//!     // … what the program is for …
//!     std::process::ExitCode::SUCCESS
//! }
//! ```
//!
//! # What holds
//! - **No orphans.** The engine reads a pipe whose other end only its owner has; when the owner
//!   stops, drops the [`Server`] or dies, of whatever cause, the engine ends.
//! - **No strangers.** A [`Server`] is returned only for an engine that this call started and that
//!   reported itself which ports it opened; what else may answer on a port is never taken for it.
//! - **One at a time.** A data folder has a lock, held for as long as a server runs on it and
//!   released by the kernel when its owner dies: no stale process id is ever believed.
//! - **Loopback only.** The engine has no password and its `file()` function reads whatever its
//!   user can read; do not forward its ports.

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
