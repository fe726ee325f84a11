//! The models of a custom metric: for each part a compact table by user and day, and one mart.

use super::{Condition, Constant, CustomMetric, Dimension, Entity, Field, Measure, Part, Test, Value};
use crate::intermediate::{calendar, money};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef, Role};
use crate::pieces::{is_reported, reporting_date};
use crate::sql::{
    Changed, Cte, Expr, Query, Relation, Select, SqlType, array, call, col, int, is_in_cte, text, tuple,
};
use crate::staging::{self, IDENTITY};

const OVERALL: &str = "overall";

/// The models of a metric, each after those it reads.
pub fn models(metric: &CustomMetric) -> Vec<Model> {
    let mut models: Vec<Model> = parts(metric).iter().map(|(role, part)| daily(metric, role, part)).collect();
    models.push(mart(metric));
    models
}

/// The parts with the names of their columns in the mart.
fn parts(metric: &CustomMetric) -> Vec<(&str, &Part)> {
    match &metric.value {
        Value::Measure(part) => vec![(&metric.name, part)],
        Value::Ratio { numerator, denominator } => {
            vec![("numerator", numerator), ("denominator", denominator)]
        }
    }
}

/// The compact table of a part.
fn daily_of(metric: &CustomMetric, role: &str) -> ModelRef {
    let of_part = if role == metric.name { String::new() } else { format!("_{role}") };
    ModelRef::new(Layer::Intermediate, format!("int_{}{of_part}_daily", metric.name))
}

/// The type of a part's value.
fn ty(part: &Part) -> SqlType {
    match part.measure {
        Measure::Count | Measure::Users | Measure::Distinct(_) => SqlType::UInt64,
        Measure::Sum(column) => match part.entity.columns().iter().find(|(name, _)| *name == column) {
            Some((_, super::Holds::Number)) => SqlType::Float64,
            Some((_, super::Holds::Money)) => SqlType::Money,
            _ => SqlType::UInt64,
        },
    }
}

fn unit(part: &Part) -> &'static str {
    match part.measure {
        Measure::Count => "rows",
        Measure::Users => "users",
        Measure::Distinct(_) => "distinct values",
        Measure::Sum(_) if ty(part) == SqlType::Money => "reporting currency",
        Measure::Sum(_) => "that of the column",
    }
}

/// What tells the counted things of a part apart; `None` where values are added up.
fn counted(part: &Part) -> Option<&'static str> {
    match part.measure {
        Measure::Count | Measure::Sum(_) => None,
        Measure::Users => Some("user_id"),
        Measure::Distinct(column) => Some(column),
    }
}

