//! The names of the three databases.

/// The databases `raw`, `staging` and `marts`, each behind a common prefix.
///
/// The prefix holds only ASCII letters, digits and `_`, so that the names need no quoting anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Databases {
    prefix: String,
}

/// A prefix that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a database prefix of at most 64 ASCII letters, digits and underscores, not starting with a \
     digit, found {found:?}"
)]
pub struct PrefixError {
    found: String,
}

impl Databases {
    /// Names with a prefix; the empty one gives `raw`, `staging` and `marts`.
    pub fn with_prefix(prefix: &str) -> Result<Databases, PrefixError> {
        let good = prefix.len() <= 64
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !prefix.starts_with(|first: char| first.is_ascii_digit());
        if good {
            Ok(Databases { prefix: prefix.to_owned() })
        } else {
            Err(PrefixError { found: prefix.to_owned() })
        }
    }

    /// The prefix.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where loads land.
    pub fn raw(&self) -> String {
        format!("{}raw", self.prefix)
    }

    /// Where dbt cleans them.
    pub fn staging(&self) -> String {
        format!("{}staging", self.prefix)
    }

    /// Where the numbers are.
    pub fn marts(&self) -> String {
        format!("{}marts", self.prefix)
    }
}
