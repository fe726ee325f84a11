//! The renderer: one tree in, readable SQL out.
//!
//! One item a line, four spaces a level; an expression stays on its line while it fits.

use std::collections::BTreeMap;

use super::{
    Aliased, BinaryOp, Body, Bound, Changed, Cte, Expr, Frame, FrameUnit, Ident, Item, JoinKind, Literal,
    Order, Over, Query, Relation, Select, UnaryOp, Var, WindowSpec, quote_identifier, quote_jinja,
    quote_text,
};
use crate::model::Layer;

/// Expressions longer than this, indentation included, are broken into lines.
const WIDTH: usize = 100;

/// The dbt source that holds the tables of `raw`.
const SOURCE: &str = "raw";

/// What the SQL is for.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one is made for a whole run, and never kept in numbers")]
pub enum Target {
    /// A dbt model: `{{ ref('…') }}`, `{{ source('raw', '…') }}` and a macro for each option.
    Dbt,
    /// A query to be sent as it is: quoted names, and values in place of the options.
    Plain(Plain),
}

/// The day that weeks begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeekStart {
    /// Monday, as ISO 8601 has it.
    #[default]
    Monday,
    /// Sunday.
    Sunday,
}

impl WeekStart {
    /// The mode of `toStartOfWeek` for such weeks.
    pub fn mode(self) -> u8 {
        match self {
            WeekStart::Monday => 1,
            WeekStart::Sunday => 0,
        }
    }
}

/// Names and values that plain SQL is made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    /// The database of the loaded tables.
    pub raw: String,
    /// The database of staging and intermediate models, and of seeds.
    pub staging: String,
    /// The database of the marts.
    pub marts: String,
    /// The zone of the days, for example `Asia/Almaty`.
    pub reporting_timezone: String,
    /// The currency of money, for example `USD`.
    pub reporting_currency: String,
    /// The day that weeks begin with.
    pub week_start: WeekStart,
    /// The last date that counts, `YYYY-MM-DD`; `None`: the last one that had ended in the zone by the end, in UTC,
    /// of the latest batch date loaded.
    pub as_of_date: Option<String>,
    /// How many days after its assignment a user is watched in an A/B test.
    pub ab_window_days: u32,
    /// The control variant of experiments where it is not the usual one.
    pub ab_control_variants: BTreeMap<String, String>,
    /// The shares that users were to be assigned by, by experiment and variant; elsewhere equal ones.
    pub ab_expected_shares: BTreeMap<String, BTreeMap<String, f64>>,
    /// How many users a side of an A/B test needs to be judged.
    pub ab_min_users: u32,
    /// How many days after its end a paid period still counts.
    pub grace_days: u32,
}

impl Plain {
    /// The three databases under a prefix, UTC days and US dollars.
    pub fn with_prefix(prefix: &str, as_of_date: impl Into<String>) -> Plain {
        Plain {
            raw: format!("{prefix}raw"),
            staging: format!("{prefix}staging"),
            marts: format!("{prefix}marts"),
            reporting_timezone: "UTC".to_owned(),
            reporting_currency: "USD".to_owned(),
            week_start: WeekStart::Monday,
            as_of_date: Some(as_of_date.into()),
            ab_window_days: 14,
            ab_control_variants: BTreeMap::new(),
            ab_expected_shares: BTreeMap::new(),
            ab_min_users: 30,
            grace_days: 0,
        }
    }

    /// The database that models of a layer stand in.
    pub fn database(&self, layer: Layer) -> &str {
        match layer {
            Layer::Staging | Layer::Intermediate => &self.staging,
            Layer::Mart => &self.marts,
        }
    }
}

/// The SQL of a query, without a line break at its end.
pub(crate) fn render_query(query: &Query, target: &Target) -> String {
    let mut renderer = Renderer { target, out: String::new() };
    renderer.query(query, 0);
    renderer.out.truncate(renderer.out.trim_end().len());
    renderer.out
}

