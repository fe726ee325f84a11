//! The tests: moments of both samples, what follows from them, and Holm over all.

use super::{
    CONFIDENCE, CUPED, EFFECT_PER_STANDARD_ERROR, FARTHEST_BY_SQUARES, Kind, METRICS, ROUNDING, SIDES, TEST,
    WELCH, null,
};
use crate::intermediate::experiments::IS_D7_OVER;
use crate::sql::{
    Bound, Expr, Frame, FrameUnit, JoinKind, Order, Query, Relation, Select, SqlType, Var, WindowSpec, array,
    call, case, col, int, lambda, number, parametric, text, tuple, var,
};

/// What is known of both sides of a test before it is made.
const SIDE_FIGURES: [&str; 5] =
    ["control_variant", "variant_users", "control_users", "variant_value", "control_value"];
/// What a test that can be made gives.
const TEST_FIGURES: [&str; 5] = ["standard_error", "degrees_of_freedom", "p_value", "ci_low", "ci_high"];

pub(super) fn moments() -> Query {
    let mut select = Select::from(Relation::cte("values")).columns(TEST);
    for (side, is_control) in SIDES {
        let on_side = || col("is_control").equals(int(is_control));
        select = select
            .item(call("countIf", [on_side()]), format!("{side}_count"))
            .item(call("avgIf", [col("value"), on_side()]), format!("{side}_mean"))
            .item(call("varSampStableIf", [col("apart"), on_side()]), format!("{side}_variance"))
            .item(call("maxIf", [col("scale"), on_side()]), format!("{side}_scale"));
    }
    // The server's test fails for samples that cannot be tested, so it is kept as a state until that is known.
    let welch = |value| parametric("welchTTestState", [number(CONFIDENCE)], [col(value), col("is_control")]);
    select
        .item(welch("centred"), "welch")
        // Both sides about zero: the interval of no difference, whose width is that of the one there is.
        .item(welch("apart"), "welch_apart")
        .group_by(TEST.map(col))
        .into()
}

/// Every metric and method.
pub(super) fn grid() -> Expr {
    let tests = METRICS.iter().flat_map(|metric| {
        let methods: &[&str] = if matches!(metric.kind, Kind::After(_)) { &[WELCH] } else { &[WELCH, CUPED] };
        methods.iter().map(|method| tuple([text(metric.name), text(*method)]))
    });
    array(tests)
}

pub(super) fn figures() -> Query {
    let every = Select::from(Relation::cte("comparisons"))
        .columns(["experiment_id", "variant", "control_variant"])
        .item(col("test").element(1), "metric")
        .item(col("test").element(2), "method")
        .array_join(grid(), "test");
    let every_one = |name: &'static str| col(name).of("every");
    let moment = |name: &str| col(name.to_owned()).of("moments");
    let count = |side: &str| call("ifNull", [moment(&format!("{side}_count")), int(0)]);
    let of_totals =
        |side: &str, name: &'static str| call("ifNull", [col(name).of(format!("{side}_totals")), int(0)]);
    let mut select =
        Select::from(Query::from(every).alias("every")).item(every_one("control_variant"), "control_variant");
    for name in TEST {
        select = select.item(every_one(name), name);
    }
    let is_d7 = METRICS
        .iter()
        .filter(|metric| metric.is_analysed() == IS_D7_OVER)
        .map(|metric| every_one("metric").equals(text(metric.name)))
        .reduce(Expr::or)
        .expect("a metric is told by the seventh day");
    for (side, _) in SIDES {
        let value = moment(&format!("{side}_mean"));
        let users = case([(is_d7.clone(), of_totals(side, "d7_users"))], of_totals(side, "users"));
        select = select
            .item(users, format!("{side}_users"))
            .item(count(side), format!("{side}_count"))
            .item(case([(count(side).greater(int(0)), value)], null()), format!("{side}_value"))
            .item(moment(&format!("{side}_variance")) / count(side), format!("{side}_share"))
            .item(is_varied(&moment, side), format!("{side}_is_varied"));
    }
    select = select.item(moment("welch"), "welch").item(moment("welch_apart"), "welch_apart").join(
        JoinKind::Left,
        Relation::cte("moments").alias("moments"),
        {
            TEST.map(|name| moment(name).equals(every_one(name)))
                .into_iter()
                .reduce(Expr::and)
                .expect("a test has keys")
        },
    );
    for (side, variant) in [("variant", "variant"), ("control", "control_variant")] {
        let alias = format!("{side}_totals");
        let is_same = col("experiment_id")
            .of(alias.clone())
            .equals(every_one("experiment_id"))
            .and(col("variant").of(alias.clone()).equals(every_one(variant)));
        select = select.join(JoinKind::Left, Relation::cte("totals").alias(alias), is_same);
    }
    select.into()
}

