//! The name of a ClickHouse cluster.

use std::fmt;

/// A cluster, as the servers' `<remote_servers>` name it.
///
/// The name holds only ASCII letters, digits, `_`, `-` and `.`, so that it stands between quotes as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    name: String,
}

/// A name that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a cluster's name of 1 to 64 ASCII letters, digits, `_`, `-` and `.`, found {found:?}")]
pub struct ClusterError {
    found: String,
}

impl Cluster {
    /// The cluster of that name.
    pub fn new(name: &str) -> Result<Cluster, ClusterError> {
        let good = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        if good {
            Ok(Cluster { name: name.to_owned() })
        } else {
            Err(ClusterError { found: name.to_owned() })
        }
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