/// The SQL of an expression, on one line.
pub(crate) fn render_expr(expr: &Expr, target: &Target) -> String {
    Renderer { target, out: String::new() }.flat(expr, 0)
}

struct Renderer<'a> {
    target: &'a Target,
    out: String,
}

impl Renderer<'_> {
    fn line(&mut self, level: usize, content: &str) {
        self.out.extend(std::iter::repeat_n("    ", level));
        self.out.push_str(content);
        self.out.push('\n');
    }

    fn query(&mut self, query: &Query, level: usize) {
        for (index, cte) in query.ctes.iter().enumerate() {
            self.cte(cte, index == 0, index + 1 == query.ctes.len(), level);
        }
        match &query.body {
            Body::Select(select) => self.select(select, level),
            Body::UnionAll(selects) => {
                for (index, select) in selects.iter().enumerate() {
                    if index > 0 {
                        self.line(level, "UNION ALL");
                    }
                    self.select(select, level);
                }
            }
        }
    }

    fn cte(&mut self, cte: &Cte, first: bool, last: bool, level: usize) {
        if first {
            self.line(level, "WITH");
        }
        for line in comment(&cte.comment, level + 1) {
            self.line(level + 1, &line);
        }
        self.line(level + 1, &format!("{} AS (", ident(&cte.name)));
        self.query(&cte.query, level + 2);
        self.line(level + 1, if last { ")" } else { ")," });
        self.out.push_str(if last { "" } else { "\n" });
    }

    fn select(&mut self, select: &Select, level: usize) {
        self.line(level, if select.distinct { "SELECT DISTINCT" } else { "SELECT" });
        self.list(level + 1, &select.items, |renderer, item| renderer.item(item, level + 1));
        if let Some(from) = &select.from {
            self.relation("FROM ", from, "", level);
        }
        if !select.array_join.is_empty() {
            self.line(level, "ARRAY JOIN");
            self.list(level + 1, &select.array_join, |renderer, item| renderer.item(item, level + 1));
        }
        for join in &select.joins {
            let keyword = match join.kind {
                JoinKind::Inner => "INNER JOIN ",
                JoinKind::Left => "LEFT JOIN ",
                JoinKind::AsofLeft => "ASOF LEFT JOIN ",
            };
            let on = format!(" ON {}", self.flat(&join.on, 0));
            self.relation(keyword, &join.with, &on, level);
        }
        let changed: Vec<String> = match self.target {
            Target::Dbt => select.only_changed.iter().map(changed_macro).collect(),
            Target::Plain(_) => Vec::new(),
        };
        let own = self.flat_conditions(&select.filters, !changed.is_empty());
        self.conditions("WHERE", [changed, own].concat(), level);
        if !select.group_by.is_empty() {
            self.line(level, "GROUP BY");
            self.list(level + 1, &select.group_by, |renderer, expr| renderer.expr(expr, level + 1));
        }
        self.conditions("HAVING", self.flat_conditions(&select.having, false), level);
        if !select.windows.is_empty() {
            self.line(level, "WINDOW");
            self.list(level + 1, &select.windows, |renderer, (name, spec)| {
                format!("{} AS ({})", ident(name), renderer.window(spec))
            });
        }
        if !select.order_by.is_empty() {
            self.line(level, "ORDER BY");
            self.list(level + 1, &select.order_by, Self::order);
        }
        if let Some(limit) = &select.limit_by {
            let by = self.comma_separated(&limit.by);
            self.line(level, &format!("LIMIT {} BY {by}", limit.rows));
        }
        if !select.settings.is_empty() {
            let settings: Vec<String> =
                select.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            self.line(level, &format!("SETTINGS {}", settings.join(", ")));
        }
    }

    /// One item a line, with commas between.
    fn list<T>(&mut self, level: usize, items: &[T], render: impl Fn(&Self, &T) -> String) {
        for (index, item) in items.iter().enumerate() {
            let comma = if index + 1 == items.len() { "" } else { "," };
            let content = render(self, item) + comma;
            self.line(level, &content);
        }
    }

    fn item(&self, item: &Item, level: usize) -> String {
        match &item.expr {
            Expr::Column { of: None, name } if *name == item.name => ident(name),
            expr => format!("{} AS {}", self.expr(expr, level), ident(&item.name)),
        }
    }

    /// Conditions that all hold, each so that `AND` can stand beside it where there is another.
    fn flat_conditions(&self, conditions: &[Expr], beside_another: bool) -> Vec<String> {
        let alone = conditions.len() == 1 && !beside_another;
        let precedence = if alone { 0 } else { precedence_of(BinaryOp::And) };
        conditions.iter().map(|condition| self.flat(condition, precedence)).collect()
    }

    fn conditions(&mut self, keyword: &str, conditions: Vec<String>, level: usize) {
        for (index, condition) in conditions.into_iter().enumerate() {
            match index {
                0 => self.line(level, &format!("{keyword} {condition}")),
                _ => self.line(level + 1, &format!("AND {condition}")),
            }
        }
    }

    fn relation(&mut self, before: &str, from: &Aliased, after: &str, level: usize) {
        let alias = match (&from.alias, &from.relation) {
            (None, _) => String::new(),
            (Some(alias), Relation::Cte(name)) if alias == name => String::new(),
            (Some(alias), _) => format!(" AS {}", ident(alias)),
        };
        let name = match &from.relation {
            Relation::Model(model) => match self.target {
                Target::Dbt => format!("{{{{ ref({}) }}}}", quote_jinja(model.name.as_str())),
                Target::Plain(plain) => qualified(plain.database(model.layer), &model.name),
            },
            Relation::Seed(seed) => match self.target {
                Target::Dbt => format!("{{{{ ref({}) }}}}", quote_jinja(seed.as_str())),
                Target::Plain(plain) => qualified(&plain.staging, seed),
            },
            Relation::Source(table) => match self.target {
                Target::Dbt => {
                    format!("{{{{ source({}, {}) }}}}", quote_jinja(SOURCE), quote_jinja(table.as_str()))
                }
                Target::Plain(plain) => qualified(&plain.raw, table),
            },
            Relation::Cte(name) => ident(name),
            Relation::Query(query) => {
                self.line(level, &format!("{before}("));
                self.query(query, level + 1);
                self.line(level, &format!("){alias}{after}"));
                return;
            }
        };
        self.line(level, &format!("{before}{name}{alias}{after}"));
    }

    fn order(&self, order: &Order) -> String {
        self.flat(&order.by, 0) + if order.descending { " DESC" } else { "" }
    }

    fn window(&self, spec: &WindowSpec) -> String {
        let mut parts = Vec::new();
        if !spec.partition_by.is_empty() {
            parts.push(format!("PARTITION BY {}", self.comma_separated(&spec.partition_by)));
        }
        if !spec.order_by.is_empty() {
            let keys: Vec<String> = spec.order_by.iter().map(|key| self.order(key)).collect();
            parts.push(format!("ORDER BY {}", keys.join(", ")));
        }
        if let Some(Frame { unit, start, end }) = spec.frame {
            let unit = match unit {
                FrameUnit::Rows => "ROWS",
                FrameUnit::Range => "RANGE",
            };
            parts.push(format!("{unit} BETWEEN {} AND {}", bound(start), bound(end)));
        }
        parts.join(" ")
    }

    /// An expression that starts at this level: on one line where it fits, else broken at its arguments.
    fn expr(&self, expr: &Expr, level: usize) -> String {
        let flat = self.flat(expr, 0);
        if level * 4 + flat.len() <= WIDTH {
            return flat;
        }
        match expr {
            Expr::Array(items) => self.broken("[", items, "]", level),
            Expr::Tuple(items) => self.broken("(", items, ")", level),
            Expr::Cast { expr, to } => {
                let inner = "    ".repeat(level + 1);
                let outer = "    ".repeat(level);
                format!("CAST(\n{inner}{} AS {to}\n{outer})", self.expr(expr, level + 1))
            }
            Expr::Case { branches, otherwise } => self.broken_case(branches, otherwise, level),
            Expr::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                let left = self.wrapped(*op, left, level);
                let inner = "    ".repeat(level);
                format!("{left}\n{inner}{} {}", symbol(*op), self.operand(*op, right, precedence_of(*op) + 1))
            }
            Expr::Call { function, args } => self.broken(&format!("{function}("), args, ")", level),
            Expr::Window { function, over: Over::Spec(spec) } => {
                let inner = "    ".repeat(level + 1);
                let outer = "    ".repeat(level);
                format!("{} OVER (\n{inner}{}\n{outer})", self.expr(function, level), self.window(spec))
            }
            // A window compared with something: the window breaks, the rest follows it.
            Expr::Binary { op, left, right } if matches!(left.as_ref(), Expr::Window { .. }) => {
                let right = self.operand(*op, right, precedence_of(*op) + 1);
                format!("{} {} {right}", self.expr(left, level), symbol(*op))
            }
            _ => flat,
        }
    }

    /// The left side of a chain of `AND` or `OR`, broken as well where it is too long.
    fn wrapped(&self, of: BinaryOp, left: &Expr, level: usize) -> String {
        match left {
            Expr::Binary { op, .. } if *op == of => self.expr(left, level),
            other => self.operand(of, other, precedence_of(of)),
        }
    }

    fn broken_case(&self, branches: &[(Expr, Expr)], otherwise: &Expr, level: usize) -> String {
        let inner = "    ".repeat(level + 1);
        let when = |(when, then): &(Expr, Expr)| {
            format!("{inner}WHEN {} THEN {}\n", self.flat(when, 0), self.expr(then, level + 1))
        };
        let branches: String = branches.iter().map(when).collect();
        let otherwise = self.expr(otherwise, level + 1);
        format!("CASE\n{branches}{inner}ELSE {otherwise}\n{}END", "    ".repeat(level))
    }

    fn broken(&self, open: &str, items: &[Expr], close: &str, level: usize) -> String {
        let inner = "    ".repeat(level + 1);
        let items: Vec<String> =
            items.iter().map(|item| format!("{inner}{}", self.expr(item, level + 1))).collect();
        format!("{open}\n{}\n{}{close}", items.join(",\n"), "    ".repeat(level))
    }

    /// An expression on one line, in parentheses where it binds weaker than `above`.
    fn flat(&self, expr: &Expr, above: u8) -> String {
        match expr {
            Expr::Column { of: None, name } => ident(name),
            Expr::Column { of: Some(of), name } => format!("{}.{}", ident(of), ident(name)),
            // Two signs in a row would begin a comment.
            Expr::Literal(Literal::Integer(value)) if *value < 0 => {
                parenthesised(value.to_string(), NEGATE < above)
            }
            Expr::Literal(literal) => literal_sql(literal),
            Expr::Var(var) => self.var(*var),
            Expr::Query(query) => self.one_line(query),
            Expr::Call { function, args } => format!("{function}({})", self.comma_separated(args)),
            Expr::Parametric { function, parameters, args } => {
                format!("{function}({})({})", self.comma_separated(parameters), self.comma_separated(args))
            }
            // An arrow binds weaker than anything, and stands among arguments only.
            Expr::Lambda { argument, body } => format!("{} -> {}", ident(argument), self.flat(body, 0)),
            Expr::Window { function, over } => {
                let over = match over {
                    Over::Named(name) => ident(name),
                    Over::Spec(spec) => format!("({})", self.window(spec)),
                };
                format!("{} OVER {over}", self.flat(function, 0))
            }
            Expr::Binary { op: BinaryOp::In, left, right } => {
                let mine = precedence_of(BinaryOp::In);
                let values = match right.as_ref() {
                    Expr::Array(values) | Expr::Tuple(values) => self.comma_separated(values),
                    other => self.flat(other, 0),
                };
                parenthesised(format!("{} IN ({values})", self.flat(left, mine + 1)), mine < above)
            }
            Expr::Binary { op, left, right } => {
                let mine = precedence_of(*op);
                // Comparisons do not chain, so their left side is wrapped as well.
                let left = self.operand(*op, left, if is_comparison(*op) { mine + 1 } else { mine });
                let right = self.operand(*op, right, mine + 1);
                parenthesised(format!("{left} {} {right}", symbol(*op)), mine < above)
            }
            Expr::Unary { op: UnaryOp::Not, operand } => {
                parenthesised(format!("NOT {}", self.flat(operand, NOT + 1)), NOT < above)
            }
            Expr::Unary { op: UnaryOp::Negate, operand } => {
                parenthesised(format!("-{}", self.flat(operand, NEGATE + 1)), NEGATE < above)
            }
            Expr::Cast { expr, to } => format!("CAST({} AS {to})", self.flat(expr, 0)),
            Expr::Case { branches, otherwise } => {
                let branches: Vec<String> = branches
                    .iter()
                    .map(|(when, then)| format!("WHEN {} THEN {}", self.flat(when, 0), self.flat(then, 0)))
                    .collect();
                format!("CASE {} ELSE {} END", branches.join(" "), self.flat(otherwise, 0))
            }
            Expr::Array(items) => format!("[{}]", self.comma_separated(items)),
            Expr::Tuple(items) => format!("({})", self.comma_separated(items)),
        }
    }

    /// A query on one line.
    fn one_line(&self, query: &Query) -> String {
        let sql = render_query(query, self.target);
        sql.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }

    /// An operand. `AND` within `OR` is wrapped although it need not be: few know by heart which binds closer.
    fn operand(&self, of: BinaryOp, operand: &Expr, above: u8) -> String {
        let and = matches!(operand, Expr::Binary { op: BinaryOp::And, .. });
        self.flat(operand, if of == BinaryOp::Or && and { NOT } else { above })
    }

    fn comma_separated(&self, items: &[Expr]) -> String {
        let items: Vec<String> = items.iter().map(|item| self.flat(item, 0)).collect();
        items.join(", ")
    }

    fn var(&self, var: Var) -> String {
        match self.target {
            // Each macro of the dbt project returns a quoted value.
            Target::Dbt => format!("{{{{ {}() }}}}", var.name()),
            Target::Plain(plain) => match var {
                Var::ReportingTimezone => quote_text(&plain.reporting_timezone),
                Var::ReportingCurrency => quote_text(&plain.reporting_currency),
                Var::AsOfDate => match &plain.as_of_date {
                    Some(date) => literal_sql(&Literal::Date(date.clone())),
                    None => {
                        let loads = qualified(&plain.staging, &"stg_loads".into());
                        let zone = quote_text(&plain.reporting_timezone);
                        let end = "toDateTime64(max(batch_date) + 1, 0, 'UTC')";
                        let last = format!("if(count() = 0, toDate(0), toDate({end}, {zone}) - 1)");
                        format!("(SELECT {last} FROM {loads} WHERE notEmpty(load_ids))")
                    }
                },
                Var::WeekStart => plain.week_start.mode().to_string(),
                Var::RowsBuilt => "0".to_owned(),
                Var::AbWindowDays => plain.ab_window_days.to_string(),
                Var::AbControlVariants => control_variants(&plain.ab_control_variants),
                Var::AbExpectedShares => expected_shares(&plain.ab_expected_shares),
                Var::AbMinUsers => plain.ab_min_users.to_string(),
                Var::GraceDays => plain.grace_days.to_string(),
            },
        }
    }
}

