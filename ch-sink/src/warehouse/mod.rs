//! The warehouse: a connection to ClickHouse, and what Schoolbell asks of it.

mod address;
mod commit;
mod event_dates;
mod grants;
mod init;
mod insert;
mod inspect;
mod kept;
mod loads;
mod rejects;
mod retry;
mod staged;
mod sweep;
mod tables;
mod tls;
mod wire;

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clickhouse::{Client, Compression};
use event_schema::generate::{Cluster, Databases, data_table, distributed_table};
use event_schema::value::Date;
use serde::de::DeserializeOwned;
use tracing::debug;
use uuid::Uuid;

use crate::{RefusalKind, WarehouseError};
pub(crate) use commit::{Proposal, Refusal};
pub use grants::{Grant, Need};
pub use inspect::{Disk, LoadedDay, WaitingLoads};
pub(crate) use kept::RowsGone;
pub use loads::Commit;
pub(crate) use loads::Standing;
pub(crate) use rejects::RejectsIn;
pub use rejects::{RejectCount, RejectFilter, RejectKey, RejectedLine};
pub use retry::Retry;
use retry::{Backoff, WaitLog};
pub(crate) use staged::StagedLoad;
pub(crate) use sweep::{Found, TABLES};
pub use tables::{Inspection, OLDEST_SERVER, Object, ObjectState, TablesError};
pub(crate) use tls::objection;
pub use wire::WireCompression;

/// The time limit of queries that read or change little.
const QUERY_TIMEOUT: Duration = Duration::from_secs(300);
/// `max_query_size`, in bytes: a statement may name thousands of loads.
const MOST_STATEMENT_BYTES: &str = "67108864";
/// The time limit of the first connection: a wrong address should be reported soon.
const CONNECT_FOR: Duration = Duration::from_secs(15);
/// The part of it that is left to find out what answers there.
const PROBE_FOR: Duration = Duration::from_secs(1);
/// How long to wait for the greeting of another protocol.
const GREETING_FOR: Duration = Duration::from_millis(200);
/// How often a warning says that there is no answer yet.
const WARN_AFTER: Duration = Duration::from_secs(10);

/// The scheme of addresses with TLS.
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
#[non_exhaustive]
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

impl ConnectOptions {
    /// As the user `default`, without a password; databases without a prefix on one server, two minutes of retries, and
    /// compression on the way to other machines only.
    pub fn new(url: impl Into<String>) -> ConnectOptions {
        let url = url.into();
        ConnectOptions {
            user: "default".to_owned(),
            password: Secret::default(),
            databases: Databases::default(),
            cluster: None,
            retry: Retry::default(),
            wire_compression: WireCompression::for_url(&url),
            url,
        }
    }

    /// As this user.
    #[must_use]
    pub fn with_user(self, user: impl Into<String>, password: Secret) -> ConnectOptions {
        ConnectOptions { user: user.into(), password, ..self }
    }

    /// With these names of the databases.
    #[must_use]
    pub fn with_databases(self, databases: Databases) -> ConnectOptions {
        ConnectOptions { databases, ..self }
    }

    /// With tables that are spread over the servers of a cluster.
    #[must_use]
    pub fn with_cluster(self, cluster: Option<Cluster>) -> ConnectOptions {
        ConnectOptions { cluster, ..self }
    }

    /// With other retries.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> ConnectOptions {
        ConnectOptions { retry, ..self }
    }

    /// With rows compressed so on their way.
    #[must_use]
    pub fn with_wire_compression(self, wire_compression: WireCompression) -> ConnectOptions {
        ConnectOptions { wire_compression, ..self }
    }
}

/// A ClickHouse that holds, or is to hold, Schoolbell's tables.
#[derive(Debug, Clone)]
pub struct Warehouse {
    client: Client,
    /// For rows: compresses them, or not.
    inserting: Client,
    url: String,
    user: String,
    databases: Databases,
    cluster: Option<Cluster>,
    retry: Retry,
    wait_log: WaitLog,
}

