//! Expressions: columns, values, calls, windows and what joins them.

use super::{Ident, Order, Query, Relation, Select, SqlType};

/// A scalar, aggregate or window expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A column, with the alias of its relation where more than one is in reach.
    Column {
        /// The relation's alias.
        of: Option<Ident>,
        /// The column's name.
        name: Ident,
    },
    /// A constant.
    Literal(Literal),
    /// An option of the whole project.
    Var(Var),
    /// A function or an aggregate.
    Call {
        /// The function's name, as `ClickHouse` spells it.
        function: &'static str,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// An aggregate with parameters before its arguments: `welchTTest(0.95)(value, side)`.
    Parametric {
        /// The aggregate's name, as `ClickHouse` spells it.
        function: &'static str,
        /// Its parameters: constants.
        parameters: Vec<Expr>,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// A function given to a function of arrays: `x -> x + 1`.
    Lambda {
        /// What it calls its argument.
        argument: Ident,
        /// Its result.
        body: Box<Expr>,
    },
    /// A function over a window.
    Window {
        /// The aggregate or window function.
        function: Box<Expr>,
        /// The window.
        over: Over,
    },
    /// Two operands.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The operand before it.
        left: Box<Expr>,
        /// The operand after it.
        right: Box<Expr>,
    },
    /// One operand.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// The operand.
        operand: Box<Expr>,
    },
    /// `CAST(expr AS type)`.
    Cast {
        /// What is cast.
        expr: Box<Expr>,
        /// To which type.
        to: SqlType,
    },
    /// `CASE WHEN … THEN … ELSE … END`.
    Case {
        /// Conditions and results, the first that holds wins.
        branches: Vec<(Expr, Expr)>,
        /// The result where none holds.
        otherwise: Box<Expr>,
    },
    /// A query in place: the values to compare with, in `IN`.
    Query(Box<Query>),
    /// `[a, b]`.
    Array(Vec<Expr>),
    /// `(a, b)`: at least two.
    Tuple(Vec<Expr>),
}

/// A constant with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fractional part, as it is written: `0.95`.
    Number(&'static str),
    /// A date, `YYYY-MM-DD`.
    Date(String),
}

/// An option of the whole project: a dbt var, or a given value in plain SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Var {
    /// The zone whose days, weeks and months are counted; text.
    ReportingTimezone,
    /// The currency money is reported in; text.
    ReportingCurrency,
    /// The last date that counts; a date.
    AsOfDate,
    /// The day that weeks begin with, as the mode of `toStartOfWeek`: 1 for Monday, 0 for Sunday.
    WeekStart,
    /// How many rows the table that is built has already; a number.
    RowsBuilt,
    /// How many days after its assignment a user is watched in an A/B test; a whole number.
    AbWindowDays,
    /// The control variant of experiments where it is not the usual one; a map from experiment to variant.
    AbControlVariants,
    /// The shares that users were to be assigned by; a map from experiment to a map from variant to share.
    AbExpectedShares,
    /// How many users a side of an A/B test needs to be judged; a whole number.
    AbMinUsers,
    /// How many days after its end a paid period still counts; a whole number.
    GraceDays,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the operator of SQL of that name")]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    NotEq,
    Less,
    LessOrEq,
    Greater,
    GreaterOrEq,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A unary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// Logical negation.
    Not,
    /// Arithmetical negation.
    Negate,
}

/// The window of a window function.
#[derive(Debug, Clone, PartialEq)]
pub enum Over {
    /// One that the select names in its `WINDOW` clause.
    Named(Ident),
    /// One of its own.
    Spec(WindowSpec),
}

/// Partition, order and frame of a window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WindowSpec {
    /// Rows with equal values see each other.
    pub partition_by: Vec<Expr>,
    /// The order among them.
    pub order_by: Vec<Order>,
    /// How far the function sees; the default of SQL where `None`.
    pub frame: Option<Frame>,
}

/// How far a window function sees from the current row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// What the bounds count.
    pub unit: FrameUnit,
    /// The first row or value seen.
    pub start: Bound,
    /// The last.
    pub end: Bound,
}

/// What the bounds of a frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// Differences of the ordering value (days, for dates); peers are taken together.
    Range,
}

/// One end of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// From the partition's first row.
    UnboundedPreceding,
    /// That many before the current row.
    Preceding(u32),
    /// The current row.
    CurrentRow,
    /// That many after the current row.
    Following(u32),
    /// To the partition's last row.
    UnboundedFollowing,
}

/// A column of the only relation in reach.
pub fn col(name: impl Into<Ident>) -> Expr {
    Expr::Column { of: None, name: name.into() }
}

/// A text constant.
pub fn text(value: impl Into<String>) -> Expr {
    Expr::Literal(Literal::Text(value.into()))
}

/// A whole number.
pub fn int(value: i64) -> Expr {
    Expr::Literal(Literal::Integer(value))
}

/// A number with a fractional part, written as it is to stand in SQL.
///
/// # Panics
/// If it is not digits around one point.
pub fn number(written: &'static str) -> Expr {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = written.split_once('.');
    assert!(parts.is_some_and(|(whole, rest)| digits(whole) && digits(rest)), "{written:?} is no number");
    Expr::Literal(Literal::Number(written))
}

/// An option of the project.
pub fn var(var: Var) -> Expr {
    Expr::Var(var)
}

