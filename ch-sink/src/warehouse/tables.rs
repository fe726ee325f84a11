//! What the database `raw` holds: Schoolbell's tables and views, and of which version, or somebody else's.
//!
//! This is the one place that decides it. Every connection asks once ([`Warehouse::inspect`]); `init` plans by the
//! answer, all other commands are refused by it where they cannot work.

use std::collections::HashMap;
use std::fmt;

use event_schema::generate::{
    Shape, TABLES_VERSION, all_view, data_table, definitions, distributed_table, marked_version, shape,
};
use event_schema::registry::{LOADS, REJECTED_EVENTS, REPLAYED_LINES};
use serde::{Deserialize, Serialize};

use super::{TABLES, Warehouse};
use crate::WarehouseError;

/// The oldest major version of ClickHouse that Schoolbell works with.
pub const OLDEST_SERVER: u32 = 26;

/// Engines that keep every row that is stored; ClickHouse's own services put theirs in the place of the plain one.
const ROW_ENGINES: [&str; 3] = ["MergeTree", "ReplicatedMergeTree", "SharedMergeTree"];
/// Engines of databases in which tables can be made and views replaced at once.
const DATABASE_ENGINES: [&str; 3] = ["Atomic", "Replicated", "Shared"];

/// What stands under a name that Schoolbell uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ObjectState {
    /// Nothing, or nothing that this user may see.
    Missing,
    /// What this program makes.
    Current,
    /// Schoolbell's own, to be upgraded by `init`.
    Behind {
        /// What is to be done.
        why: String,
    },
    /// Schoolbell's own, made by a newer program.
    Newer {
        /// The version of its tables.
        version: u32,
    },
    /// Somebody else's.
    Foreign {
        /// How that is known.
        why: String,
    },
}

/// A table or view of `raw`, or the database itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Its name, with the database.
    pub name: String,
    /// What stands there.
    #[serde(flatten)]
    pub state: ObjectState,
}

/// The server and its tables, as they were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The server's version, such as `26.7.2.1`.
    pub server_version: String,
    /// Every table and view, in the order in which they are made.
    pub objects: Vec<Object>,
}

/// Why the tables cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TablesError {
    /// The server is too old.
    #[error("ClickHouse at {url} is of version {version}, but Schoolbell needs {OLDEST_SERVER} or later")]
    ServerTooOld {
        /// The address.
        url: String,
        /// The server's version.
        version: String,
    },
    /// There are none.
    #[error(
        "the database {database} has no tables of Schoolbell: run `schoolbell init`, and check the database prefix"
    )]
    NotMade {
        /// The database.
        database: String,
    },
    /// They are to be upgraded.
    #[error(
        "the tables in {database} are behind this version of Schoolbell: run `schoolbell init`:{}",
        List(objects)
    )]
    Behind {
        /// The database.
        database: String,
        /// Those that are.
        objects: Vec<Object>,
    },
    /// A newer program made them.
    #[error(
        "the tables in {database} were made by a newer schoolbell (version {version} of the tables; this one knows up \
         to {TABLES_VERSION}): use the newer one, or other databases (--database-prefix, SCHOOLBELL_DATABASE_PREFIX)"
    )]
    Newer {
        /// The database.
        database: String,
        /// The version of its tables.
        version: u32,
    },
    /// There is something else under their names.
    #[error(
        "the database {database} holds what is not Schoolbell's under names that Schoolbell needs; nothing was \
         changed:{}\nuse other databases (--database-prefix or SCHOOLBELL_DATABASE_PREFIX), or rename what is there",
        List(objects)
    )]
    Foreign {
        /// The database.
        database: String,
        /// What it is.
        objects: Vec<Object>,
    },
}

/// One object a line.
struct List<'a>(&'a [Object]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Object { name, state } in self.0 {
            match state {
                ObjectState::Missing => write!(f, "\n  {name} is missing")?,
                ObjectState::Behind { why } | ObjectState::Foreign { why } => write!(f, "\n  {name} {why}")?,
                ObjectState::Current | ObjectState::Newer { .. } => {}
            }
        }
        Ok(())
    }
}

