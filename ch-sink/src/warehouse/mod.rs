//! The warehouse: a connection to ClickHouse, and what Schoolbell asks of it.

mod commit;
mod event_dates;
mod init;
mod insert;
mod inspect;
mod loads;
mod rejects;
mod retry;
mod staged;
mod sweep;
mod tls;
mod wire;

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use clickhouse::{Client, Compression};
use event_schema::generate::{Cluster, Databases, data_table, distributed_table};
use event_schema::value::Date;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::WarehouseError;
pub(crate) use commit::{Proposal, Refusal};
pub use inspect::{Disk, LoadedDay, WaitingLoads};
pub(crate) use loads::Standing;
pub use loads::{Commit, CommittedSource};
pub(crate) use rejects::RejectsIn;
pub use rejects::{RejectCount, RejectFilter, RejectKey, RejectedLine};
pub(crate) use retry::Pauses;
pub use retry::Retry;
pub(crate) use staged::StagedLoad;
pub(crate) use sweep::{Found, TABLES, date};
pub(crate) use tls::objection;
pub use wire::WireCompression;

/// Until a query that reads or changes little is given up.
const QUERY_TIMEOUT: Duration = Duration::from_secs(300);
/// The longest statement that the server is to take, in bytes: one may name thousands of loads.
const MOST_STATEMENT_BYTES: &str = "67108864";
/// Until a server that does not answer at all is given up, if the retries are not shorter: whoever starts a load
/// wants to hear soon that the address is wrong.
const CONNECT_FOR: Duration = Duration::from_secs(15);

/// How an address begins where TLS is spoken.
const TLS_SCHEME: &str = "https://";

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
    /// With `https://` the server has to show a certificate that the system trusts, or that is vouched for by one in
    /// the file that the variable `SSL_CERT_FILE` names.
    pub url: String,
    /// The user.
    pub user: String,
    /// Its password; empty for none.
    pub password: Secret,
    /// The names of the databases.
    pub databases: Databases,
    /// The cluster over which the tables are spread; `None` for one server.
    pub cluster: Option<Cluster>,
    /// How long to try again.
    pub retry: Retry,
    /// How rows are compressed on their way.
    pub wire_compression: WireCompression,
}

/// A ClickHouse that holds, or is to hold, Schoolbell's tables.
#[derive(Debug, Clone)]
pub struct Warehouse {
    client: Client,
    /// For rows: compresses them, or not.
    inserting: Client,
    url: String,
    databases: Databases,
    cluster: Option<Cluster>,
    retry: Retry,
}

impl Warehouse {
    /// Checks that the server answers and lets the user in.
    pub async fn connect(options: ConnectOptions) -> Result<Warehouse, WarehouseError> {
        check_url(&options.url)?;
        let client = if options.url.starts_with(TLS_SCHEME) {
            let no_certificates = |error: io::Error| WarehouseError::Untrusted {
                url: options.url.clone(),
                problem: format!("there is nothing to check its certificate by ({error})"),
            };
            tls::client().map_err(no_certificates)?
        } else {
            Client::default()
        };
        let client = client
            .with_url(&options.url)
            .with_user(options.user)
            .with_password(options.password.0)
            .with_product_info("schoolbell", env!("CARGO_PKG_VERSION"))
            // Answers are small.
            .with_compression(Compression::None);
        let inserting = client.clone().with_compression(options.wire_compression.of_client());
        let ConnectOptions { url, databases, cluster, retry, .. } = options;
        let warehouse = Warehouse { client, inserting, url, databases, cluster, retry };
        let patience = Retry { total: retry.total.min(CONNECT_FOR) };
        retry::retrying(patience, async || warehouse.ask::<u8>("connect", "SELECT 1").await).await?;
        Ok(warehouse)
    }

    /// The names of the databases.
    pub fn databases(&self) -> &Databases {
        &self.databases
    }

    /// How long to try again.
    pub(crate) fn retry(&self) -> Retry {
        self.retry
    }

