//! Inserts: one block each, stored once however many times it is sent.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Warehouse;
use crate::WarehouseError;

/// The time limit for the server to accept a piece of an insert.
const SEND_TIMEOUT: Duration = Duration::from_secs(120);
/// The time limit for the acknowledgement of an insert.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(600);

/// Settings of every insert; some defaults differ between versions of the server.
const INSERT_SETTINGS: [(&str, &str); 10] = [
    // Acknowledged means stored.
    ("async_insert", "0"),
    // A block whose token the server has seen is not stored again.
    ("insert_deduplicate", "1"),
    // Through a table over shards too.
    ("distributed_foreground_insert", "1"),
    // One block sent is one block stored: sorted once, and atomic.
    ("input_format_parallel_parsing", "0"),
    ("max_insert_block_size", "1000000000"),
    ("max_insert_block_size_bytes", "0"),
    ("min_insert_block_size_rows", "0"),
    ("min_insert_block_size_bytes", "0"),
    // A column that the table lacks is an error, not dropped.
    ("input_format_skip_unknown_fields", "0"),
    // The status is that of the finished insert.
    ("wait_end_of_query", "1"),
];

impl Warehouse {
    /// Inserts what comes out of `pieces`. `statement` is everything before the data. The server stores nothing if it
    /// has seen the token.
    ///
    /// A channel also closes when whoever fills it fails. So `whole` is asked afterwards whether that was all; if
    /// not, the insert is broken off.
    pub(crate) async fn insert(
        &self,
        doing: &str,
        statement: &str,
        token: &str,
        mut pieces: mpsc::Receiver<Bytes>,
        whole: impl Future<Output = bool>,
    ) -> Result<(), WarehouseError> {
        let fail = |after, error| WarehouseError::new(&self.url, doing, after, error);
        let mut insert = self.inserting.insert_formatted_with(statement);
        for (name, value) in INSERT_SETTINGS {
            insert = insert.with_setting(name, value);
        }
        insert = insert.with_setting("insert_deduplication_token", token);
        insert = insert.with_timeouts(Some(SEND_TIMEOUT), Some(ACKNOWLEDGE_TIMEOUT));
        while let Some(piece) = pieces.recv().await {
            let sent = self.with_warnings(doing, SEND_TIMEOUT, insert.send(piece)).await;
            sent.map_err(|error| fail(SEND_TIMEOUT, error))?;
        }
        if !whole.await {
            let problem = "the block could not be encoded to its end".to_owned();
            return Err(WarehouseError::Unexpected { doing: doing.to_owned(), problem });
        }
        let acknowledged = self.with_warnings(doing, ACKNOWLEDGE_TIMEOUT, insert.end()).await;
        acknowledged.map_err(|error| fail(ACKNOWLEDGE_TIMEOUT, error))
    }

    /// Inserts a few rows, written as JSON.
    pub(crate) async fn insert_json(
        &self,
        doing: &str,
        statement: &str,
        token: &str,
        rows: Bytes,
    ) -> Result<(), WarehouseError> {
        let (sender, pieces) = mpsc::channel(1);
        // There is room for the one piece, so it is there before anyone waits for it.
        sender.try_send(rows).expect("an empty channel takes a piece");
        drop(sender);
        let statement = format!("{statement} FORMAT JSONEachRow");
        self.insert(doing, &statement, token, pieces, async { true }).await
    }
}
