//! Published examples, and examples worked out by hand, as events: the marts say what the books say.

use integration_tests::days::{Days, Line};
use integration_tests::marts::{
    AbOptions, Cell, Facts, Rates, ab_test_results, retention, subscription_retention,
};
use integration_tests::world::World;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde_json::json;

#[test]
fn marts_say_what_the_books_say() {
    let mut days = Days::default();
    // The last date counts: it is the latest batch date.
    let as_of = date(2026, 3, 30);
    for day in [date(2026, 1, 15), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), as_of] {
        days.lines_mut(day);
    }
    let examples = [returning_users(), sleep(), anscombe(), far_apart(), foretold(), subscriptions()];
    for line in examples.iter().flatten() {
        days.add(line);
    }
    let world = World::new("books");
    let files = days.load(&world);
    let facts = Facts::new(&files, &TimeZone::UTC, None);
    let rates = Rates::from_csv("USD", "");

    let retention = retention(&facts);
    let first = [Cell::text("day"), Cell::Date(date(2026, 2, 1)), Cell::text("overall")];
    let rates_of = |name: &str| retention.column(name, &first);
    for (index, retained, rolling) in [(0, 1.0, 1.0), (1, 0.25, 0.75), (7, 0.5, 0.5), (30, 0.25, 0.25)] {
        assert_eq!(rates_of("retention_rate")[index], &Cell::Rate(Some(retained)), "day {index}");
        assert_eq!(rates_of("rolling_retention_rate")[index], &Cell::Rate(Some(rolling)), "day {index}");
    }
    let tests = ab_test_results(&facts, &rates, &AbOptions::default());
    let revenue = |experiment: &str, method: &str, name: &str| {
        let key = [Cell::text(experiment), Cell::text("revenue_per_user"), Cell::text(method)];
        match tests.column(name, &key)[..] {
            [Cell::Statistic(Some(value), _)] => *value,
            ref other => panic!("{name} is {other:?}"),
        }
    };
    // As R prints t.test(extra ~ group, data = sleep), the other way round.
    for (name, published) in [
        ("control_value", "0.75"),
        ("value", "2.33"),
        ("ci_low", "-0.2054832"),
        ("ci_high", "3.3654832"),
        ("degrees_of_freedom", "17.776"),
        ("p_value", "0.07939"),
    ] {
        assert_published(published, revenue("sleep", "welch", name), name);
    }
    // Anscombe's slope is 55.01 / 110; what is left of each mean is plain arithmetic from there.
    let theta = 55.01 / 110.0;
    for (name, known) in [
        ("control_value", 49.67 / 6.0 - theta * (65.0 / 6.0 - 9.0)),
        ("value", 32.84 / 5.0 - theta * (34.0 / 5.0 - 9.0)),
    ] {
        assert_near(known, revenue("anscombe", "cuped", name), name);
    }
    assert_near(32.84 / 5.0 - 49.67 / 6.0, revenue("anscombe", "welch", "absolute_difference"), "difference");
    // What is left of users who do three times what they did before is rounding, and no spread.
    let foretold = [Cell::text("foretold"), Cell::text("revenue_per_user"), Cell::text("cuped")];
    assert!(matches!(tests.column("standard_error", &foretold)[..], [Cell::Statistic(None, _)]));
    let subscriptions = subscription_retention(&facts, 0);
    for (segment, value, expected) in [
        // Cohort, eligible and retained subscribers of months 0, 1 and 2.
        ("overall", "", &[[3, 3, 3], [3, 3, 2], [3, 1, 1]][..]),
        ("plan", "monthly", &[[2, 2, 2], [2, 2, 1]]),
        ("plan", "yearly", &[[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
    ] {
        let key = [Cell::Date(date(2026, 1, 1)), Cell::text(segment), Cell::text(value)];
        for (place, name) in
            ["cohort_subscribers", "eligible_subscribers", "retained_subscribers"].iter().enumerate()
        {
            let expected: Vec<Cell> = expected.iter().map(|month| Cell::Count(month[place])).collect();
            let found: Vec<Cell> = subscriptions.column(name, &key).into_iter().cloned().collect();
            assert_eq!(found, expected, "{name} of {segment} {value}");
        }
    }

    world.dbt(&["build"]);
    let found = world.query(
        "SELECT p_value, ci_low, ci_high FROM {marts}.fct_ab_test_results \
         WHERE experiment_id = 'far_apart' AND metric = 'revenue_per_user' AND method = 'welch'",
    );
    for (place, name) in ["p_value", "ci_low", "ci_high"].iter().enumerate() {
        let (found, known) = (found[0][place].as_f64().unwrap(), revenue("far_apart", "welch", name));
        assert!((found / known - 1.0).abs() < 1e-6, "{name} is {found}, by scipy {known}");
    }
    for mart in [retention, tests, subscriptions] {
        mart.assert_is_in(&world, "on worked examples");
    }
}

/// Agrees to all digits that were printed.
fn assert_published(published: &str, found: f64, what: &str) {
    let places = published.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    assert_eq!(published, format!("{found:.places$}"), "{what}");
}

fn assert_near(known: f64, found: f64, what: &str) {
    assert!((known - found).abs() < 1e-12, "{what} is {found}, not {known}");
}

/// N-day against unbounded retention: the users of the course "Product Analytics for Beginners" (Codefinity,
/// "Retention Analysis") as (user, day of activity). It gives 25 % for day 1 and 50 % for day 7 by either
/// definition, and 25 % for day 30; day 1 or later is three of four by its own function. User 4, who has no day 0
/// there, is of the cohort of day 1 here.
fn returning_users() -> Vec<Line> {
    let active = [(1, 0), (1, 7), (2, 0), (2, 1), (3, 0), (4, 1), (5, 0), (5, 7), (5, 30)];
    let line = |(user, day): (u32, i64)| {
        let day = integration_tests::marts::days_after(date(2026, 2, 1), day);
        Line::new("lesson_opened", &format!("u{user}"), &format!("{day}T12:00:00Z"), json!({}))
    };
    active.into_iter().map(line).collect()
}

/// Welch: the additional hours of sleep of Student ("The probable error of a mean", 1908), which R has as `sleep`,
/// as the net revenue of users.
fn sleep() -> Vec<Line> {
    let first = ["0.7", "-1.6", "-0.2", "-1.2", "-0.1", "3.4", "3.7", "0.8", "0.0", "2.0"];
    let second = ["1.9", "0.8", "1.1", "0.1", "-0.1", "4.4", "5.5", "1.6", "4.6", "3.4"];
    let mut lines = Vec::new();
    for (variant, hours) in [("control", first), ("treatment", second)] {
        for (number, hours) in hours.iter().enumerate() {
            let user = format!("sleeper-{variant}-{number}");
            lines.push(assignment(&user, "sleep", variant));
            lines.push(money(&user, "2026-02-21T08:00:00Z", hours));
        }
    }
    lines
}

/// CUPED: the first of Anscombe's quartets ("Graphs in statistical analysis", 1973), x as revenue before the
/// assignment and y after it. Its regression is y = 3.00 + 0.500 x.
fn anscombe() -> Vec<Line> {
    let points = [
        ("10", "8.04"),
        ("8", "6.95"),
        ("13", "7.58"),
        ("9", "8.81"),
        ("11", "8.33"),
        ("14", "9.96"),
        ("6", "7.24"),
        ("4", "4.26"),
        ("12", "10.84"),
        ("7", "4.82"),
        ("5", "5.68"),
    ];
    let mut lines = Vec::new();
    for (number, (x, y)) in points.iter().enumerate() {
        let user = format!("point-{number}");
        lines.push(assignment(&user, "anscombe", if number < 6 { "control" } else { "treatment" }));
        lines.push(money(&user, "2026-02-10T08:00:00Z", x));
        lines.push(money(&user, "2026-02-21T08:00:00Z", y));
    }
    lines
}

/// A hundred million against one, give or take one: sums of squares have no digit left of the spread.
fn far_apart() -> Vec<Line> {
    let mut lines = Vec::new();
    for (variant, amounts) in
        [("control", ["0.5", "1.0", "1.5"]), ("treatment", ["100000000", "100000001", "100000002"])]
    {
        for (number, amount) in amounts.iter().enumerate() {
            let user = format!("far-{variant}-{number}");
            lines.push(assignment(&user, "far_apart", variant));
            lines.push(money(&user, "2026-02-21T08:00:00Z", amount));
        }
    }
    lines
}

/// Each user's net revenue after the assignment is a third of that before it, and all together have none.
fn foretold() -> Vec<Line> {
    let mut lines = Vec::new();
    for variant in ["control", "treatment"] {
        for (number, [before, after]) in
            [["15", "5"], ["-15", "-5"], ["29.97", "9.99"], ["-29.97", "-9.99"]].iter().enumerate()
        {
            let user = format!("foretold-{variant}-{number}");
            lines.push(assignment(&user, "foretold", variant));
            lines.push(money(&user, "2026-02-10T08:00:00Z", before));
            lines.push(money(&user, "2026-02-21T08:00:00Z", after));
        }
    }
    lines
}

fn assignment(user: &str, experiment: &str, variant: &str) -> Line {
    let properties = json!({ "experiment_id": experiment, "variant": variant });
    Line::new("ab_test_assignment", user, "2026-02-20T12:00:00Z", properties)
}

/// A purchase, or a refund where the amount is negative.
fn money(user: &str, time: &str, amount: &str) -> Line {
    if let Some(amount) = amount.strip_prefix('-') {
        let properties =
            json!({ "purchase_id": format!("{user}-before"), "amount": amount, "currency": "USD" });
        return Line::new("refund", user, time, properties);
    }
    // Long over, so that these are in nobody else's cohort.
    purchase(user, time, "once", amount, [date(2025, 1, 1), date(2025, 2, 1)])
}

fn purchase(user: &str, time: &str, plan: &str, amount: &str, period: [Date; 2]) -> Line {
    let properties = json!({
        "purchase_id": format!("{user} {time}"),
        "plan": plan,
        "amount": amount,
        "currency": "USD",
        "period_start": period[0].to_string(),
        "period_end": period[1].to_string(),
    });
    Line::new("purchase", user, time, properties)
}

/// Subscriptions by hand, seen on 2026-03-30. From January there are three subscribers:
/// - Ann renews at the clipped month's end: on 28 February she is in her second period, and her month 2 would be
///   31 March;
/// - Ben got half of his back, which is not all, and did not renew: his period ended on that very 28 February;
/// - Cleo's year began on the 15th, and her month 2 has come.
///
/// Dan got all of his back in two parts and is no subscriber, Eve tried in January and paid from February on.
fn subscriptions() -> Vec<Line> {
    let end = |month: i8| date(2026, month, 1).last_of_month();
    let refund = |user: &str, of: &str, time: &str, amount: &str| {
        let properties =
            json!({ "purchase_id": format!("{user} {of}"), "amount": amount, "currency": "USD" });
        Line::new("refund", user, time, properties)
    };
    let bought = "2026-01-31T10:00:00Z";
    let mut trial = purchase("Eve", bought, "monthly", "0", [end(1), date(2026, 2, 7)]);
    trial.properties["is_trial"] = true.into();
    vec![
        purchase("Ann", bought, "monthly", "10", [end(1), end(2)]),
        purchase("Ann", "2026-02-28T10:00:00Z", "monthly", "10", [end(2), end(3)]),
        purchase("Ben", bought, "monthly", "10", [end(1), end(2)]),
        refund("Ben", bought, "2026-02-10T10:00:00Z", "5"),
        purchase("Cleo", "2026-01-15T10:00:00Z", "yearly", "99.99", [date(2026, 1, 15), date(2027, 1, 15)]),
        purchase("Dan", bought, "monthly", "9.99", [end(1), end(2)]),
        refund("Dan", bought, "2026-02-01T10:00:00Z", "3.33"),
        refund("Dan", bought, "2026-02-02T10:00:00Z", "6.66"),
        trial,
        purchase("Eve", "2026-02-07T10:00:00Z", "monthly", "10", [date(2026, 2, 7), date(2026, 3, 7)]),
    ]
}