    /// How many rows of a load a reader's table has, committed or not.
    pub(crate) async fn count(
        &self,
        table: &str,
        batch_date: Date,
        load_id: Uuid,
    ) -> Result<u64, WarehouseError> {
        let rows = self.rows_table(table);
        self.fetch_one(
            &format!("count rows of {rows}"),
            &format!(
                "SELECT count() FROM {rows} WHERE batch_date = '{batch_date}' AND load_id = '{load_id}'"
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
            &format!("ALTER TABLE {data}{} DROP PARTITION ('{batch_date}', '{load_id}')", self.on_cluster()),
        )
        .await
    }

    /// The table through which a reader's table is filled and counted, with its database.
    pub(crate) fn rows_table(&self, table: &str) -> String {
        let name = if self.cluster.is_some() { distributed_table(table) } else { data_table(table) };
        format!("{}.{name}", self.databases.raw())
    }

    /// A table of the bookkeeping, with its database.
    fn bookkeeping(&self, table: &str) -> String {
        format!("{}.{table}", self.databases.raw())
    }

    /// A table of `system`: on a cluster, that of all servers.
    fn system_table(&self, table: &str) -> String {
        match &self.cluster {
            Some(cluster) => format!("clusterAllReplicas('{cluster}', system.{table})"),
            None => format!("system.{table}"),
        }
    }

    fn on_cluster(&self) -> String {
        self.cluster.as_ref().map(|cluster| format!(" ON CLUSTER '{cluster}'")).unwrap_or_default()
    }

    /// The table behind a reader's table, with its database.
    pub(crate) fn data_table(&self, table: &str) -> String {
        format!("{}.{}", self.databases.raw(), data_table(table))
    }

    /// The rows of a query in a format of the server, such as `CSVWithNames`. All of them are held in memory.
    pub async fn read(&self, doing: &str, sql: &str, format: &str) -> Result<Bytes, WarehouseError> {
        self.retrying(async || {
            let query = async {
                let query = self
                    .client
                    .query_raw(sql)
                    .with_setting("wait_end_of_query", "1")
                    .with_setting("max_query_size", MOST_STATEMENT_BYTES)
                    .with_setting("output_format_json_quote_64bit_integers", "0")
                    // As spreadsheets and libraries read it: an empty field is nothing.
                    .with_setting("format_csv_null_representation", "")
                    // A table for people shows all it has.
                    .with_setting("output_format_pretty_max_rows", "1000000");
                query.fetch_bytes(format)?.collect().await
            };
            self.within_time(doing, query).await
        })
        .await
    }

    /// Runs a statement that does no harm when it is run twice.
    async fn execute(&self, doing: &str, sql: &str) -> Result<(), WarehouseError> {
        self.retrying(async || {
            let query = self.client.query_raw(sql).with_setting("wait_end_of_query", "1");
            self.within_time(doing, query.execute()).await
        })
        .await
    }

    /// Runs a statement once, under an id of which the server runs one query at a time.
    async fn execute_once(&self, doing: &str, sql: &str, query_id: &str) -> Result<(), WarehouseError> {
        let query = self
            .client
            .query_raw(sql)
            .with_setting("query_id", query_id)
            .with_setting("max_query_size", MOST_STATEMENT_BYTES)
            .with_setting("async_insert", "0")
            .with_setting("wait_end_of_query", "1");
        self.within_time(doing, query.execute()).await
    }

    async fn fetch_one<T>(&self, doing: &str, sql: &str) -> Result<T, WarehouseError>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        self.retrying(async || self.ask(doing, sql).await).await
    }

    /// The one row of a query, asked for once.
    async fn ask<T>(&self, doing: &str, sql: &str) -> Result<T, WarehouseError>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        self.within_time(doing, self.client.query_raw(sql).fetch_one()).await
    }

    /// The rows of a query, as JSON gives them: types are converted by name, whatever their order.
    async fn fetch<T: DeserializeOwned>(&self, doing: &str, sql: &str) -> Result<Vec<T>, WarehouseError> {
        let answer = self.read(doing, sql, "JSONEachRow").await?;
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

/// Ids as a constant array of SQL.
fn id_array(ids: &[Uuid]) -> String {
    // Nothing is in an empty array, and the server refuses to look; nothing has the id of zeros.
    let nil = [Uuid::nil()];
    let ids = if ids.is_empty() { &nil } else { ids };
    // One literal, however many they are: the server limits the elements of a statement.
    let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    format!("CAST({}, 'Array(UUID)')", literal(&format!("[{list}]")))
}

/// Text as a literal of SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// An address that can be shown: nothing but scheme, host and port.
fn check_url(url: &str) -> Result<(), WarehouseError> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix(TLS_SCHEME));
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
    fn text_stays_inside_its_quotes() {
        assert_eq!(literal(r"it's a \ "), r"'it\'s a \\ '");
        assert_eq!(id_array(&[]), r"CAST('[\'00000000-0000-0000-0000-000000000000\']', 'Array(UUID)')");
    }

    #[test]
    fn a_password_is_never_shown() {
        let options = ConnectOptions {
            url: "http://host:8123".to_owned(),
            user: "loader".to_owned(),
            password: Secret::new("geheim"),
            databases: Databases::default(),
            cluster: None,
            retry: Retry::default(),
            wire_compression: WireCompression::None,
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
