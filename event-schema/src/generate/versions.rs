//! The versions of the tables of `raw`, and the mark by which Schoolbell knows its own.
//!
//! Every table and view has a comment that begins with [`mark`]. Version 1 had no marks: its tables are known by their
//! engine, keys and columns, which are kept in `versions/1.txt`. Whoever changes a column, a key or an engine raises
//! [`TABLES_VERSION`], adds the new shape beside the earlier ones, and has `init` upgrade to it.

use super::StoredTable;

/// The version of the tables that this program makes and works with.
///
/// 1: no marks. 2: the same tables, marked. 3: `loads` and `staged_loads` have what a mapping has dropped, and which
/// mapping it was.
pub const TABLES_VERSION: u32 = 3;

const MARK: &str = "schoolbell/raw/";

/// How the comment of a table or view of a version begins.
pub fn mark(version: u32) -> String {
    format!("{MARK}{version}: ")
}

/// The version that a comment bears the mark of; `None` without a mark.
pub fn marked_version(comment: &str) -> Option<u32> {
    let (version, _) = comment.strip_prefix(MARK)?.split_once(':')?;
    version.parse().ok()
}

/// What a version's tables of rows and bookkeeping look like; `None` of a version that there never was.
///
/// Views have the columns of the tables that they read, and need no record of their own.
pub fn shape(version: u32) -> Option<Vec<Shape>> {
    match version {
        1 | 2 => Some(read(include_str!("versions/1.txt"))),
        3 => Some(read(include_str!("versions/3.txt"))),
        _ => None,
    }
}

/// A table of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its name in `raw`.
    pub name: String,
    /// Its partition key; empty for none.
    pub partition_key: String,
    /// Its sorting key.
    pub sorting_key: String,
    /// Names and types of its columns, in order.
    pub columns: Vec<(String, String)>,
}

impl From<&StoredTable> for Shape {
    fn from(table: &StoredTable) -> Shape {
        Shape {
            name: table.name.clone(),
            partition_key: if table.by_load { "batch_date, load_id".to_owned() } else { String::new() },
            sorting_key: table.sorting_key.to_owned(),
            columns: table
                .columns
                .iter()
                .map(|column| (column.name.to_owned(), column.ty.to_string()))
                .collect(),
        }
    }
}

/// One line for the table (`name | partition key | sorting key`), and an indented one for each of its columns.
fn read(text: &str) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    for line in text.lines() {
        if let Some((name, ty)) = line.strip_prefix("    ").and_then(|column| column.split_once(' ')) {
            let table = shapes.last_mut().expect("columns come after their table");
            table.columns.push((name.to_owned(), ty.to_owned()));
        } else {
            let mut parts = line.split('|').map(|part| part.trim().to_owned());
            let mut part = || parts.next().expect("a table has a name and two keys");
            let (name, partition_key, sorting_key) = (part(), part(), part());
            shapes.push(Shape { name, partition_key, sorting_key, columns: Vec::new() });
        }
    }
    shapes
}