impl Var {
    /// The name of the dbt var and of the macro that renders it.
    pub fn name(self) -> &'static str {
        match self {
            Var::ReportingTimezone => "reporting_timezone",
            Var::ReportingCurrency => "reporting_currency",
            Var::AsOfDate => "as_of_date",
            Var::WeekStart => "week_start",
            Var::RowsBuilt => "rows_built",
            Var::AbWindowDays => "ab_window_days",
            Var::AbControlVariants => "ab_control_variants",
            Var::AbExpectedShares => "ab_expected_shares",
            Var::AbMinUsers => "ab_min_users",
            Var::GraceDays => "grace_days",
        }
    }
}

/// The macro of the dbt project that stands for the condition of a build.
fn changed_macro(changed: &Changed) -> String {
    match changed {
        Changed::Events => "{{ changed_events() }}".to_owned(),
        Changed::Days => "{{ changed_days() }}".to_owned(),
        Changed::Keys(keys) => format!("{{{{ changed_days({}) }}}}", quote_jinja(keys)),
        Changed::Near { column, before, after } => {
            format!("{{{{ near_changed_days({}, {before}, {after}) }}}}", quote_jinja(column))
        }
        Changed::NotBuilt { column, candidates } => {
            format!("{{{{ not_built({}, {}) }}}}", quote_jinja(column), quote_jinja(candidates))
        }
    }
}

