//! Asking a local server something: no proxy, whatever the environment says.

use std::time::Duration;

/// Longer than any query of a test or the demo takes.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A query that was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The server refused it, in its own words.
    #[error("ClickHouse refused the query: {0}")]
    Refused(String),
    /// The server did not answer.
    #[error("ClickHouse at {url} does not answer: {problem}")]
    Unreachable {
        /// The address asked.
        url: String,
        /// What happened instead.
        problem: String,
    },
}

/// Sends a query to the HTTP address of a server on loopback (settings may stand in it, as `?name=value`) and
/// answers what comes back.
pub fn query(url: &str, sql: &str) -> Result<String, QueryError> {
    let unreachable =
        |error: ureq::Error| QueryError::Unreachable { url: url.to_owned(), problem: error.to_string() };
    let mut response = agent(TIMEOUT).post(url).send(sql).map_err(unreachable)?;
    let body = response.body_mut().with_config().limit(u64::MAX).read_to_string().map_err(unreachable)?;
    if response.status().is_success() { Ok(body) } else { Err(QueryError::Refused(body.trim().to_owned())) }
}

/// An HTTP client for loopback, for which an error's answer is an answer too.
pub(crate) fn agent(timeout: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .build();
    config.into()
}
