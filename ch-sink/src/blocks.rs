//! What is sent of a batch: a block a table, with the columns of the warehouse in its order.

use event_parser::columns::{Column as _, Dictionary, Fixed, Strings};
use event_parser::{Batch, NamedView, Reject};
use event_schema::registry::{Column, REJECTED_EVENTS, TableId};
use event_schema::value::Date;
use uuid::Uuid;

use crate::native::{Block, BlockColumn, Values};
use crate::order;

/// The values that are the same in every row of a load, in the Native layout.
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

/// A table of a batch that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Entity(TableId),
    Rejects,
}

impl Part {
    /// What a batch can hold.
    pub(crate) fn all() -> impl Iterator<Item = Part> {
        TableId::ALL.into_iter().map(Part::Entity).chain([Part::Rejects])
    }

    /// The table that readers use.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Part::Entity(id) => id.name(),
            Part::Rejects => REJECTED_EVENTS.table,
        }
    }

    pub(crate) fn rows(self, batch: &Batch) -> usize {
        match self {
            Part::Entity(id) => batch.table(id).rows(),
            Part::Rejects => batch.rejects().len(),
        }
    }

    /// Bytes of memory that a batch's rows take.
    pub(crate) fn bytes(self, batch: &Batch) -> usize {
        match self {
            Part::Entity(id) => batch.table(id).bytes(),
            Part::Rejects => batch.reject_bytes(),
        }
    }

    /// Moves the rows out of a batch.
    pub(crate) fn take(self, batch: &mut Batch) -> Batch {
        match self {
            Part::Entity(id) => batch.take_table(id),
            Part::Rejects => batch.take_rejects(),
        }
    }

    /// Makes the block and gives it to `send`.
    pub(crate) fn with_block<T>(
        self,
        batch: &Batch,
        constants: &Constants,
        send: impl FnOnce(&Block<'_>) -> T,
    ) -> T {
        match self {
            Part::Entity(id) => {
                let table = batch.table(id);
                let order = order::by_sorting_key(table.envelope());
                let views = table.envelope().columns().into_iter().chain(table.own_columns());
                send(&Block {
                    rows: order.len(),
                    order: Some(&order),
                    columns: arrange(&id.entity().columns(), constants, views),
                })
            }
            Part::Rejects => send(&RejectColumns::new(batch.rejects()).block(constants)),
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
            // They came in the order of their source, which is the table's key within a load.
            order: None,
            columns: REJECTED_EVENTS
                .columns
                .iter()
                .map(|column| BlockColumn { name: column.name, ty: column.ty, values: values(column) })
                .collect(),
        }
    }
}