/// A call of a function or an aggregate.
///
/// # Panics
/// If the name is not an identifier: it is written into SQL as it stands.
pub fn call(function: &'static str, args: impl IntoIterator<Item = Expr>) -> Expr {
    assert!(
        function.starts_with(|c: char| c.is_ascii_alphabetic())
            && function.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
        "{function:?} is no function's name"
    );
    Expr::Call { function, args: args.into_iter().collect() }
}

/// A call of an aggregate that has parameters.
///
/// # Panics
/// As [`call`].
pub fn parametric(
    function: &'static str,
    parameters: impl IntoIterator<Item = Expr>,
    args: impl IntoIterator<Item = Expr>,
) -> Expr {
    let Expr::Call { function, args } = call(function, args) else { unreachable!("a call is a call") };
    Expr::Parametric { function, parameters: parameters.into_iter().collect(), args }
}

/// A function of one argument, for a function of arrays.
pub fn lambda(argument: &'static str, body: impl FnOnce(Expr) -> Expr) -> Expr {
    Expr::Lambda { argument: argument.into(), body: Box::new(body(col(argument))) }
}

/// `CASE` with its branches and the result where none holds.
pub fn case(branches: impl IntoIterator<Item = (Expr, Expr)>, otherwise: Expr) -> Expr {
    Expr::Case { branches: branches.into_iter().collect(), otherwise: Box::new(otherwise) }
}

/// An array.
pub fn array(items: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Array(items.into_iter().collect())
}

/// A tuple of at least two.
pub fn tuple(items: impl IntoIterator<Item = Expr>) -> Expr {
    let items: Vec<Expr> = items.into_iter().collect();
    assert!(items.len() >= 2, "a tuple has at least two elements");
    Expr::Tuple(items)
}

/// Whether a row of a CTE holds these values in these columns.
pub fn is_in_cte<const N: usize>(
    values: [Expr; N],
    cte: impl Into<Ident>,
    columns: [&'static str; N],
) -> Expr {
    let found = Select::from(Relation::cte(cte)).columns(columns);
    let mut values: Vec<Expr> = values.into();
    let value = if values.len() == 1 { values.remove(0) } else { tuple(values) };
    value.is_in_query(found)
}

/// A function over a window that the select names.
pub fn named_window(function: Expr, window: impl Into<Ident>) -> Expr {
    Expr::Window { function: Box::new(function), over: Over::Named(window.into()) }
}

impl Expr {
    /// This column, said to be of the relation with that alias.
    ///
    /// # Panics
    /// If it is not a column.
    #[must_use]
    pub fn of(self, alias: impl Into<Ident>) -> Expr {
        let Expr::Column { name, .. } = self else { panic!("only a column is of a relation: {self:?}") };
        Expr::Column { of: Some(alias.into()), name }
    }

    /// The function over a window.
    #[must_use]
    pub fn over(self, window: WindowSpec) -> Expr {
        Expr::Window { function: Box::new(self), over: Over::Spec(window) }
    }

    /// `CAST(self AS to)`.
    #[must_use]
    pub fn cast(self, to: SqlType) -> Expr {
        Expr::Cast { expr: Box::new(self), to }
    }

    /// The element of a tuple at that place, from 1.
    #[must_use]
    pub fn element(self, place: i64) -> Expr {
        call("tupleElement", [self, int(place)])
    }

    /// Whether it is one of the constants.
    #[must_use]
    pub fn is_in(self, values: impl IntoIterator<Item = Expr>) -> Expr {
        self.binary(BinaryOp::In, array(values))
    }

    /// Whether it is one of the values that a query gives.
    #[must_use]
    pub fn is_in_query(self, query: impl Into<Query>) -> Expr {
        self.binary(BinaryOp::In, Expr::Query(Box::new(query.into())))
    }

    /// Both operands joined by an operator.
    #[must_use]
    pub fn binary(self, op: BinaryOp, right: Expr) -> Expr {
        Expr::Binary { op, left: Box::new(self), right: Box::new(right) }
    }
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident => $op:ident;)*) => {
        impl Expr {
            $($(#[$doc])* #[must_use] pub fn $name(self, right: Expr) -> Expr { self.binary(BinaryOp::$op, right) })*
        }
    };
}

operators! {
    /// Whether one of both holds.
    or => Or;
    /// Whether both hold.
    and => And;
    /// Whether both are equal.
    equals => Eq;
    /// Whether they differ.
    differs => NotEq;
    /// Whether this is less.
    less => Less;
    /// Whether this is less or equal.
    at_most => LessOrEq;
    /// Whether this is greater.
    greater => Greater;
    /// Whether this is greater or equal.
    at_least => GreaterOrEq;
}

macro_rules! arithmetic {
    ($($trait:ident, $method:ident => $op:ident;)*) => {
        $(impl std::ops::$trait for Expr {
            type Output = Expr;

            fn $method(self, right: Expr) -> Expr { self.binary(BinaryOp::$op, right) }
        })*
    };
}

arithmetic! {
    Add, add => Add;
    Sub, sub => Subtract;
    Mul, mul => Multiply;
    Div, div => Divide;
}

impl std::ops::Neg for Expr {
    type Output = Expr;

    fn neg(self) -> Expr {
        Expr::Unary { op: UnaryOp::Negate, operand: Box::new(self) }
    }
}

impl std::ops::Not for Expr {
    type Output = Expr;

    fn not(self) -> Expr {
        Expr::Unary { op: UnaryOp::Not, operand: Box::new(self) }
    }
}
