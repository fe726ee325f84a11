//! Object stores: S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage.
//!
//! - `connect`: a URL's store, with the credentials that its own tools would find: `settings` reads the environment,
//!   `profile` AWS's files;
//! - `client`: signed requests to a bucket; `listing` reads its listings;
//! - `list`: what a URL, a prefix or a pattern stands for;
//! - `patience`: how long a store is waited for and tried again;
//! - `object`: one object in one state; every request for it is conditional on that state;
//! - `window`: pieces of objects, downloaded side by side and handed over in order;
//! - `failure`: a store's errors, by what they mean.

mod client;
mod connect;
mod failure;
mod list;
mod listing;
mod object;
mod patience;
mod profile;
mod settings;
mod window;

use std::future::Future;
use std::sync::{Once, OnceLock};
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use tokio::runtime::{Builder, Runtime};
use tracing::Instrument as _;

use client::Client;
use connect::Store;
pub(crate) use connect::Stores;
pub(crate) use list::list;
pub(crate) use object::Object;
use patience::{Patience, Tries};
pub(crate) use window::{Download, PIECE_BYTES, Window};

/// The first wait before something is tried again; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait before something is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The runtime for requests to stores. It ends with the process.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("object-store")
            .enable_all()
            .build()
            .expect("the operating system gives a process two threads")
    })
}

/// An HTTP client of the stores.
fn http_client(options: &ClientOptions) -> object_store::Result<HttpClient> {
    install_crypto();
    ReqwestConnector::default().connect(options)
}

/// Gives the stores' HTTP client the cryptography of TLS, unless this process has chosen one already.
fn install_crypto() {
    static INSTALLED: Once = Once::new();
    // An error says that there is one.
    INSTALLED.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// Runs a future on the runtime's threads and waits for it, from any thread.
fn wait_for<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    // Nobody is there to miss the result if this thread has gone.
    runtime().spawn(async move { drop(sender.send(work.await)) }.in_current_span());
    receiver.recv().expect("talking to a store does not panic")
}
