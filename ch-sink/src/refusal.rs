//! Classifies errors of the server by their names.
//!
//! ClickHouse has some 660 errors, and every version adds more. Their names are made of a few words, so rules over words
//! also classify errors of later versions.
//! `tests/tests/it/refusals.rs` holds the rules against the engine's own list.

/// The kind of an error of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The login failed.
    Login,
    /// The user may not do that: grants, a read-only mode, a constraint of its profile, a limit of the administrator.
    Denied,
    /// Tables, views or columns are not as they should be.
    Tables,
    /// A disk has no space or no inodes left.
    Full,
    /// The user's quota is used up.
    Quota,
    /// The server cannot do it now: memory, time, too many of something, a connection, a replica, Keeper, a file.
    Busy,
    /// The statement is wrong.
    Statement,
    /// No rule knows it.
    Unknown,
}

/// Names, or parts of them (`*` at either end), by what they mean. The first rule that fits holds.
const RULES: &[(RefusalKind, &[&str])] = &[
    (
        RefusalKind::Login,
        &[
            "UNKNOWN_USER",
            "*_PASSWORD",
            "REQUIRED_SECOND_FACTOR",
            "AUTHENTICATION_FAILED",
            "IP_ADDRESS_NOT_ALLOWED",
            "ACCESS_ENTITY_NOT_FOUND",
            "USER_EXPIRED",
        ],
    ),
    (
        // They would fit rules below.
        RefusalKind::Statement,
        &[
            "TOO_MANY_ARGUMENTS_FOR_FUNCTION",
            "TOO_FEW_ARGUMENTS_FOR_FUNCTION",
            "CANNOT_READ_ARRAY_FROM_TEXT",
            "CANNOT_READ_MAP_FROM_TEXT",
            "CANNOT_WRITE_AFTER_END_OF_BUFFER",
        ],
    ),
    (
        RefusalKind::Denied,
        &[
            "*_DENIED",
            "READONLY",
            "READONLY_SETTING",
            "*_STORAGE_READONLY",
            "*_PERMANENTLY_READ_ONLY",
            "SETTING_CONSTRAINT_VIOLATION",
            "*_PROHIBITED",
            "*_NOT_ALLOWED",
            "UNKNOWN_ROLE",
            "SET_NON_GRANTED_ROLE",
            "TABLE_SIZE_EXCEEDS_MAX_DROP_SIZE_LIMIT",
            "LICENSING_EXCEPTION",
            "QUOTA_REQUIRES_CLIENT_KEY",
        ],
    ),
    (
        RefusalKind::Tables,
        &[
            "UNKNOWN_TABLE",
            "UNKNOWN_DATABASE",
            "UNKNOWN_IDENTIFIER",
            "NO_SUCH_COLUMN_IN_TABLE",
            "NOT_FOUND_COLUMN_IN_BLOCK",
            "THERE_IS_NO_COLUMN",
            "DUPLICATE_COLUMN",
            "*NUMBER_OF_COLUMNS*",
            "INCOMPATIBLE_COLUMNS",
            "INCOMPATIBLE_SCHEMA",
            "INVALID_PARTITION_VALUE",
            "UNEXPECTED_TABLE_ENGINE",
            "TABLE_ALREADY_EXISTS",
            "TABLE_METADATA_ALREADY_EXISTS",
            "TABLE_IS_DROPPED",
            "TABLE_UUID_MISMATCH",
            "VIOLATED_CONSTRAINT",
            "CLUSTER_DOESNT_EXIST",
        ],
    ),
    (RefusalKind::Full, &["NOT_ENOUGH_SPACE"]),
    (RefusalKind::Quota, &["QUOTA_EXCEEDED"]),
    (
        RefusalKind::Busy,
        &[
            "*TOO_MANY_*",
            "TOO_SLOW*",
            "*_OVERLOADED",
            "*LIMIT_EXCEEDED",
            "*_LIMIT_REACHED",
            "*TIMEOUT*",
            "*MEMORY*",
            "*NETWORK*",
            "*SOCKET*",
            "*CONNECT*",
            "DNS_ERROR",
            "*REPLICA*",
            "*SHARD*",
            "*QUORUM*",
            "*KEEPER*",
            "RAFT_ERROR",
            "ABORTED",
            "*CANCEL*",
            "UNFINISHED",
            "UNKNOWN_STATUS_OF_*",
            "TABLE_IS_READ_ONLY",
            "TABLE_IS_BEING_RESTARTED",
            "PART_IS_*",
            "DEADLOCK_AVOIDED",
            "CANNOT_ASSIGN_ALTER",
            "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
            "SESSION_IS_LOCKED",
            "EXTERNAL_SERVER_IS_NOT_RESPONDING",
            "CANNOT_SCHEDULE_TASK",
            "SYSTEM_ERROR",
            "STD_EXCEPTION",
            "POCO_EXCEPTION",
            "*S3_ERROR",
            "AWS_ERROR",
            "AZURE_BLOB_STORAGE_ERROR",
            "GCP_ERROR",
            "GOOGLE_CLOUD_ERROR",
            "HDFS_ERROR",
            "DISTRIBUTED_CACHE_*",
            // Files and pipes of the server, and bodies of requests that break off.
            "UNEXPECTED_END_OF_FILE",
            "ATTEMPT_TO_READ_AFTER_EOF",
            "CANNOT_READ_*",
            "CANNOT_WRITE_*",
            "CANNOT_*_FILE",
            "CANNOT_CREATE_DIRECTORY",
            "CANNOT_FSYNC",
            "CANNOT_LINK",
            "CANNOT_UNLINK",
            "CANNOT_RMDIR",
            "CANNOT_*STAT*",
            "CANNOT_PIPE",
            "CANNOT_FORK",
            "CANNOT_IO_*",
            "AIO_*_ERROR",
            "IO_SETUP_ERROR",
            "IO_URING_*",
        ],
    ),
    (
        RefusalKind::Statement,
        &[
            "SYNTAX_ERROR",
            "EMPTY_QUERY",
            "*INCORRECT_QUERY",
            "INVALID_IDENTIFIER",
            "*_QUERY_PARAMETER",
            "UNKNOWN_SETTING",
            "INVALID_SETTING_VALUE",
            "UNKNOWN_FUNCTION",
            "UNKNOWN_AGGREGATE_FUNCTION",
            "UNKNOWN_TYPE",
            "UNKNOWN_CODEC",
            "UNKNOWN_FORMAT",
            "UNKNOWN_STORAGE",
            "UNKNOWN_ELEMENT_IN_AST",
            "UNKNOWN_TYPE_OF_*",
            "UNEXPECTED_AST_STRUCTURE",
            "UNEXPECTED_EXPRESSION",
            "ILLEGAL_*",
            "AMBIGUOUS_*",
            "CYCLIC_ALIASES",
            "MULTIPLE_EXPRESSIONS_FOR_ALIAS",
            "ALIAS_REQUIRED",
            "NOT_AN_AGGREGATE",
            "NUMBER_OF_ARGUMENTS_DOESNT_MATCH",
            "ARGUMENT_OUT_OF_BOUND",
            "TYPE_MISMATCH",
            "NO_COMMON_TYPE",
            "BAD_TYPE_OF_FIELD",
            "CANNOT_CONVERT_TYPE",
            "CANNOT_PARSE_*",
            "CANNOT_INSERT_*",
            "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
            "DECIMAL_OVERFLOW",
            "*_RESULT_STRUCTURES_MISMATCH",
            "INCORRECT_RESULT_OF_SCALAR_SUBQUERY",
        ],
    ),
];

