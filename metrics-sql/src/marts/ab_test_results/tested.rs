//! The tests: moments of both samples, what follows from them, and Holm over all.

use super::{
    CONFIDENCE, CUPED, EFFECT_PER_STANDARD_ERROR, FARTHEST_BY_SQUARES, Kind, METRICS, ROUNDING, SIDES, TEST,
    WELCH, null,
};
use crate::sql::{
    Bound, Expr, Frame, FrameUnit, JoinKind, Order, Query, Relation, Select, SqlType, WindowSpec, array,
    call, case, col, int, lambda, number, parametric, text, tuple,
};

pub(super) fn moments() -> Query {
    let (value, centred) = (|| col("value"), || col("centred"));
    let mut select = Select::from(Relation::cte("values")).columns(TEST);
    for (side, is_control) in SIDES {
        let on_side = || col("is_control").equals(int(is_control));
        let measured = call("countIf", [on_side().and(call("isNotNull", [value()]))]);
        select = select
            .item(measured, format!("{side}_users"))
            .item(call("avgIf", [value(), on_side()]), format!("{side}_mean"))
            .item(call("varSampStableIf", [centred(), on_side()]), format!("{side}_variance"));
    }
    // The server's test takes no NULL; where there is one, all of a side are, and nothing is tested. It fails for
    // samples that cannot be tested, so it is kept as a state until that is known.
    let welch = |value| {
        let samples = [call("ifNull", [value, int(0)]), col("is_control")];
        parametric("welchTTestState", [number(CONFIDENCE)], samples)
    };
    select
        .item(call("max", [col("largest")]), "largest")
        .item(welch(centred()), "welch")
        // Both sides about zero: the interval of no difference, whose width is that of the one there is.
        .item(welch(col("apart")), "welch_apart")
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
    let users = |side: &str| call("ifNull", [moment(&format!("{side}_users")), int(0)]);
    let mut select =
        Select::from(Query::from(every).alias("every")).item(every_one("control_variant"), "control_variant");
    for name in TEST {
        select = select.item(every_one(name), name);
    }
    for side in ["variant", "control"] {
        let value = moment(&format!("{side}_mean"));
        select = select
            .item(users(side), format!("{side}_users"))
            .item(case([(users(side).greater(int(0)), value)], null()), format!("{side}_value"))
            .item(moment(&format!("{side}_variance")) / users(side), format!("{side}_share"));
    }
    select
        .item(moment("largest"), "largest")
        .item(moment("welch"), "welch")
        .item(moment("welch_apart"), "welch_apart")
        .join(JoinKind::Left, Relation::cte("moments").alias("moments"), {
            TEST.map(|name| moment(name).equals(every_one(name)))
                .into_iter()
                .reduce(Expr::and)
                .expect("a test has keys")
        })
        .into()
}

pub(super) fn tests() -> Query {
    let error = || call("sqrt", [col("variant_share") + col("control_share")]);
    let enough = |side: &str| col(format!("{side}_users")).greater(int(1));
    let can_be_tested =
        enough("variant").and(enough("control")).and(error().greater(col("largest") * number(ROUNDING)));
    let tested = || col("is_tested");
    let if_tested = |value: Expr| case([(tested(), value)], null()).cast(SqlType::Float64.nullable());
    let square = |value: Expr| value.clone() * value;
    let of_side = |side: &str| square(col(format!("{side}_share"))) / (col(format!("{side}_users")) - int(1));
    let degrees =
        square(col("variant_share") + col("control_share")) / (of_side("variant") + of_side("control"));
    let judged = Select::from(Relation::cte("figures"))
        .columns(TEST)
        .columns(["control_variant", "variant_value", "control_value", "welch", "welch_apart"])
        .item(call("ifNull", [can_be_tested, int(0)]), "is_tested")
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
        .columns(["control_variant", "variant_value", "control_value", "is_tested", "error", "degrees"])
        .columns(["difference", "welch"])
        .item(col("is_tested").and(call("ifNull", [is_near, int(0)])), "is_near")
        .item((end(4) - end(3)) / int(2), "half_width")
        .item(col("degrees") / int(2), "a")
        .item(spread() / (spread() + square(col("difference"))), "x");
    let p_value = case([(col("is_near"), result("welch", col("is_near"), 2))], far_tail());
    Select::from(Query::from(shaped))
        .columns(TEST)
        .columns(["control_variant", "variant_value", "control_value"])
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
    let family = |ordered: bool| WindowSpec {
        partition_by: ["experiment_id", "method"].map(col).into(),
        order_by: if ordered {
            vec![Order::by(call("isNull", [col("p_value")])), Order::by(col("p_value"))]
        } else {
            Vec::new()
        },
        frame: ordered.then_some(Frame {
            unit: FrameUnit::Rows,
            start: Bound::UnboundedPreceding,
            end: Bound::CurrentRow,
        }),
    };
    let larger = call("count", [col("p_value")]).over(family(false))
        - call("row_number", []).over(family(true))
        + int(1);
    let scaled = Select::from(Relation::cte("tests"))
        .columns(TEST)
        .columns([
            "control_variant",
            "variant_value",
            "control_value",
            "standard_error",
            "degrees_of_freedom",
        ])
        .columns(["p_value", "ci_low", "ci_high"])
        .item(col("p_value") * larger, "scaled");
    let highest = call("max", [col("scaled")]).over(family(true));
    let difference = || col("variant_value") - col("control_value");
    // A control that is zero but for rounding, as CUPED leaves it, has no lift.
    let size = |side: &str| call("abs", [col(format!("{side}_value"))]);
    let is_there = size("control").greater((size("variant") + size("control")) * number(ROUNDING));
    let lift =
        case([(is_there, difference() / col("control_value"))], null()).cast(SqlType::Float64.nullable());
    Select::from(Query::from(scaled))
        .columns(TEST)
        .columns(["control_variant", "standard_error", "degrees_of_freedom", "p_value", "ci_low", "ci_high"])
        .item(col("variant_value"), "value")
        .columns(["control_value"])
        .item(difference(), "absolute_difference")
        .item(lift, "relative_lift")
        .item(col("standard_error") * number(EFFECT_PER_STANDARD_ERROR), "minimum_detectable_effect")
        .item(
            case([(call("isNull", [col("p_value")]), null())], call("least", [highest, int(1)])),
            "p_value_adjusted",
        )
        .into()
}
