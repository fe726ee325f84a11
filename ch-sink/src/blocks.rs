//! The blocks of a batch: one for each table, with the columns in the warehouse's order.

use event_parser::columns::{Column as _, Dictionary, Fixed, Strings};
use event_parser::{Batch, NamedView, ParseStats, Reject, Table};
use event_schema::registry::{Column, REJECTED_EVENTS, TableId};
use event_schema::value::Date;
use uuid::Uuid;

use crate::native::{Block, BlockColumn, Values};
use crate::order;

/// The columns that are constant in a load, in the Native layout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants {
    batch_date: [u8; 2],
    load_id: [u8; 16],
}

impl Constants {
    pub(crate) fn new(batch_date: Date, load_id: Uuid) -> Constants {
        let (upper, lower) = load_id.as_u64_pair();
        let mut load_id = [0; 16];
        load_id[..8].copy_from_slice(&upper.to_le_bytes());
        load_id[8..].copy_from_slice(&lower.to_le_bytes());
        Constants { batch_date: batch_date.days().to_le_bytes(), load_id }
    }

    fn get(&self, column: &str) -> Option<Values<'_>> {
        match column {
            "batch_date" => Some(Values::Constant(&self.batch_date)),
            "load_id" => Some(Values::Constant(&self.load_id)),
            _ => None,
        }
    }
}

/// A table that a batch fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchTable {
    /// A table of events.
    Entity(TableId),
    /// `raw.rejected_events`.
    Rejects,
}

impl BatchTable {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = BatchTable> {
        TableId::ALL.into_iter().map(BatchTable::Entity).chain([BatchTable::Rejects])
    }

    /// The table that readers use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            BatchTable::Entity(id) => id.name(),
            BatchTable::Rejects => REJECTED_EVENTS.table,
        }
    }

    /// How many rows a batch has for it.
    pub(crate) fn rows(self, batch: &Batch) -> usize {
        match self {
            BatchTable::Entity(id) => batch.table(id).rows(),
            BatchTable::Rejects => batch.rejects().len(),
        }
    }

    /// Bytes of memory that a batch's rows for it take.
    pub(crate) fn bytes(self, batch: &Batch) -> usize {
        match self {
            BatchTable::Entity(id) => batch.table(id).bytes(),
            BatchTable::Rejects => batch.reject_bytes(),
        }
    }

    /// Takes the rows for it out of a batch.
    pub(crate) fn take(self, batch: &mut Batch) -> TableRows {
        match self {
            BatchTable::Entity(id) => TableRows::Entity(batch.take_table(id)),
            BatchTable::Rejects => TableRows::Rejects(batch.take_rejects()),
        }
    }
}

/// The rows of one table, taken out of a batch.
pub(crate) enum TableRows {
    Entity(Box<dyn Table>),
    Rejects(Vec<Reject>),
}

impl TableRows {
    /// Which table's they are.
    pub(crate) fn table(&self) -> BatchTable {
        match self {
            TableRows::Entity(table) => BatchTable::Entity(table.id()),
            TableRows::Rejects(_) => BatchTable::Rejects,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            TableRows::Entity(table) => table.rows(),
            TableRows::Rejects(rejects) => rejects.len(),
        }
    }

    /// Adds them to the figures of a load.
    pub(crate) fn add_to(&self, stats: &mut ParseStats) {
        match self {
            TableRows::Entity(table) => stats.add_table(table.as_ref()),
            TableRows::Rejects(rejects) => stats.add_rejects(rejects),
        }
    }

    /// Builds the block and passes it to `send`.
    pub(crate) fn with_block<T>(&self, constants: &Constants, send: impl FnOnce(&Block<'_>) -> T) -> T {
        match self {
            TableRows::Entity(table) => {
                let order = order::by_sorting_key(table.envelope());
                let views = table.envelope().columns().into_iter().chain(table.own_columns());
                send(&Block {
                    rows: order.len(),
                    order: Some(&order),
                    columns: arrange(&table.id().entity().columns(), constants, views),
                })
            }
            TableRows::Rejects(rejects) => send(&RejectColumns::new(rejects).block(constants)),
        }
    }
}

/// Puts the parsed columns and the constants into the order of the registry.
fn arrange<'a>(
    columns: &[Column],
    constants: &'a Constants,
    views: impl Iterator<Item = NamedView<'a>>,
) -> Vec<BlockColumn<'a>> {
    let mut views: Vec<NamedView<'a>> = views.collect();
    let mut take = |name: &str| {
        let index = views.iter().position(|(found, _)| *found == name);
        views.swap_remove(index.expect("the parser has every column of the registry")).1
    };
    let arranged = columns
        .iter()
        .map(|column| BlockColumn {
            name: column.name,
            ty: column.ty,
            values: constants.get(column.name).unwrap_or_else(|| Values::Stored(take(column.name))),
        })
        .collect();
    assert!(views.is_empty(), "the registry has every column of the parser");
    arranged
}

/// Rejected lines as columns; the long strings stay where they are.
struct RejectColumns<'a> {
    rejects: &'a [Reject],
    source_file: Dictionary,
    source_line: Fixed<u64>,
    byte_offset: Fixed<u64>,
    reason: Dictionary,
    violation_ends: Vec<u64>,
    violations: Strings,
}

impl<'a> RejectColumns<'a> {
    fn new(rejects: &'a [Reject]) -> RejectColumns<'a> {
        let mut columns = RejectColumns {
            rejects,
            source_file: Dictionary::default(),
            source_line: Fixed::default(),
            byte_offset: Fixed::default(),
            reason: Dictionary::default(),
            violation_ends: Vec::with_capacity(rejects.len()),
            violations: Strings::default(),
        };
        for reject in rejects {
            columns.source_file.push(reject.source.as_bytes());
            columns.source_line.push(reject.line);
            columns.byte_offset.push(reject.byte_offset);
            columns.reason.push(reject.first().reason.as_str().as_bytes());
            for violation in &reject.violations {
                columns.violations.push(violation.to_string().as_bytes());
            }
            columns.violation_ends.push(columns.violations.rows() as u64);
        }
        columns
    }

    fn block<'b>(&'b self, constants: &'b Constants) -> Block<'b> {
        let values = |column: &Column| match column.name {
            "source_file" => Values::Stored(self.source_file.view()),
            "source_line" => Values::Stored(self.source_line.view()),
            "byte_offset" => Values::Stored(self.byte_offset.view()),
            "reason" => Values::Stored(self.reason.view()),
            "field" => Values::Fetched(Box::new(|row| self.rejects[row].first().field.as_bytes())),
            "message" => Values::Fetched(Box::new(|row| self.rejects[row].first().message.as_bytes())),
            "violations" => Values::Arrays { ends: &self.violation_ends, items: &self.violations },
            "raw" => Values::Fetched(Box::new(|row| &self.rejects[row].raw)),
            constant => constants.get(constant).expect("every column of rejected lines is made here"),
        };
        Block {
            rows: self.rejects.len(),
            // They are in the order of their source, which is the table's key within a load.
            order: None,
            columns: REJECTED_EVENTS
                .columns
                .iter()
                .map(|column| BlockColumn { name: column.name, ty: column.ty, values: values(column) })
                .collect(),
        }
    }
}