impl Inspection {
    /// An error unless all is as this program makes it.
    pub fn check(&self, database: &str) -> Result<(), TablesError> {
        self.check_own(database)?;
        let objects = self.those(|state| matches!(state, ObjectState::Missing | ObjectState::Behind { .. }));
        let database = database.to_owned();
        match objects.len() {
            0 => Ok(()),
            _ if self.is_empty() => Err(TablesError::NotMade { database }),
            _ => Err(TablesError::Behind { database, objects }),
        }
    }

    /// An error if something is somebody else's, or a newer program's: what `init` leaves alone.
    pub fn check_own(&self, database: &str) -> Result<(), TablesError> {
        let database = database.to_owned();
        let objects = self.those(|state| matches!(state, ObjectState::Foreign { .. }));
        if !objects.is_empty() {
            return Err(TablesError::Foreign { database, objects });
        }
        let newer = |object: &Object| match object.state {
            ObjectState::Newer { version } => Some(version),
            _ => None,
        };
        match self.objects.iter().filter_map(newer).max() {
            Some(version) => Err(TablesError::Newer { database, version }),
            None => Ok(()),
        }
    }

    /// An error if something that this user sees is not as this program makes it.
    pub fn check_seen(&self, database: &str) -> Result<(), TablesError> {
        self.check_own(database)?;
        let objects = self.those(|state| matches!(state, ObjectState::Behind { .. }));
        if objects.is_empty() {
            return Ok(());
        }
        Err(TablesError::Behind { database: database.to_owned(), objects })
    }

    /// Whether there is nothing at all, as far as this user may see.
    pub fn is_empty(&self) -> bool {
        self.objects.iter().all(|object| object.state == ObjectState::Missing)
    }

    /// An error if the server is too old.
    pub fn check_server(&self, url: &str) -> Result<(), TablesError> {
        let version = &self.server_version;
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(major) if major < OLDEST_SERVER => {
                Err(TablesError::ServerTooOld { url: url.to_owned(), version: version.clone() })
            }
            _ => Ok(()),
        }
    }

    fn those(&self, are_meant: impl Fn(&ObjectState) -> bool) -> Vec<Object> {
        self.objects.iter().filter(|object| are_meant(&object.state)).cloned().collect()
    }
}

/// The server's answer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Found {
    server_version: String,
    /// Empty where there is no such database.
    database_engine: String,
    objects: Vec<FoundObject>,
    /// In the order of the tables' columns.
    columns: Vec<FoundColumn>,
}

#[derive(Debug, Clone, Deserialize)]
struct FoundObject {
    name: String,
    engine: String,
    partition_key: String,
    sorting_key: String,
    comment: String,
    as_select: String,
}

#[derive(Debug, Clone, Deserialize)]
struct FoundColumn {
    table: String,
    name: String,
    #[serde(rename = "type")]
    ty: String,
}

/// What is expected under a name.
struct Expected {
    name: String,
    kind: Kind,
    /// The stored table whose columns it has.
    columns_of: String,
}

enum Kind {
    Table,
    Distributed,
    /// A view, and the tables of `raw` that it reads.
    View(Vec<String>),
}

impl Warehouse {
    /// Asks the server what it is and what the database holds.
    pub async fn inspect(&self) -> Result<Inspection, WarehouseError> {
        let found: Vec<Found> = self.fetch("look at the tables", &self.inspection_sql()).await?;
        self.judge(found)
    }

    /// As [`Warehouse::inspect`], asked once.
    pub(super) async fn inspect_once(&self) -> Result<Inspection, WarehouseError> {
        let found: Vec<Found> = self.fetch_once("connect", &self.inspection_sql()).await?;
        self.judge(found)
    }

    /// An error if the server is too old; what else is wrong is not looked at.
    pub(super) async fn check_version(&self) -> Result<(), WarehouseError> {
        #[derive(Deserialize)]
        struct Version {
            server_version: String,
        }
        let versions: Vec<Version> = self.fetch_once("connect", "SELECT version() AS server_version").await?;
        for Version { server_version } in versions {
            Inspection { server_version, objects: Vec::new() }.check_server(&self.url)?;
        }
        Ok(())
    }

    fn judge(&self, mut found: Vec<Found>) -> Result<Inspection, WarehouseError> {
        let found = found.pop().ok_or_else(|| WarehouseError::Unexpected {
            doing: "look at the tables".to_owned(),
            problem: "it is empty".to_owned(),
        })?;
        Ok(inspection(&found, &self.databases.raw(), &self.expected()))
    }

