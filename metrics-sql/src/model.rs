//! What a model of the warehouse is: its columns with their meaning, its grain, its checks and its query.
//!
//! A column carries the expression that makes it, so the select list, the contract, the docs and the tests
//! of a model cannot disagree in name, order or type.

use crate::sql::{Body, Cte, Expr, Ident, Query, Relation, Select, SqlType, call, int};

/// Which database and folder a model belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The loaded tables with duplicates removed; in the database `staging`.
    Staging,
    /// Compact tables that marts share; in the database `staging` too.
    Intermediate,
    /// Metrics; in the database `marts`.
    Mart,
}

impl Layer {
    /// The folder under `dbt/models`.
    pub fn folder(self) -> &'static str {
        match self {
            Layer::Staging => "staging",
            Layer::Intermediate => "intermediate",
            Layer::Mart => "marts",
        }
    }
}

/// A model, by name: what another model reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelRef {
    /// Where it stands.
    pub layer: Layer,
    /// Its name, that of its table.
    pub name: Ident,
}

impl ModelRef {
    /// A model of that layer.
    pub fn new(layer: Layer, name: impl Into<Ident>) -> ModelRef {
        ModelRef { layer, name: name.into() }
    }
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Part of the grain.
    Key,
    /// Something counted or summed.
    Measure,
    /// A measure divided by another.
    Ratio,
    /// Says something about the row.
    Attribute,
}

/// A column of a model and the expression that makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: SqlType,
    /// What it is for.
    pub role: Role,
    /// The values' unit, where they have one.
    pub unit: Option<&'static str>,
    /// What it means.
    pub doc: String,
    /// What is tested of it after each build.
    pub tests: Vec<ColumnTest>,
    /// The value, over the relations of the model's select.
    pub value: Expr,
}

/// A test of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnTest {
    /// Every value is one of these.
    OneOf(Vec<String>),
    /// Every value that is not `NULL` is at least the first and at most the second.
    Within(i64, i64),
}

/// A condition that every row of a model meets.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What it says, as a name: `dau_at_most_wau`.
    pub name: &'static str,
    /// The condition.
    pub condition: Expr,
}

impl Column {
    /// The day of what is told, a part of the grain of most models.
    pub(crate) fn activity_date(value: Expr) -> Column {
        Column::key("activity_date", SqlType::Date, "The day, in the reporting time zone.", value)
    }

    /// A part of the grain.
    pub fn key(name: impl Into<Ident>, ty: SqlType, doc: impl Into<String>, value: Expr) -> Column {
        Column {
            name: name.into(),
            ty,
            role: Role::Key,
            unit: None,
            doc: doc.into(),
            tests: Vec::new(),
            value,
        }
    }

    /// A column that says something about the row.
    pub fn attribute(name: impl Into<Ident>, ty: SqlType, doc: impl Into<String>, value: Expr) -> Column {
        Column { role: Role::Attribute, ..Column::key(name, ty, doc, value) }
    }

    /// A count: `UInt64`, whatever integer type the expression has.
    pub fn count(name: impl Into<Ident>, unit: &'static str, doc: impl Into<String>, value: Expr) -> Column {
        let value = call("toUInt64", [value]);
        Column { role: Role::Measure, unit: Some(unit), ..Column::key(name, SqlType::UInt64, doc, value) }
    }

    /// An amount of money in the reporting currency, exact.
    pub fn money(name: impl Into<Ident>, doc: impl Into<String>, value: Expr) -> Column {
        let (ty, unit) = (SqlType::Money, Some("reporting currency"));
        let value = value.cast(SqlType::Money);
        Column { role: Role::Measure, unit, ..Column::key(name, ty, doc, value) }
    }

    /// One value divided by another: `Float64`, `NULL` where the other is zero.
    pub fn ratio(name: impl Into<Ident>, doc: impl Into<String>, part: Expr, whole: Expr) -> Column {
        let whole = call("nullIf", [call("toFloat64", [whole]), int(0)]);
        let value = call("toFloat64", [part]) / whole;
        let ty = SqlType::Float64.nullable();
        Column { role: Role::Ratio, unit: Some("share, 0 to 1"), ..Column::key(name, ty, doc, value) }
    }

    /// The same column with a test.
    #[must_use]
    pub fn tested(mut self, test: ColumnTest) -> Column {
        self.tests.push(test);
        self
    }

    /// The same column with a unit.
    #[must_use]
    pub fn unit(mut self, unit: Option<&'static str>) -> Column {
        self.unit = unit;
        self
    }
}