fn daily(metric: &CustomMetric, role: &str, part: &Part) -> Model {
    let source = match part.entity.table() {
        Some(table) => staging::events_of(table),
        None => money(),
    };
    let is_money = part.entity == Entity::Money;
    // Which of several events tells a purchase first may change with a day of any other user.
    let is_followed = !matches!(part.entity, Entity::Money | Entity::Purchases);
    let date = if is_money { col("event_date") } else { reporting_date(col("event_time")) };
    let value = match part.measure {
        Measure::Sum(column) => call("ifNull", [col(column), int(0)]),
        Measure::Count | Measure::Users | Measure::Distinct(_) => int(1),
    };
    let mut rows = Select::from(source.clone()).item(col("user_id"), "user_id").item(date, "activity_date");
    if is_followed {
        rows = rows.only_changed(Changed::Events);
    }
    let mut ctes = Vec::new();
    if part.entity == Entity::Purchases {
        let repeated = Select::from(staging::repeated_purchases()).columns(IDENTITY);
        ctes.push(Cte::new("repeated", "Purchases that were told before.", repeated));
        rows = rows.filter(!is_in_cte(IDENTITY.map(col), "repeated", IDENTITY));
    }
    for Dimension(name) in &metric.dimensions {
        rows = rows.item(col(*name), format!("by_{name}"));
    }
    if let Some(key) = counted(part) {
        rows = rows.item(call("toString", [col(key)]), "counted");
    }
    rows = rows.item(value, "part_value");
    for condition in &part.filter {
        rows = rows.filter(meets(condition));
    }
    if let Measure::Distinct(column) = part.measure {
        // What is absent is no value.
        rows = rows.filter(col(column).differs(text("")));
    }

    let mut keys = vec![
        Column::activity_date(col("activity_date")),
        Column::key("user_id", SqlType::String, "Whose rows.", col("user_id")),
    ];
    for Dimension(name) in &metric.dimensions {
        let column = format!("by_{name}");
        let value = col(column.clone()).cast(SqlType::LowCardinality);
        keys.push(Column::key(column, SqlType::LowCardinality, format!("Their {name}."), value));
    }
    if counted(part).is_some() {
        keys.push(Column::key("counted", SqlType::String, "What is counted once.", col("counted")));
    }
    ctes.push(Cte::new("chosen", "The rows that are measured.", rows));
    let grain: Vec<_> = keys.iter().map(|key| key.name.clone()).collect();
    let sum = call("sum", [col("part_value")]).cast(ty(part));
    let mut columns = keys;
    columns.push(Column {
        role: Role::Measure,
        ..Column::attribute("part_value", ty(part), "What they add up to.", sum).unit(Some(unit(part)))
    });
    Model {
        id: daily_of(metric, role),
        build: if is_followed {
            Build::of_users_days([source], "activity_date", false)
        } else {
            Build::Table
        },
        description: format!(
            "What `fct_{}` is made from, by user and day. Days after `as_of_date` are included; readers leave \
             them out.",
            metric.name
        ),
        sorted_by: grain.clone(),
        rows: Select::from(Relation::cte("chosen")).group_by(grain.iter().map(col)),
        grain,
        columns,
        checks: Vec::new(),
        ctes,
    }
}

fn meets(condition: &Condition) -> Expr {
    let field = match &condition.field {
        Field::Column(name) => col(*name),
        Field::Property(name) => call("JSONExtractString", [col("properties"), text(name.clone())]),
    };
    let value = |constant: &Constant| match constant {
        Constant::Text(value) => text(value.clone()),
        Constant::Integer(value) => int(*value),
        Constant::Bool(value) => int(i64::from(*value)),
    };
    match &condition.test {
        Test::In(values) => field.is_in(values.iter().map(value)),
        Test::NotIn(values) => !field.is_in(values.iter().map(value)),
        Test::AtLeast(bound) => field.at_least(value(bound)),
        Test::AtMost(bound) => field.at_most(value(bound)),
    }
}

fn mart(metric: &CustomMetric) -> Model {
    let parts = parts(metric);
    let mut segments = vec![OVERALL.to_owned()];
    segments.extend(metric.dimensions.iter().map(|Dimension(name)| (*name).to_owned()));
    let low_cardinality = |name: &'static str| col(name).cast(SqlType::LowCardinality);
    let window = match metric.window_days {
        1 => String::new(),
        days => format!(" A figure is of the {days} days ending that day."),
    };
    let mut columns = vec![
        Column::activity_date(col("activity_date")),
        Column::key("segment", SqlType::LowCardinality, "How the rows are cut.", low_cardinality("segment"))
            .tested(ColumnTest::OneOf(segments)),
        Column::key(
            "segment_value",
            SqlType::LowCardinality,
            "The value of the segment; empty for overall, and where it is unknown.",
            low_cardinality("segment_value"),
        ),
    ];
    for (role, part) in &parts {
        let doc = if *role == metric.name { metric.description.clone() } else { format!("The {role}.") };
        let column = Column::attribute((*role).to_owned(), ty(part), doc, col((*role).to_owned()))
            .unit(Some(unit(part)));
        columns.push(Column { role: Role::Measure, ..column });
    }
    if let Value::Ratio { .. } = &metric.value {
        let ratio = Column::ratio(
            metric.name.clone(),
            metric.description.clone(),
            col("numerator"),
            col("denominator"),
        );
        columns.push(ratio.unit(Some("numerator ÷ denominator")));
    }
    let something = parts
        .iter()
        .map(|(role, _)| col((*role).to_owned()).differs(int(0)))
        .fold(col("segment").equals(text(OVERALL)), Expr::or);
    Model {
        id: ModelRef::new(Layer::Mart, format!("fct_{}", metric.name)),
        build: Build::Table,
        description: format!(
            "{}{window} Every day of the calendar has its overall row; other segment values have rows where \
             something is not zero.",
            metric.description
        ),
        grain: ["activity_date", "segment", "segment_value"].map(Into::into).into(),
        sorted_by: ["segment", "segment_value", "activity_date"].map(Into::into).into(),
        columns,
        checks: vec![Check { name: "segment_rows_have_something", condition: something.clone() }],
        ctes: vec![
            Cte::new(
                "parts",
                "Every part on the days it counts for; the calendar's part is nothing.",
                all_parts(metric),
            ),
            Cte::new("figures", "One row a day and segment value.", figures(metric)),
        ],
        rows: Select::from(Relation::cte("figures")).filter(something),
    }
}