/// How the operating system reports a full disk or quota.
const FULL: [&str; 4] = ["No space left on device", "errno: 28,", "Disk quota exceeded", "errno: 122,"];

impl RefusalKind {
    /// Of an error of this name.
    pub fn of_name(name: &str) -> RefusalKind {
        let fits = |patterns: &&[&str]| patterns.iter().any(|pattern| fits(pattern, name));
        RULES.iter().find(|(_, patterns)| fits(patterns)).map_or(RefusalKind::Unknown, |(kind, _)| *kind)
    }

    /// Of a refusal in the server's words: `Code: 60. DB::Exception: … (UNKNOWN_TABLE) (version …)`.
    pub fn of_message(message: &str) -> RefusalKind {
        // Whatever could not be written: that is why.
        if FULL.iter().any(|words| message.contains(words)) {
            return RefusalKind::Full;
        }
        error_name(message).map_or(RefusalKind::Unknown, RefusalKind::of_name)
    }

    /// Whether it may pass within minutes, so that retries make sense.
    pub(crate) fn passes_soon(self) -> bool {
        self == RefusalKind::Busy
    }

    /// What to do about it; as it is added to a message.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            RefusalKind::Login => "; check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD",
            RefusalKind::Denied => "; docs/grants.md lists what each command needs",
            RefusalKind::Tables => {
                "; the tables are not as they should be: run `schoolbell init`, and check the database prefix"
            }
            RefusalKind::Full => "; a disk of the server is full: free space or inodes there, then try again",
            RefusalKind::Quota => {
                "; the user's quota is used up: try again when its interval is over, or have it raised"
            }
            RefusalKind::Busy | RefusalKind::Statement | RefusalKind::Unknown => "",
        }
    }

    /// All rules: the names and parts of names of each.
    pub fn rules() -> impl Iterator<Item = (RefusalKind, &'static str)> {
        RULES.iter().flat_map(|(kind, patterns)| patterns.iter().map(|pattern| (*kind, *pattern)))
    }
}