/// How a model is kept up to date.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Build {
    /// A table made anew by every build, and exchanged for the former one at once.
    #[default]
    Table,
    /// The same, once a macro of the dbt project has found nothing wrong with what the model reads.
    GuardedTable {
        /// The macro, which stops the build of the model with a message.
        guard: &'static str,
    },
    /// A view: computed when it is read.
    View,
    /// Events of a table of `raw`, each once: of every day, only loads that came or went are looked at.
    FollowsLoads {
        /// The table of `raw`.
        source: Ident,
    },
    /// A small table made anew by every build and compared with the former one: the days whose rows differ are what
    /// others follow.
    Compared {
        /// The column of the day.
        day: Ident,
    },
    /// Rows under keys that hold a day: only those are made anew that changes of the models it follows bear on.
    ///
    /// The query reads each of them with [`Select::only_changed`].
    FollowsChanges(Follows),
}

impl Build {
    /// Rows of users' days, which are made anew where events of these models changed.
    pub fn of_users_days(
        models: impl IntoIterator<Item = ModelRef>,
        day: impl Into<Ident>,
        is_followed: bool,
    ) -> Build {
        Build::FollowsChanges(Follows {
            models: models.into_iter().map(Followed::same_day).collect(),
            changed_by: vec![day.into(), "user_id".into()],
            is_followed,
            is_append_only: false,
            slices: Slices::Events,
        })
    }
}

/// What a table follows, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Follows {
    /// The models it is made from; each is kept by loads or changes itself.
    pub models: Vec<Followed>,
    /// The columns of the key: the day and, where the users of a day are apart, that of the user; or a period.
    pub changed_by: Vec<Ident>,
    /// Whether others follow its changes.
    pub is_followed: bool,
    /// Whether rows are only ever added.
    pub is_append_only: bool,
    /// How it is made from nothing.
    pub slices: Slices,
}

/// A followed model, and what a change of it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The model.
    pub model: ModelRef,
    /// The keys that a changed day bears on.
    pub bears_on: BearsOn,
}

impl Followed {
    /// A model whose changed days are those of the follower.
    pub fn same_day(model: ModelRef) -> Followed {
        Followed { model, bears_on: BearsOn::DaysAfter(0) }
    }
}

/// The keys of a follower that a changed day of the followed model bears on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearsOn {
    /// That day and so many after it.
    DaysAfter(u32),
    /// That day and all after it.
    LaterDays,
    /// The day, week and month that it is in.
    Periods,
    /// The cohorts of retention: see the macro `changed_cohorts`.
    Cohorts,
    /// The users whose days changed, where the key is made by a macro that looks at them.
    Users,
    /// None: the follower reads nothing that a change of days would alter. It begins anew when the model does.
    Nothing,
}

/// How a table is made from nothing: the days of what it reads, taken together until they are much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slices {
    /// By the events of all followed models.
    Events,
    /// By the rows of the first followed model, which has this column of the day.
    Rows(&'static str),
    /// By the users in the bitmaps `users` of the first followed model, which has this column of the day.
    Users(&'static str),
    /// In one go.
    None,
}

/// A table of the warehouse that dbt builds.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Where it stands and what it is called.
    pub id: ModelRef,
    /// How it is kept up to date.
    pub build: Build,
    /// What it holds.
    pub description: String,
    /// What one row is: the columns whose combination is unique.
    pub grain: Vec<Ident>,
    /// The sorting key of the table.
    pub sorted_by: Vec<Ident>,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// What holds for every row.
    pub checks: Vec<Check>,
    /// Queries that [`Model::rows`] reads.
    pub ctes: Vec<Cte>,
    /// Where the rows come from: a select without items, which the columns add.
    pub rows: Select,
}

impl Model {
    /// The whole query of the model.
    pub fn query(&self) -> Query {
        let mut select = self.rows.clone();
        for column in &self.columns {
            select = select.item(column.value.clone(), &column.name);
        }
        Query { ctes: self.ctes.clone(), body: Body::Select(Box::new(select)) }
    }

    /// The models that this one reads, in order of first use.
    pub fn reads(&self) -> Vec<ModelRef> {
        let mut models = Vec::new();
        collect(&self.query(), &mut models);
        models
    }
}

/// Adds the models that a query reads.
fn collect(query: &Query, models: &mut Vec<ModelRef>) {
    for cte in &query.ctes {
        collect(&cte.query, models);
    }
    let selects = match &query.body {
        Body::Select(select) => std::slice::from_ref(select.as_ref()),
        Body::UnionAll(selects) => selects,
    };
    for select in selects {
        for from in select.from.iter().chain(select.joins.iter().map(|join| &join.with)) {
            match &from.relation {
                Relation::Model(model) if !models.contains(model) => models.push(model.clone()),
                Relation::Query(query) => collect(query, models),
                Relation::Model(_) | Relation::Source(_) | Relation::Seed(_) | Relation::Cte(_) => {}
            }
        }
    }
}