/// Whether the values of a side differ by more than the rounding of floats.
fn is_varied(moment: &impl Fn(&str) -> Expr, side: &str) -> Expr {
    let deviation = call("sqrt", [moment(&format!("{side}_variance"))]);
    let is_varied = deviation.greater(moment(&format!("{side}_scale")) * number(ROUNDING));
    call("ifNull", [is_varied, int(0)])
}

pub(super) fn tests() -> Query {
    let error = || call("sqrt", [col("variant_share") + col("control_share")]);
    let both = |of_side: fn(&str) -> Expr| of_side("variant").and(of_side("control"));
    let are_enough = both(|side| col(format!("{side}_count")).greater(int(1)));
    let are_varied = both(|side| col(format!("{side}_is_varied")));
    let are_few = call("least", [col("variant_users"), col("control_users")]).less(var(Var::AbMinUsers));
    let tested = || col("is_tested");
    let if_tested = |value: Expr| case([(tested(), value)], null()).cast(SqlType::Float64.nullable());
    let square = |value: Expr| value.clone() * value;
    let of_side = |side: &str| square(col(format!("{side}_share"))) / (col(format!("{side}_count")) - int(1));
    let degrees =
        square(col("variant_share") + col("control_share")) / (of_side("variant") + of_side("control"));
    let judged = Select::from(Relation::cte("figures"))
        .columns(TEST)
        .columns(SIDE_FIGURES)
        .columns(["welch", "welch_apart"])
        .item(are_enough.clone().and(are_varied.clone()), "is_tested")
        .item(are_few, "has_few_users")
        .item(are_enough.and(!are_varied), "has_no_variance")
        .item(error(), "error")
        .item(degrees, "degrees")
        .item(col("variant_value") - col("control_value"), "difference");
    // Of an array of the one test that is made, or of none.
    let result = |test: &'static str, is_made: Expr, place| {
        let made = call("arraySlice", [array([col(test)]), int(1), is_made]);
        let finished = call("arrayMap", [lambda("test", |test| call("finalizeAggregation", [test])), made]);
        call("arrayElement", [finished, int(1)]).element(place)
    };
    let is_near = call("abs", [col("difference")]).less(col("error") * int(FARTHEST_BY_SQUARES));
    let spread = || col("degrees") * square(col("error"));
    let end = |place| result("welch_apart", col("is_tested"), place);
    let shaped = Select::from(Query::from(judged))
        .columns(TEST)
        .columns(SIDE_FIGURES)
        .columns(["has_few_users", "has_no_variance", "is_tested", "error", "degrees", "difference", "welch"])
        .item(col("is_tested").and(call("ifNull", [is_near, int(0)])), "is_near")
        .item((end(4) - end(3)) / int(2), "half_width")
        .item(col("degrees") / int(2), "a")
        .item(spread() / (spread() + square(col("difference"))), "x");
    let p_value = case([(col("is_near"), result("welch", col("is_near"), 2))], far_tail());
    Select::from(Query::from(shaped))
        .columns(TEST)
        .columns(SIDE_FIGURES)
        .columns(["has_few_users", "has_no_variance"])
        .item(if_tested(col("error")), "standard_error")
        .item(if_tested(col("degrees")), "degrees_of_freedom")
        .item(if_tested(p_value), "p_value")
        .item(if_tested(col("difference") - col("half_width")), "ci_low")
        .item(if_tested(col("difference") + col("half_width")), "ci_high")
        .into()
}

