//! Custom metrics: definitions that a user writes in TOML, and the models made from them.
//!
//! ```toml
//! [[metric]]
//! name = "lessons_opened"
//! description = "Lessons opened."
//! entity = "events"
//! measure = "count"
//! filter = [{ column = "event_type", is = "lesson_opened" }]
//! dimensions = ["platform"]
//! ```
//!
//! - `read`: text → checked definitions, or what is wrong with them, by line and column.
//! - `models`: a definition → a compact table by user and day for each part, and a mart.

mod models;
mod read;

#[cfg(test)]
mod tests;

use event_schema::registry::{self, ColumnType, Entity as Table, Scalar};

pub use event_schema::DefinitionError;
pub use models::models;
pub use read::read;

/// Where the definitions of the dbt project are.
pub const FILE: &str = "dbt/metrics.toml";

/// The longest window, in days.
pub const LONGEST_WINDOW_DAYS: u32 = 366;

/// A metric as its user defines it, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomMetric {
    /// Its name: that of the column, and with `fct_` before it of the mart.
    pub name: String,
    /// What it means.
    pub description: String,
    /// What is computed.
    pub value: Value,
    /// The columns it is cut by, one at a time.
    pub dimensions: Vec<Dimension>,
    /// How many days, ending with the row's day, a figure is of.
    pub window_days: u32,
}

/// What a metric computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One measure.
    Measure(Part),
    /// One measure divided by another; `NULL` where that is zero.
    Ratio {
        /// The measure divided.
        numerator: Part,
        /// What it is divided by.
        denominator: Part,
    },
}

/// A measure of some rows of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Where the rows are.
    pub entity: Entity,
    /// What is measured of them.
    pub measure: Measure,
    /// Which rows: those that meet all conditions.
    pub filter: Vec<Condition>,
}

/// What a measure counts or adds up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// Rows.
    Count,
    /// Distinct users.
    Users,
    /// Distinct values of a column.
    Distinct(&'static str),
    /// The sum of a column's numbers.
    Sum(&'static str),
}

/// A column that a metric is cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimension(pub(crate) &'static str);

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is looked at.
    pub field: Field,
    /// What it is to be.
    pub test: Test,
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A column.
    Column(&'static str),
    /// A member of an event's `properties`, as text; empty where it is absent.
    Property(String),
}

/// What a field is to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One of these.
    In(Vec<Constant>),
    /// None of these.
    NotIn(Vec<Constant>),
    /// At least this number.
    AtLeast(Constant),
    /// At most this number.
    AtMost(Constant),
}

/// A constant of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Bool(bool),
}

/// Where the rows of a measure are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// The events without a table of their own.
    Events,
    /// Answers to tasks.
    TaskResults,
    /// Sessions.
    Sessions,
    /// Purchases, trials and refunds.
    Purchases,
    /// Paid purchases and refunds in the reporting currency.
    Money,
}

/// What a column holds, as far as measures and conditions care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    WholeNumber,
    Number,
    Money,
    Bool,
}

/// Columns of every table that say nothing of the event.
const NOT_OF_THE_EVENT: [&str; 2] = ["extra", "source_file"];

impl Entity {
    pub(crate) const ALL: [Entity; 5] =
        [Entity::Events, Entity::TaskResults, Entity::Sessions, Entity::Purchases, Entity::Money];

    /// Its name in a definition.
    pub fn name(self) -> &'static str {
        match self {
            Entity::Events => "events",
            Entity::TaskResults => "task_results",
            Entity::Sessions => "sessions",
            Entity::Purchases => "purchases",
            Entity::Money => "money",
        }
    }

    /// The table of `raw` whose staging model holds the rows; money is made from several.
    fn table(self) -> Option<&'static Table> {
        match self {
            Entity::Events => Some(&registry::EVENTS),
            Entity::TaskResults => Some(&registry::TASK_RESULTS),
            Entity::Sessions => Some(&registry::SESSIONS),
            Entity::Purchases => Some(&registry::PURCHASES),
            Entity::Money => None,
        }
    }

    /// The columns that measures and conditions may name, and what they hold.
    pub(crate) fn columns(self) -> Vec<(&'static str, Holds)> {
        let Some(table) = self.table() else {
            let text = ["user_id", "kind", "purchase_id", "plan", "platform", "country", "currency"];
            return text
                .map(|name| (name, Holds::Text))
                .into_iter()
                .chain([("net_revenue", Holds::Money)])
                .collect();
        };
        let columns = table.columns().into_iter().filter(|column| !NOT_OF_THE_EVENT.contains(&column.name));
        columns.filter_map(|column| Some((column.name, holds(column.name, column.ty)?))).collect()
    }
}

/// What a column of that type holds; `None` for one that is of no use here.
fn holds(name: &str, ty: ColumnType) -> Option<Holds> {
    let (ColumnType::Plain(scalar) | ColumnType::Nullable(scalar)) = ty else {
        return (ty == ColumnType::LowCardinality).then_some(Holds::Text);
    };
    match scalar {
        Scalar::String => Some(Holds::Text),
        Scalar::Bool => Some(Holds::Bool),
        Scalar::UInt16 | Scalar::UInt32 => Some(Holds::WholeNumber),
        Scalar::Float64 => Some(Holds::Number),
        // Line numbers say nothing of the product; amounts of several currencies do not add up.
        Scalar::UInt64 | Scalar::Decimal | Scalar::Uuid | Scalar::Date | Scalar::DateTime => {
            debug_assert!(name != "user_id", "users are text");
            None
        }
    }
}