/// Comment lines that fit at this level; braces that would open a jinja expression are kept apart.
pub(super) fn comment(text: &str, level: usize) -> Vec<String> {
    let width = WIDTH - level * 4;
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = "--".to_owned();
        for word in paragraph.split_whitespace() {
            if line.len() > 2 && line.len() + 1 + word.len() > width {
                lines.push(std::mem::replace(&mut line, "--".to_owned()));
            }
            line.push(' ');
            for c in word.chars() {
                if line.ends_with('{') && matches!(c, '{' | '%' | '#') {
                    line.push(' ');
                }
                line.push(c);
            }
        }
        lines.push(line);
    }
    lines
}

fn ident(name: &Ident) -> String {
    quote_identifier(name.as_str())
}

fn qualified(database: &str, name: &Ident) -> String {
    format!("{}.{}", quote_identifier(database), ident(name))
}

fn literal_sql(literal: &Literal) -> String {
    match literal {
        Literal::Text(value) => quote_text(value),
        Literal::Integer(value) => value.to_string(),
        Literal::Number(written) => (*written).to_owned(),
        Literal::Date(value) => format!("toDate({})", quote_text(value)),
    }
}

/// A map from experiment to control variant.
fn control_variants(variants: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = variants
        .iter()
        .flat_map(|(experiment, variant)| [quote_text(experiment), quote_text(variant)])
        .collect();
    format!("CAST(map({}) AS Map(String, String))", pairs.join(", "))
}