    fn inspection_sql(&self) -> String {
        let raw = self.databases.raw();
        let names: Vec<String> = self.expected().iter().map(|object| format!("'{}'", object.name)).collect();
        let names = names.join(", ");
        format!(
            "SELECT version() AS server_version, \
             (SELECT any(engine) FROM system.databases WHERE name = '{raw}') AS database_engine, \
             (SELECT groupArray(CAST((name, engine, partition_key, sorting_key, comment, as_select), \
             'Tuple(name String, engine String, partition_key String, sorting_key String, comment String, \
             as_select String)')) FROM system.tables WHERE database = '{raw}' AND name IN ({names})) AS objects, \
             (SELECT groupArray(CAST((table, name, type), 'Tuple(table String, name String, type String)')) FROM \
             (SELECT table, name, type FROM system.columns WHERE database = '{raw}' AND table IN ({names}) \
             ORDER BY table, position)) AS columns"
        )
    }

    fn expected(&self) -> Vec<Expected> {
        let raw = self.databases.raw();
        let is_spread = self.cluster.is_some();
        let expected = |name: String| {
            let reader = |made: fn(&str) -> String| TABLES.into_iter().find(|reader| made(reader) == name);
            let reads = |tables: Vec<String>| {
                Kind::View(tables.into_iter().map(|table| format!("{raw}.{table}")).collect())
            };
            if let Some(reader) = reader(str::to_owned) {
                let mut tables = vec![all_view(reader), LOADS.table.to_owned()];
                if reader == REJECTED_EVENTS.table {
                    tables.push(all_view(REPLAYED_LINES.table));
                }
                Expected { name, kind: reads(tables), columns_of: data_table(reader) }
            } else if let Some(reader) = reader(all_view) {
                let rows = if is_spread { distributed_table(reader) } else { data_table(reader) };
                Expected { name, kind: reads(vec![rows]), columns_of: data_table(reader) }
            } else if let Some(reader) = reader(distributed_table) {
                Expected { name, kind: Kind::Distributed, columns_of: data_table(reader) }
            } else {
                Expected { columns_of: name.clone(), name, kind: Kind::Table }
            }
        };
        definitions(&self.databases, self.cluster.as_ref())
            .into_iter()
            .map(|definition| expected(definition.name))
            .collect()
    }
}

/// What was found, held against what is expected.
fn inspection(found: &Found, raw: &str, expected: &[Expected]) -> Inspection {
    let mut objects = Vec::new();
    let engine = &found.database_engine;
    if !engine.is_empty() && !DATABASE_ENGINES.contains(&engine.as_str()) {
        let why = format!("is a database of the engine {engine}");
        objects.push(Object { name: raw.to_owned(), state: ObjectState::Foreign { why } });
    }
    for expected in expected {
        let object = found.objects.iter().find(|object| object.name == expected.name);
        let state = object.map_or(ObjectState::Missing, |object| {
            let columns: Vec<(&str, &str)> = found
                .columns
                .iter()
                .filter(|column| column.table == object.name)
                .map(|column| (column.name.as_str(), column.ty.as_str()))
                .collect();
            state(expected, object, &columns)
        });
        objects.push(Object { name: format!("{raw}.{}", expected.name), state });
    }
    Inspection { server_version: found.server_version.clone(), objects }
}

fn state(expected: &Expected, found: &FoundObject, columns: &[(&str, &str)]) -> ObjectState {
    let marked = marked_version(&found.comment);
    match (marked, difference(expected, found, columns, marked.unwrap_or(1))) {
        (Some(version), _) if version > TABLES_VERSION => ObjectState::Newer { version },
        (None, Difference::None) => ObjectState::Behind { why: "is of version 1".to_owned() },
        (None, Difference::ToMend(why) | Difference::Other(why)) => {
            ObjectState::Foreign { why: format!("{why}, and bears no mark of Schoolbell") }
        }
        (Some(_), Difference::Other(why)) => ObjectState::Foreign { why },
        (Some(version), Difference::None) if version < TABLES_VERSION => {
            ObjectState::Behind { why: format!("is of version {version}") }
        }
        (Some(_), Difference::ToMend(why)) => ObjectState::Behind { why },
        (Some(_), Difference::None) => ObjectState::Current,
    }
}