/// Both tails of Student's distribution beyond a `t` that is far, with ν degrees of freedom: the regularised incomplete
/// beta function I(x; a, 1/2) of x = ν ÷ (ν + t²) and a = ν ÷ 2, by its hypergeometric series.
///
/// Source: <https://dlmf.nist.gov/8.17.E8>. From t = 1000 on, x is below 0.0002, or the result is zero to a float: four
/// terms of the series are enough.
fn far_tail() -> Expr {
    const LOG_GAMMA_OF_HALF: &str = "0.5723649429247001";
    let (a, x, half) = (|| col("a"), || col("x"), || number("0.5"));
    let log_gamma = |value| call("lgamma", [value]);
    let log_beta = log_gamma(a()) + number(LOG_GAMMA_OF_HALF) - log_gamma(a() + half());
    let log_front = a() * call("log", [x()]) + half() * call("log1p", [int(0) - x()]) - log_beta;
    let last = int(1);
    let series = (1..=4)
        .rev()
        .fold(last, |rest, term| int(1) + x() * (a() + int(term) - half()) / (a() + int(term)) * rest);
    call("exp", [log_front]) / a() * series
}

pub(super) fn adjusted() -> Query {
    // The others neither are adjusted nor count.
    let judged = Select::from(Relation::cte("tests"))
        .columns(TEST)
        .columns(SIDE_FIGURES)
        .columns(["has_few_users", "has_no_variance"])
        .columns(TEST_FIGURES)
        .item(case([(col("has_few_users"), null())], col("p_value")), "judged_p_value");
    let family = |ordered: bool| WindowSpec {
        partition_by: ["experiment_id", "method"].map(col).into(),
        order_by: if ordered {
            vec![Order::by(call("isNull", [col("judged_p_value")])), Order::by(col("judged_p_value"))]
        } else {
            Vec::new()
        },
        frame: ordered.then_some(Frame {
            unit: FrameUnit::Rows,
            start: Bound::UnboundedPreceding,
            end: Bound::CurrentRow,
        }),
    };
    let larger = call("count", [col("judged_p_value")]).over(family(false))
        - call("row_number", []).over(family(true))
        + int(1);
    let scaled = Select::from(Query::from(judged))
        .columns(TEST)
        .columns(SIDE_FIGURES)
        .columns(["has_few_users", "has_no_variance", "judged_p_value"])
        .columns(TEST_FIGURES)
        .item(col("judged_p_value") * larger, "scaled");
    let highest = call("max", [col("scaled")]).over(family(true));
    let difference = || col("variant_value") - col("control_value");
    // A control that is zero but for rounding, as CUPED leaves it, has no lift.
    let size = |side: &str| call("abs", [col(format!("{side}_value"))]);
    let is_there = size("control").greater((size("variant") + size("control")) * number(ROUNDING));
    let lift =
        case([(is_there, difference() / col("control_value"))], null()).cast(SqlType::Float64.nullable());
    Select::from(Query::from(scaled))
        .columns(TEST)
        .columns(["control_variant", "variant_users", "control_users", "has_few_users", "has_no_variance"])
        .columns(TEST_FIGURES)
        .item(col("variant_value"), "value")
        .columns(["control_value"])
        .item(difference(), "absolute_difference")
        .item(lift, "relative_lift")
        .item(col("standard_error") * number(EFFECT_PER_STANDARD_ERROR), "minimum_detectable_effect")
        .item(
            case([(call("isNull", [col("judged_p_value")]), null())], call("least", [highest, int(1)])),
            "p_value_adjusted",
        )
        .into()
}