/// Whether a name fits a pattern: each `*` of it stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let Some((middle, end)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
    match name.strip_suffix(end) {
        Some(shorter) => name = shorter,
        None => return false,
    }
    name.contains(middle)
}

/// The error's name, which the server writes in parentheses behind its words; with nested errors the outer one's.
pub(crate) fn error_name(message: &str) -> Option<&str> {
    let is_name = |text: &&str| {
        text.len() > 2
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    message.rsplit('(').filter_map(|rest| rest.split_once(')')).map(|(name, _)| name).find(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_behind_the_servers_words() {
        for (message, name) in [
            (
                "Code: 60. DB::Exception: no. (UNKNOWN_TABLE) (version 26.7.2.1 (official build))",
                Some("UNKNOWN_TABLE"),
            ),
            ("Code: 279. DB::Exception: (A) Code: 210. (NETWORK_ERROR). (ALL_CONNECTION_TRIES_FAILED)", {
                Some("ALL_CONNECTION_TRIES_FAILED")
            }),
            (
                "Code: 999. Coordination::Exception: Session expired (KEEPER_EXCEPTION)",
                Some("KEEPER_EXCEPTION"),
            ),
            ("Code: 62. DB::Exception: (lower) (A)", None),
            ("", None),
        ] {
            assert_eq!(error_name(message), name, "{message}");
        }
    }

    #[test]
    fn patterns_fit_by_their_ends() {
        for (pattern, name, expected) in [
            ("READONLY", "READONLY_SETTING", false),
            ("TOO_MANY_*", "TOO_MANY_PARTS", true),
            ("*_DENIED", "ACCESS_DENIED", true),
            ("*KEEPER*", "NO_ZOOKEEPER", true),
            ("*KEEPER*", "KEEPER_EXCEPTION", true),
            ("CANNOT_*_FILE", "CANNOT_OPEN_FILE", true),
            ("CANNOT_*_FILE", "CANNOT_WRITE_TO_SOCKET", false),
            ("CANNOT_*STAT*", "CANNOT_STATVFS", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_full_disk_is_told_from_other_trouble_with_files() {
        let of = RefusalKind::of_message;
        let open = "Code: 76. DB::Exception: Cannot open file /x: , errno: 28, strerror: No space left on device. \
                    (CANNOT_OPEN_FILE) (version 26.7.2.1)";
        assert_eq!(of(open), RefusalKind::Full);
        assert_eq!(
            of("Code: 1001. std::exception: create_directories: No space left on device"),
            RefusalKind::Full
        );
        assert_eq!(of("Code: 76. DB::Exception: /x, errno: 2, (CANNOT_OPEN_FILE)"), RefusalKind::Busy);
    }
}
