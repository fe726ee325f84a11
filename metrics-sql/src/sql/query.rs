//! Relations: selects, their parts, and unions of them.

use super::{Expr, Ident, WindowSpec, col};
use crate::model::ModelRef;

/// A query: CTEs and a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Named queries that the body, and later CTEs, may read.
    pub ctes: Vec<Cte>,
    /// What the query returns.
    pub body: Body,
}

/// What a query returns.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// The rows of one select.
    Select(Box<Select>),
    /// The rows of all, duplicates kept.
    UnionAll(Vec<Select>),
}

/// A named query.
#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    /// Its name.
    pub name: Ident,
    /// What it holds, for readers of the SQL.
    pub comment: String,
    /// The query.
    pub query: Query,
}

impl Cte {
    /// A named query with a line on what it holds.
    pub fn new(name: impl Into<Ident>, comment: impl Into<String>, query: impl Into<Query>) -> Cte {
        Cte { name: name.into(), comment: comment.into(), query: query.into() }
    }
}

/// Something with rows to read from.
#[derive(Debug, Clone, PartialEq)]
pub enum Relation {
    /// A model of the project.
    Model(ModelRef),
    /// A table of `raw`.
    Source(Ident),
    /// A seed of the dbt project: a table, beside staging, that the user fills.
    Seed(Ident),
    /// A CTE of the same query.
    Cte(Ident),
    /// A query in place.
    Query(Box<Query>),
}

/// A relation with the alias its columns are called by.
#[derive(Debug, Clone, PartialEq)]
pub struct Aliased {
    /// The relation.
    pub relation: Relation,
    /// Its alias.
    pub alias: Option<Ident>,
}

/// One item of a select list.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The value.
    pub expr: Expr,
    /// The name it gets.
    pub name: Ident,
}

/// How rows without a partner are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Left out.
    Inner,
    /// Kept, where they stand on the left.
    Left,
    /// Kept, where they stand on the left. The condition's last comparison is an inequality, and the partner
    /// is the nearest row that meets it.
    AsofLeft,
}

/// A join with the relations before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// What happens to rows without a partner.
    pub kind: JoinKind,
    /// The joined relation.
    pub with: Aliased,
    /// The condition.
    pub on: Expr,
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The value sorted by.
    pub by: Expr,
    /// Greatest first.
    pub descending: bool,
}

impl Order {
    /// Smallest first.
    pub fn by(expr: Expr) -> Order {
        Order { by: expr, descending: false }
    }

    /// Greatest first.
    pub fn latest(expr: Expr) -> Order {
        Order { by: expr, descending: true }
    }
}

/// `LIMIT n BY …`: the first rows, in the select's order, of each combination of values.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitBy {
    /// How many of each.
    pub rows: u64,
    /// The combination.
    pub by: Vec<Expr>,
}

/// How a select restricts its input to what a build is for; plain SQL, and a build from nothing, read all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Events of changed days, by user and time.
    Events,
    /// Rows whose columns of the names in `changed_by` are a changed key.
    Days,
    /// Rows for which these expressions, in the order of `changed_by`, are a changed key.
    Keys(&'static str),
    /// Rows dated at most that many days before, or after, a changed day.
    Near {
        /// The column with the date.
        column: &'static str,
        /// Days before.
        before: u32,
        /// Days after.
        after: u32,
    },
    /// Rows whose value of the column the table does not have yet. The CTE has all values in question.
    NotBuilt {
        /// The column, of this select, of the table and of the CTE.
        column: &'static str,
        /// The CTE.
        candidates: &'static str,
    },
}

/// One select.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Select {
    /// Whether equal rows are taken once.
    pub distinct: bool,
    /// The select list.
    pub items: Vec<Item>,
    /// What is read.
    pub from: Option<Aliased>,
    /// Arrays whose elements multiply the rows; rows with an empty one vanish.
    pub array_join: Vec<Item>,
    /// Joined relations.
    pub joins: Vec<Join>,
    /// What a build restricts the rows to: those that bear on changed days, or on a slice of all.
    pub only_changed: Vec<Changed>,
    /// Conditions that all hold for each row read.
    pub filters: Vec<Expr>,
    /// The groups of an aggregation.
    pub group_by: Vec<Expr>,
    /// Conditions that all hold for each group.
    pub having: Vec<Expr>,
    /// Windows that items may name.
    pub windows: Vec<(Ident, WindowSpec)>,
    /// The order of the rows.
    pub order_by: Vec<Order>,
    /// How many rows of each kind are kept.
    pub limit_by: Option<LimitBy>,
    /// Settings of the server for this select and all it reads.
    pub settings: Vec<(&'static str, u64)>,
}

