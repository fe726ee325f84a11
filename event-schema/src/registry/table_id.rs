//! The tables of events by name.

use super::{ENTITIES, Entity};

/// A table of events. The order is that of [`ENTITIES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableId {
    /// `raw.events`
    Events,
    /// `raw.purchases`
    Purchases,
    /// `raw.task_results`
    TaskResults,
    /// `raw.sessions`
    Sessions,
    /// `raw.ab_test_assignments`
    AbTestAssignments,
}

impl TableId {
    /// The number of tables.
    pub const COUNT: usize = ENTITIES.len();

    /// Every table, in the order of [`ENTITIES`].
    pub const ALL: [TableId; TableId::COUNT] = [
        TableId::Events,
        TableId::Purchases,
        TableId::TaskResults,
        TableId::Sessions,
        TableId::AbTestAssignments,
    ];

    /// Its position in [`TableId::ALL`] and [`ENTITIES`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its definition.
    pub const fn entity(self) -> &'static Entity {
        ENTITIES[self.index()]
    }

    /// Its name in `raw`.
    pub const fn name(self) -> &'static str {
        self.entity().table
    }
}

const _: () = {
    let mut index = 0;
    while index < TableId::COUNT {
        assert!(TableId::ALL[index].index() == index, "the variants are in the order of the tables");
        index += 1;
    }
};
