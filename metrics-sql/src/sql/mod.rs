//! A small relational tree and the one renderer that turns it into `ClickHouse` SQL.
//!
//! Definitions never join strings: names are [`Ident`], values are [`Literal`], and both are quoted in
//! `quote.rs` only. The same tree renders for dbt (`{{ ref('…') }}`) and for direct use (quoted names); see
//! [`Target`].

mod expr;
mod query;
mod quote;
mod render;
mod types;

#[cfg(test)]
mod tests;

pub use expr::{
    BinaryOp, Bound, Expr, Frame, FrameUnit, Literal, Over, UnaryOp, Var, WindowSpec, array, call, case, col,
    int, is_in_cte, lambda, named_window, number, parametric, text, tuple, var,
};
pub use query::{Aliased, Body, Changed, Cte, Item, Join, JoinKind, LimitBy, Order, Query, Relation, Select};
pub use quote::{Ident, quote_identifier, quote_in_jinja_text, quote_jinja, quote_text};
pub use render::{Plain, Target, WeekStart};
pub(crate) use render::{render_expr, render_query};
pub use types::SqlType;