/// How something differs from Schoolbell's of that name.
enum Difference {
    None,
    /// In what `init` adds or replaces, if it is Schoolbell's.
    ToMend(String),
    /// In what is never changed.
    Other(String),
}

fn difference(
    expected: &Expected,
    found: &FoundObject,
    columns: &[(&str, &str)],
    version: u32,
) -> Difference {
    let engine = found.engine.as_str();
    let of = |version| {
        let shapes = shape(version).unwrap_or_default();
        shapes.into_iter().find(|shape| shape.name == expected.columns_of)
    };
    // A table that only a later version has cannot have been made by an earlier one.
    let (Some(shape), Some(current)) = (of(version), of(TABLES_VERSION)) else {
        return Difference::Other(format!("is of the engine {engine}"));
    };
    let is_engine_right = match expected.kind {
        Kind::Table => ROW_ENGINES.contains(&engine),
        Kind::Distributed => engine == "Distributed",
        Kind::View(_) => engine == "View",
    };
    if !is_engine_right {
        let what =
            if engine == "View" { "is a view".to_owned() } else { format!("is of the engine {engine}") };
        return Difference::Other(what);
    }
    if matches!(expected.kind, Kind::Table) {
        for (what, found, expected) in [
            ("partitioned", &found.partition_key, &shape.partition_key),
            ("ordered", &found.sorting_key, &shape.sorting_key),
        ] {
            if key(found) != key(expected) {
                let by = |key: &str| if key.is_empty() { "nothing".to_owned() } else { key.to_owned() };
                return Difference::Other(format!("is {what} by {}, not by {}", by(found), by(expected)));
            }
        }
    }
    if let Kind::View(expected) = &expected.kind {
        let mut read = tables_read(&found.as_select);
        let mut expected = expected.clone();
        expected.sort();
        read.sort();
        read.dedup();
        if read != expected {
            let why = format!("selects from {}, not from {}", read.join(", "), expected.join(", "));
            // Whether the rows are those of a cluster is not a matter of versions.
            let is_other_layout =
                |tables: &[String]| tables.iter().any(|table| table.ends_with(&distributed_table("")));
            return if is_other_layout(&read) == is_other_layout(&expected) {
                Difference::ToMend(why)
            } else {
                Difference::Other(format!("{why}: --cluster is missing, or not meant"))
            };
        }
    }
    column_difference(columns, &shape, &current, marked_version(&found.comment).is_some())
}

/// A table without a mark is only known by its columns: it has all of its version, and none that Schoolbell never had.
/// Columns of one's own beside Schoolbell's are no harm in a table that is known to be its own.
fn column_difference(found: &[(&str, &str)], shape: &Shape, current: &Shape, is_marked: bool) -> Difference {
    let types: HashMap<&str, &str> =
        shape.columns.iter().chain(&current.columns).map(|(name, ty)| (name.as_str(), ty.as_str())).collect();
    for (name, ty) in found {
        match types.get(name) {
            Some(expected) if without_blanks(expected) == without_blanks(ty) => {}
            Some(expected) => {
                return Difference::Other(format!("has the column {name} of type {ty}, not {expected}"));
            }
            None if is_marked => {}
            None => {
                return Difference::Other(format!("has the column {name}, which none of Schoolbell's had"));
            }
        }
    }
    // What later versions add to a table without a mark is added by the upgrade that marks it.
    let needed = if is_marked { current } else { shape };
    let lacking: Vec<&str> = needed
        .columns
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !found.iter().any(|(found, _)| found == name))
        .collect();
    if !lacking.is_empty() {
        return Difference::ToMend(format!("lacks {}", lacking.join(", ")));
    }
    Difference::None
}

/// The tables that a query reads: what stands behind `FROM` and `JOIN`, as the server writes queries.
fn tables_read(sql: &str) -> Vec<String> {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let behind = words.windows(2).filter(|pair| ["FROM", "JOIN"].contains(&pair[0])).map(|pair| pair[1]);
    let names = behind.filter(|name| !name.starts_with('('));
    names.map(|name| name.trim_end_matches([')', ',']).replace('`', "")).collect()
}

/// A key without its blanks and outer parentheses.
fn key(key: &str) -> String {
    let key = without_blanks(key);
    key.strip_prefix('(').and_then(|key| key.strip_suffix(')')).map(str::to_owned).unwrap_or(key)
}

/// Versions of the server break the names of long types differently.
fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}