/// The column of a part's values, and that of what it counts.
fn columns_of(role: &str) -> [String; 2] {
    [format!("{role}_part"), format!("{role}_counted")]
}

fn all_parts(metric: &CustomMetric) -> Query {
    let parts = parts(metric);
    // Each select has the columns of all parts; those of others are nothing.
    let values_of = |mut select: Select, own: Option<&str>| {
        for (role, part) in &parts {
            let [value, key] = columns_of(role);
            let is_own = own == Some(*role);
            let (sum, counted_key) = (
                if is_own { col("part_value") } else { int(0) },
                if is_own {
                    call("toNullable", [col("counted")])
                } else {
                    call("nullIf", [text(""), text("")])
                },
            );
            select = match counted(part) {
                None => select.item(sum.cast(ty(part)), value),
                Some(_) => select.item(counted_key, key),
            };
        }
        select
    };
    let mut selects = Vec::new();
    for (role, part) in &parts {
        let pairs = std::iter::once(tuple([text(OVERALL), text("")])).chain(
            metric
                .dimensions
                .iter()
                .map(|Dimension(name)| tuple([text(*name), call("toString", [col(format!("by_{name}"))])])),
        );
        let mut cut = Select::from(daily_of(metric, role))
            .columns(["activity_date", "part_value"])
            .item(col("pair").element(1), "segment")
            .item(col("pair").element(2), "segment_value")
            .array_join(array(pairs), "pair");
        if counted(part).is_some() {
            cut = cut.columns(["counted"]);
        }
        let day = col("activity_date") + col("days_after");
        let select = Select::from(Query::from(cut))
            .item(day.clone(), "counted_on")
            .columns(["segment", "segment_value"])
            .array_join(call("range", [int(i64::from(metric.window_days))]), "days_after")
            .filter(is_reported(day));
        selects.push(values_of(select, Some(role)));
    }
    let nothing = Select::from(calendar())
        .item(col("calendar_date"), "counted_on")
        .item(text(OVERALL), "segment")
        .item(text(""), "segment_value");
    selects.push(values_of(nothing, None));
    selects.into()
}

fn figures(metric: &CustomMetric) -> Query {
    let mut select = Select::from(Relation::cte("parts"))
        .item(col("counted_on"), "activity_date")
        .columns(["segment", "segment_value"]);
    for (role, part) in parts(metric) {
        let [value, key] = columns_of(role);
        let figure = match counted(part) {
            None => call("sum", [col(value)]),
            Some(_) => call("uniqExact", [col(key)]),
        };
        select = select.item(figure.cast(ty(part)), role.to_owned());
    }
    select.group_by(["counted_on", "segment", "segment_value"].map(col)).into()
}
