//! The warehouse: a connection to ClickHouse, and what Schoolbell asks of it.

mod init;
mod loads;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use clickhouse::{Client, Compression};
use event_schema::generate::{Databases, data_table};
use event_schema::value::Date;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::WarehouseError;
pub use loads::{Commit, CommittedSource};

/// Until a query that reads or changes little is given up.
const QUERY_TIMEOUT: Duration = Duration::from_secs(300);
/// Until a piece of an insert that the server does not take is given up.
const SEND_TIMEOUT: Duration = Duration::from_secs(120);
/// Until an insert that was sent and is not acknowledged is given up.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(600);

/// What every insert relies on; some defaults differ between versions of the server.
const INSERT_SETTINGS: [(&str, &str); 9] = [
    // Acknowledged means stored.
    ("async_insert", "0"),
    // Two loads may well send the same block: both are wanted.
    ("insert_deduplicate", "0"),
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

/// A password: kept out of every message.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(password: impl Into<String>) -> Secret {
        Secret(password.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How to reach the warehouse.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// ClickHouse's HTTP address, such as `http://127.0.0.1:8123`; no user, password, path or parameters in it.
    pub url: String,
    /// The user.
    pub user: String,
    /// Its password; empty for none.
    pub password: Secret,
    /// The names of the databases.
    pub databases: Databases,
}

/// A ClickHouse that holds, or is to hold, Schoolbell's tables.
#[derive(Debug, Clone)]
pub struct Warehouse {
    client: Client,
    url: String,
    databases: Databases,
}

impl Warehouse {
    /// Checks that the server answers and lets the user in.
    pub async fn connect(options: ConnectOptions) -> Result<Warehouse, WarehouseError> {
        check_url(&options.url)?;
        let client = Client::default()
            .with_url(&options.url)
            .with_user(options.user)
            .with_password(options.password.0)
            .with_product_info("schoolbell", env!("CARGO_PKG_VERSION"))
            // It would cost the client more than a local or fast network saves.
            .with_compression(Compression::None);
        let warehouse = Warehouse { client, url: options.url, databases: options.databases };
        warehouse.fetch_one::<u8>("connect", "SELECT 1").await?;
        Ok(warehouse)
    }

    /// The names of the databases.
    pub fn databases(&self) -> &Databases {
        &self.databases
    }

    /// How many rows of a load a reader's table has, committed or not.
    pub(crate) async fn count(
        &self,
        table: &str,
        batch_date: Date,
        load_id: Uuid,
    ) -> Result<u64, WarehouseError> {
        let data = self.data_table(table);
        self.fetch_one(
            &format!("count rows of {data}"),
            &format!(
                "SELECT count() FROM {data} WHERE batch_date = '{batch_date}' AND load_id = '{load_id}'"
            ),
        )
        .await
    }

    /// Removes a load's rows from the table behind a reader's table; nothing if it has none.
    pub(crate) async fn drop_partition(
        &self,
        table: &str,
        batch_date: Date,
        load_id: Uuid,
    ) -> Result<(), WarehouseError> {
        let data = self.data_table(table);
        self.execute(
            &format!("drop a partition of {data}"),
            &format!("ALTER TABLE {data} DROP PARTITION ('{batch_date}', '{load_id}')"),
        )
        .await
    }

    /// Inserts what comes out of `pieces` into a table; `format` is what stands behind its name.
    ///
    /// A channel also closes when whoever fills it fails. So `whole` is asked afterwards whether that was all; if
    /// not, the insert is broken off.
    pub(crate) async fn insert(
        &self,
        table: &str,
        format: &str,
        mut pieces: mpsc::Receiver<Bytes>,
        whole: impl Future<Output = bool>,
    ) -> Result<(), WarehouseError> {
        let doing = || format!("insert into {table}");
        let fail = |after, error| WarehouseError::new(&self.url, doing(), after, error);
        let mut insert = self.client.insert_formatted_with(format!("INSERT INTO {table} {format}"));
        for (name, value) in INSERT_SETTINGS {
            insert = insert.with_setting(name, value);
        }
        insert = insert.with_timeouts(Some(SEND_TIMEOUT), Some(ACKNOWLEDGE_TIMEOUT));
        while let Some(piece) = pieces.recv().await {
            insert.send(piece).await.map_err(|error| fail(SEND_TIMEOUT, error))?;
        }
        if !whole.await {
            let problem = "the block could not be encoded to its end".to_owned();
            return Err(WarehouseError::Unexpected { doing: doing(), problem });
        }
        insert.end().await.map_err(|error| fail(ACKNOWLEDGE_TIMEOUT, error))
    }

    /// The table behind a reader's table, with its database.
    pub(crate) fn data_table(&self, table: &str) -> String {
        format!("{}.{}", self.databases.raw(), data_table(table))
    }

    /// The rows of a query in a format of the server, such as `CSVWithNames`. All of them are held in memory.
    pub async fn read(&self, doing: &str, sql: &str, format: &str) -> Result<Bytes, WarehouseError> {
        let query = async {
            let query = self
                .client
                .query_raw(sql)
                .with_setting("wait_end_of_query", "1")
                .with_setting("output_format_json_quote_64bit_integers", "0")
                // A table for people shows all it has.
                .with_setting("output_format_pretty_max_rows", "1000000");
            query.fetch_bytes(format)?.collect().await
        };
        self.within_time(doing, query).await
    }

    async fn execute(&self, doing: &str, sql: &str) -> Result<(), WarehouseError> {
        self.within_time(doing, self.client.query_raw(sql).with_setting("wait_end_of_query", "1").execute())
            .await
    }

    async fn fetch_one<T>(&self, doing: &str, sql: &str) -> Result<T, WarehouseError>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        self.within_time(doing, self.client.query_raw(sql).fetch_one()).await
    }

    /// The rows of a query, as JSON gives them: types are converted by name, whatever their order.
    async fn fetch<T: DeserializeOwned>(&self, doing: &str, sql: &str) -> Result<Vec<T>, WarehouseError> {
        let query = async {
            let query = self
                .client
                .query_raw(sql)
                .with_setting("wait_end_of_query", "1")
                .with_setting("output_format_json_quote_64bit_integers", "0");
            query.fetch_bytes("JSONEachRow")?.collect().await
        };
        let answer = self.within_time(doing, query).await?;
        serde_json::Deserializer::from_slice(&answer).into_iter().collect::<Result<_, _>>().map_err(|error| {
            WarehouseError::Unexpected { doing: doing.to_owned(), problem: error.to_string() }
        })
    }

    async fn within_time<T>(
        &self,
        doing: &str,
        query: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, WarehouseError> {
        match tokio::time::timeout(QUERY_TIMEOUT, query).await {
            Ok(result) => result.map_err(|error| WarehouseError::new(&self.url, doing, QUERY_TIMEOUT, error)),
            Err(_) => Err(WarehouseError::TimedOut { doing: doing.to_owned(), after: QUERY_TIMEOUT }),
        }
    }
}

/// An address that can be shown: nothing but scheme, host and port.
fn check_url(url: &str) -> Result<(), WarehouseError> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let problem = match rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest)) {
        None => "it does not begin with http:// or https://",
        Some("") => "it names no host",
        Some(rest) if rest.contains('@') => "it holds a user; give user and password by their own options",
        Some(rest) if rest.contains(['?', '#', '/']) => "it has a path or parameters",
        Some(rest) if rest.contains(|c: char| c.is_whitespace() || c.is_control()) => "it holds white space",
        Some(_) => return Ok(()),
    };
    Err(WarehouseError::InvalidUrl { problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let options = ConnectOptions {
            url: "http://host:8123".to_owned(),
            user: "loader".to_owned(),
            password: Secret::new("geheim"),
            databases: Databases::default(),
        };
        assert!(!format!("{options:?}").contains("geheim"), "{options:?}");
    }

    #[test]
    fn addresses_that_may_hold_secrets_are_refused_without_being_repeated() {
        for url in ["http://u:geheim@host", "http://host/?password=geheim", "geheim", "http://", "http://a b"]
        {
            let error = check_url(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
        }
        for url in ["http://127.0.0.1:8123", "https://[::1]:8443/"] {
            check_url(url).unwrap();
        }
    }
}