impl Select {
    /// A select from a relation.
    pub fn from(from: impl Into<Aliased>) -> Select {
        Select { from: Some(from.into()), ..Select::default() }
    }

    /// Adds a value under a name.
    #[must_use]
    pub fn item(mut self, expr: Expr, name: impl Into<Ident>) -> Select {
        self.items.push(Item { expr, name: name.into() });
        self
    }

    /// Adds columns under their own names.
    #[must_use]
    pub fn columns<I: Into<Ident>>(mut self, names: impl IntoIterator<Item = I>) -> Select {
        for name in names {
            let name = name.into();
            self = self.item(col(&name), name);
        }
        self
    }

    /// Takes equal rows once.
    #[must_use]
    pub fn distinct(mut self) -> Select {
        self.distinct = true;
        self
    }

    /// Multiplies the rows by the elements of an array.
    #[must_use]
    pub fn array_join(mut self, expr: Expr, name: impl Into<Ident>) -> Select {
        self.array_join.push(Item { expr, name: name.into() });
        self
    }

    /// Joins a relation.
    #[must_use]
    pub fn join(mut self, kind: JoinKind, with: impl Into<Aliased>, on: Expr) -> Select {
        self.joins.push(Join { kind, with: with.into(), on });
        self
    }

    /// Lets a build read only what it is for; plain SQL reads all.
    #[must_use]
    pub fn only_changed(mut self, changed: Changed) -> Select {
        self.only_changed.push(changed);
        self
    }

    /// Keeps rows for which the condition holds, too.
    #[must_use]
    pub fn filter(mut self, condition: Expr) -> Select {
        self.filters.push(condition);
        self
    }

    /// Groups by these values, too.
    #[must_use]
    pub fn group_by(mut self, by: impl IntoIterator<Item = Expr>) -> Select {
        self.group_by.extend(by);
        self
    }

    /// Keeps groups for which the condition holds, too.
    #[must_use]
    pub fn having(mut self, condition: Expr) -> Select {
        self.having.push(condition);
        self
    }

    /// Names a window.
    #[must_use]
    pub fn window(mut self, name: impl Into<Ident>, spec: WindowSpec) -> Select {
        self.windows.push((name.into(), spec));
        self
    }

    /// Orders the rows by these, too.
    #[must_use]
    pub fn order_by(mut self, by: impl IntoIterator<Item = Order>) -> Select {
        self.order_by.extend(by);
        self
    }

    /// Sets a setting of the server for this select and all it reads.
    #[must_use]
    pub fn setting(mut self, name: &'static str, value: u64) -> Select {
        self.settings.push((name, value));
        self
    }

    /// Keeps the first rows of each combination of values.
    #[must_use]
    pub fn limit_by(mut self, rows: u64, by: impl IntoIterator<Item = Expr>) -> Select {
        self.limit_by = Some(LimitBy { rows, by: by.into_iter().collect() });
        self
    }
}

impl Query {
    /// This query, in place, under an alias.
    pub fn alias(self, alias: impl Into<Ident>) -> Aliased {
        Relation::Query(Box::new(self)).alias(alias)
    }
}

impl Relation {
    /// A CTE of the same query.
    pub fn cte(name: impl Into<Ident>) -> Relation {
        Relation::Cte(name.into())
    }

    /// This relation under an alias.
    pub fn alias(self, alias: impl Into<Ident>) -> Aliased {
        Aliased { relation: self, alias: Some(alias.into()) }
    }
}

impl From<Relation> for Aliased {
    fn from(relation: Relation) -> Aliased {
        Aliased { relation, alias: None }
    }
}

impl From<ModelRef> for Relation {
    fn from(model: ModelRef) -> Relation {
        Relation::Model(model)
    }
}

impl From<ModelRef> for Aliased {
    fn from(model: ModelRef) -> Aliased {
        Relation::Model(model).into()
    }
}

impl From<Query> for Aliased {
    fn from(query: Query) -> Aliased {
        Relation::Query(Box::new(query)).into()
    }
}

impl From<Select> for Query {
    fn from(select: Select) -> Query {
        Query { ctes: Vec::new(), body: Body::Select(Box::new(select)) }
    }
}

impl From<Vec<Select>> for Query {
    fn from(selects: Vec<Select>) -> Query {
        Query { ctes: Vec::new(), body: Body::UnionAll(selects) }
    }
}