impl Warehouse {
    /// Checks that the server answers, lets the user in, and has what the connection is for: a version that is new
    /// enough, tables of this version, and grants.
    pub async fn connect(options: ConnectOptions, need: Need) -> Result<Warehouse, WarehouseError> {
        address::check_url(&options.url)?;
        address::check_credential("the user (--user or CLICKHOUSE_USER)", &options.user)?;
        address::check_credential("the password (CLICKHOUSE_PASSWORD)", &options.password.0)?;
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
            .with_user(&options.user)
            .with_password(options.password.0)
            .with_product_info("schoolbell", env!("CARGO_PKG_VERSION"))
            // Answers are small.
            .with_compression(Compression::None);
        let inserting = client.clone().with_compression(options.wire_compression.of_client());
        let ConnectOptions { url, user, databases, cluster, retry, .. } = options;
        let wait_log = WaitLog::new(&url);
        let warehouse = Warehouse { client, inserting, url, user, databases, cluster, retry, wait_log };
        let inspection = warehouse.first_contact().await?;
        debug!(url = warehouse.url, server = inspection.server_version, "connected");
        inspection.check_server(&warehouse.url)?;
        let raw = warehouse.databases.raw();
        match need {
            Need::Init | Need::Inspect => {}
            Need::Marts => inspection.check_seen(&raw)?,
            _ => {
                inspection.check_own(&raw)?;
                // First: what a user may not see is missing.
                warehouse.check_grants(need).await?;
                inspection.check(&raw)?;
            }
        }
        Ok(warehouse)
    }

    /// The server's first answer, or what is wrong with the address.
    async fn first_contact(&self) -> Result<Inspection, WarehouseError> {
        let started = Instant::now();
        let backoff = Backoff::new(self.retry.total.min(CONNECT_FOR), self.wait_log.clone());
        let attempt = async || {
            let left = CONNECT_FOR.saturating_sub(PROBE_FOR).saturating_sub(started.elapsed());
            match tokio::time::timeout(left, self.inspect_once()).await {
                Ok(Err(error @ WarehouseError::Unreachable { .. })) => {
                    Err(match address::greeting(&self.url, GREETING_FOR).await {
                        Some(words) => WarehouseError::WrongAddress {
                            url: self.url.clone(),
                            found: format!("what answers there does not speak HTTP (it says {words:?})"),
                        },
                        None => error,
                    })
                }
                Ok(inspection) => inspection.map_err(WarehouseError::at_first_contact),
                Err(_) => Err(WarehouseError::Silent {
                    url: self.url.clone(),
                    problem: address::silence(&self.url, PROBE_FOR).await,
                    after: CONNECT_FOR,
                }),
            }
        };
        match backoff.retrying(attempt).await {
            // A server may be too old to understand the query.
            Err(
                error @ WarehouseError::Refused {
                    kind: RefusalKind::Statement | RefusalKind::Unknown, ..
                },
            ) => {
                self.check_version().await?;
                Err(error)
            }
            outcome => outcome,
        }
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
        rows(doing, &self.read(doing, sql, "JSONEachRow").await?)
    }

    /// The same, without retries and with the user's own settings.
    async fn fetch_once<T: DeserializeOwned>(
        &self,
        doing: &str,
        sql: &str,
    ) -> Result<Vec<T>, WarehouseError> {
        let query = async { self.client.query_raw(sql).fetch_bytes("JSONEachRow")?.collect().await };
        let answer = self.within_time(doing, query).await?;
        rows(doing, &answer)
            .map_err(|_| WarehouseError::not_clickhouse(&self.url, &String::from_utf8_lossy(&answer)))
    }

    async fn within_time<T>(
        &self,
        doing: &str,
        query: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, WarehouseError> {
        let began = Instant::now();
        let answer =
            tokio::time::timeout(QUERY_TIMEOUT, self.with_warnings(doing, QUERY_TIMEOUT, query)).await;
        // Not the statement: it may be as long as the ids of thousands of loads.
        debug!(
            doing,
            is_ok = matches!(answer, Ok(Ok(_))),
            ms = began.elapsed().as_millis() as u64,
            "asked the server"
        );
        match answer {
            Ok(result) => result.map_err(|error| WarehouseError::new(&self.url, doing, QUERY_TIMEOUT, error)),
            Err(_) => Err(WarehouseError::TimedOut { doing: doing.to_owned(), after: QUERY_TIMEOUT }),
        }
    }

    /// Waits for an answer, with a warning from time to time. `limit` is only for the message.
    async fn with_warnings<T>(&self, doing: &str, limit: Duration, answer: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let mut answer = std::pin::pin!(answer);
        loop {
            match tokio::time::timeout(WARN_AFTER, answer.as_mut()).await {
                Ok(answer) => return answer,
                Err(_) => self.wait_log.no_answer(doing, started.elapsed(), limit),
            }
        }
    }
}

/// Rows of JSON, one a line.
fn rows<T: DeserializeOwned>(doing: &str, answer: &[u8]) -> Result<Vec<T>, WarehouseError> {
    serde_json::Deserializer::from_slice(answer)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| WarehouseError::Unexpected { doing: doing.to_owned(), problem: error.to_string() })
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
        let options = ConnectOptions::new("http://host:8123").with_user("loader", Secret::new("geheim"));
        assert!(!format!("{options:?}").contains("geheim"), "{options:?}");
    }
}