/// A map from experiment to a map from variant to share.
fn expected_shares(shares: &BTreeMap<String, BTreeMap<String, f64>>) -> String {
    let of_variants = |shares: &BTreeMap<String, f64>| {
        let pairs: Vec<String> =
            shares.iter().flat_map(|(variant, share)| [quote_text(variant), format!("{share:?}")]).collect();
        format!("map({})", pairs.join(", "))
    };
    let pairs: Vec<String> = shares
        .iter()
        .flat_map(|(experiment, shares)| [quote_text(experiment), of_variants(shares)])
        .collect();
    format!("CAST(map({}) AS Map(String, Map(String, Float64)))", pairs.join(", "))
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::UnboundedPreceding => "UNBOUNDED PRECEDING".to_owned(),
        Bound::Preceding(n) => format!("{n} PRECEDING"),
        Bound::CurrentRow => "CURRENT ROW".to_owned(),
        Bound::Following(n) => format!("{n} FOLLOWING"),
        Bound::UnboundedFollowing => "UNBOUNDED FOLLOWING".to_owned(),
    }
}

/// `NOT` binds between `AND` and the comparisons.
const NOT: u8 = 3;
/// The sign binds closest.
const NEGATE: u8 = 7;

fn precedence_of(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Add | BinaryOp::Subtract => 5,
        BinaryOp::Multiply | BinaryOp::Divide => 6,
        _ => 4,
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    precedence_of(op) == 4
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "OR",
        BinaryOp::And => "AND",
        BinaryOp::Eq => "=",
        BinaryOp::NotEq => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEq => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEq => ">=",
        BinaryOp::In => "IN",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
    }
}

fn parenthesised(sql: String, needed: bool) -> String {
    if needed { format!("({sql})") } else { sql }
}
