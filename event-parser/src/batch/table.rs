//! What the tables of a batch have in common.

use event_schema::registry::TableId;

use super::EnvelopeColumns;
use crate::columns::View;

/// A column's name and its values.
pub type NamedView<'a> = (&'static str, View<'a>);

/// The rows of one table. Columns that are constant in a load (`batch_date`, `load_id`) are added by the sink.
pub trait Table: Send + Sync {
    /// Which table it is.
    fn id(&self) -> TableId;
    /// The columns of every event.
    fn envelope(&self) -> &EnvelopeColumns;
    /// The columns that only this table has, in the warehouse's order.
    fn own_columns(&self) -> Vec<NamedView<'_>>;
    /// The number of rows.
    fn rows(&self) -> usize {
        self.envelope().event_id.values().len()
    }
    /// Bytes of memory that the rows take.
    fn bytes(&self) -> usize;
    /// Removes the rows and keeps the memory.
    fn clear(&mut self);
}

/// Defines the struct of the columns of every event.
macro_rules! envelope {
    ($(#[$doc:meta])* $name:ident { $($(#[$column_doc:meta])* $column:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            $($(#[$column_doc])* pub $column: $ty,)*
        }

        impl $name {
            /// The columns in the warehouse's order.
            pub fn columns(&self) -> Vec<NamedView<'_>> {
                vec![$((stringify!($column), self.$column.view()),)*]
            }

            fn bytes(&self) -> usize {
                0 $(+ self.$column.bytes())*
            }

            fn clear(&mut self) {
                $(self.$column.clear();)*
            }
        }
    };
}

/// Defines the struct of a table.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($(#[$column_doc:meta])* $column:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            /// The columns of every event.
            pub envelope: EnvelopeColumns,
            $($(#[$column_doc])* pub $column: $ty,)*
        }

        impl Table for $name {
            fn id(&self) -> TableId {
                TableId::$name
            }

            fn envelope(&self) -> &EnvelopeColumns {
                &self.envelope
            }

            fn own_columns(&self) -> Vec<NamedView<'_>> {
                vec![$((stringify!($column), self.$column.view()),)*]
            }

            fn bytes(&self) -> usize {
                self.envelope.bytes() $(+ self.$column.bytes())*
            }

            fn clear(&mut self) {
                self.envelope.clear();
                $(self.$column.clear();)*
            }
        }
    };
}

pub(super) use {envelope, table};
