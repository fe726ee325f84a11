//! Situations that figures were once wrong in, each small enough to count by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use integration_tests::days::{Line, dbt_project};
use integration_tests::world::{Finished, World};
use jiff::civil::Date;
use serde_json::{Value, json};

const TO_DOLLARS: &str = "from_currency,to_currency,valid_from,rate\nEUR,USD,2026-01-01,1.1\n";

/// A warehouse with days in it, and a dbt project with its own exchange rates.
struct Case {
    world: World,
    project: String,
}

impl Case {
    fn new(name: &str, rates: &str, lines: &[Line]) -> Case {
        let world = World::new(name);
        let project = dbt_project(&world, rates);
        let case = Case { world, project };
        case.load(lines);
        case
    }

    /// Loads events as the days they are of.
    fn load(&self, lines: &[Line]) {
        let mut days: BTreeMap<Date, String> = BTreeMap::new();
        for line in lines {
            let text = days.entry(line.date()).or_default();
            writeln!(text, "{line}").expect("writing to a string");
        }
        for (date, text) in days {
            let file = format!("{date}.jsonl");
            fs::write(self.world.path(&file), text).unwrap();
            self.world.load(&date.to_string(), &[&file]);
        }
    }

    /// Builds seeds and models, without their tests.
    fn try_build(&self, vars: &Value) -> Finished {
        let vars = vars.to_string();
        let models = ["build", "--resource-type", "model", "--resource-type", "seed"];
        self.world.try_dbt(&[&models[..], &["--project-dir", &self.project, "--vars", &vars]].concat())
    }

    fn build(&self, vars: &Value) {
        let finished = self.try_build(vars);
        assert_eq!(finished.code, 0, "{vars}:\n{}{}", finished.stdout, finished.stderr);
    }

    /// Value, control's value and warnings of one test for each variant but the control.
    fn test_of(&self, experiment: &str, metric: &str, method: &str) -> Vec<Value> {
        self.world.query(&format!(
            "SELECT variant, value, control_value, warnings FROM {{marts}}.fct_ab_test_results \
             WHERE experiment_id = '{experiment}' AND metric = '{metric}' AND method = '{method}' ORDER BY variant"
        ))
    }
}

fn lesson(user: &str, time: &str) -> Line {
    Line::new("lesson_opened", user, time, json!({ "lesson": 1 }))
}

fn assigned(experiment: &str, variant: &str, user: &str, time: &str) -> Line {
    Line::new("ab_test_assignment", user, time, json!({ "experiment_id": experiment, "variant": variant }))
}

fn purchase(user: &str, time: &str, id: &str, plan: &str, amount: &str, currency: &str) -> Line {
    let start = time[..10].parse::<Date>().unwrap();
    let end = integration_tests::marts::months_after(start, 1);
    let properties = json!({
        "purchase_id": id,
        "plan": plan,
        "amount": amount,
        "currency": currency,
        "period_start": start.to_string(),
        "period_end": end.to_string(),
    });
    Line::new("purchase", user, time, properties)
}

fn trial(user: &str, time: &str, id: &str, amount: &str) -> Line {
    let mut line = purchase(user, time, id, "monthly", amount, "USD");
    line.properties["is_trial"] = true.into();
    line
}

fn refund(user: &str, time: &str, id: &str, amount: &str) -> Line {
    Line::new("refund", user, time, json!({ "purchase_id": id, "amount": amount, "currency": "USD" }))
}

/// A window that ends before the seventh day told nobody active on it, or only those who came early that day.
#[test]
fn the_seventh_day_counts_whatever_the_window() {
    let mut lines = vec![lesson("later", "2026-03-05T12:00:00Z")];
    for (variant, hour) in [("control", "09"), ("b", "18")] {
        for number in 0..10 {
            let user = format!("{variant}{number}");
            lines.push(assigned("evening", variant, &user, "2026-02-01T10:00:00Z"));
            if number < 8 {
                lines.push(lesson(&user, &format!("2026-02-08T{hour}:00:00Z")));
            }
        }
    }
    let case = Case::new("seventh_day", TO_DOLLARS, &lines);
    for days in [3, 7, 14] {
        case.build(&json!({ "ab_window_days": days }));
        let found = case.test_of("evening", "retention_d7", "welch");
        assert_eq!(found, [json!(["b", 0.8, 0.8, ["few_users"]])], "a window of {days} days");
    }
    // A user's seventh day may be over while the window is not.
    let users =
        "SELECT metric, users FROM {marts}.fct_ab_test_results WHERE method = 'welch' ORDER BY metric";
    case.build(&json!({ "ab_window_days": 60 }));
    let expected = [("active_days", 0), ("conversion", 0), ("retention_d7", 10), ("revenue_per_user", 0)];
    assert_eq!(case.world.query(users)[..4], expected.map(|(metric, users)| json!([metric, users])));
}

/// A date of 25 hours holds a whole window of one: its first and last moments say nothing of what lies between.
#[test]
fn a_window_of_a_day_on_a_date_of_25_hours() {
    let mut lines = vec![lesson("later", "2026-10-30T12:00:00Z")];
    for number in 0..4 {
        for variant in ["control", "b"] {
            let user = format!("{variant}{number}");
            lines.push(lesson(&user, "2026-10-24T22:10:00Z"));
            lines.push(assigned("fall", variant, &user, "2026-10-24T22:30:00Z"));
            lines.push(lesson(&user, &format!("2026-10-25T12:0{number}:00Z")));
            if variant == "b" {
                lines.push(lesson(&user, "2026-10-25T22:45:00Z"));
            }
        }
    }
    let case = Case::new("long_date", TO_DOLLARS, &lines);
    for days in [1, 2] {
        case.build(&json!({ "ab_window_days": days, "reporting_timezone": "Europe/Berlin" }));
        for method in ["welch", "cuped"] {
            let found = case.test_of("fall", "active_days", method);
            let expected = json!(["b", 1, 1, ["few_users", "no_variance"]]);
            assert_eq!(found, [expected], "{method}, a window of {days} days");
        }
    }
}

/// Two users of a variant that should not be there were significant, and broke the sample ratio; and so did users whose
/// windows were not over.
#[test]
fn stray_variants_and_open_windows_alarm_nobody() {
    let mut lines = vec![lesson("later", "2026-01-31T12:00:00Z")];
    for number in 0..100 {
        for variant in ["control", "b"] {
            let user = format!("{variant}{number}");
            lines.push(assigned("stray", variant, &user, "2026-01-10T10:00:00Z"));
            if number < 30 {
                lines.push(purchase(&user, "2026-01-12T10:00:00Z", &format!("{user}-p"), "m", "1000", "INR"));
            }
        }
        if number < 50 {
            for (variant, day) in [("control", "10"), ("b", "10"), ("c", "25")] {
                let time = format!("2026-01-{day}T10:00:00Z");
                lines.push(assigned("third-arm", variant, &format!("arm-{variant}-{number}"), &time));
            }
        }
        if number < 2 {
            lines.push(assigned("stray", "undefined", &format!("stray{number}"), "2026-01-10T10:00:00Z"));
        }
    }
    let rates = "from_currency,to_currency,valid_from,rate\nINR,USD,2026-01-01,0.0117\n";
    let case = Case::new("stray", rates, &lines);
    case.build(&json!({}));
    let ratio = |experiment: &str| {
        let found = case.world.query(&format!(
            "SELECT DISTINCT srm_p_value FROM {{marts}}.fct_ab_test_results WHERE experiment_id = '{experiment}'"
        ));
        assert_eq!(found.len(), 1, "{experiment}");
        found[0][0].as_f64().unwrap()
    };
    assert!((ratio("third-arm") - 1.0).abs() < 1e-9);
    assert!((ratio("stray") / 2.2e-21 - 1.0).abs() < 0.05, "{}", ratio("stray"));
    let tested = "SELECT variant, users, standard_error, p_value, p_value_adjusted, warnings \
                  FROM {marts}.fct_ab_test_results WHERE experiment_id = 'stray' AND metric = 'conversion' \
                  AND method = 'welch' AND variant = 'undefined'";
    let warnings = ["few_users", "no_variance", "sample_ratio_mismatch"];
    assert_eq!(case.world.query(tested), [json!(["undefined", 2, null, null, null, warnings])]);
    // Where nobody tried a task, that is no lack of variance.
    let tasks = case.test_of("stray", "task_success_rate", "welch");
    assert_eq!(tasks[1], json!(["undefined", null, null, ["few_users", "sample_ratio_mismatch"]]));

    case.build(&json!({ "ab_expected_shares": { "stray": { "control": 0.5, "b": 0.5 } } }));
    assert!((ratio("stray") - 1.0).abs() < 1e-9);
    let found = case.test_of("stray", "conversion", "welch");
    let unexpected = ["few_users", "no_variance", "unexpected_variant"];
    assert_eq!(found, [json!(["b", 0.3, 0.3, []]), json!(["undefined", 0, 0.3, unexpected])]);
}

/// The refund of a trial's payment was subtracted, though the payment does not count; a refund that a support desk wrote
/// was nobody's; and a currency without a rate stopped activity, too.
#[test]
fn refunds_follow_their_purchase_and_missing_rates_stop_money_only() {
    let mut lines: Vec<Line> = ["a", "b", "c", "d"].map(|user| lesson(user, "2026-01-05T09:00:00Z")).into();
    lines.extend([
        trial("a", "2026-01-06T10:00:00Z", "a0", "1.00"),
        trial("b", "2026-01-06T10:00:00Z", "b0", "1.00"),
        refund("a", "2026-01-07T10:00:00Z", "a0", "1.00"),
        purchase("c", "2026-01-10T10:00:00Z", "c1", "monthly", "50.00", "USD"),
        refund("support-desk", "2026-01-11T10:00:00Z", "c1", "50.00"),
        purchase("b", "2026-01-13T10:00:00Z", "b1", "monthly", "10.00", "USD"),
        lesson("z", "2026-02-28T12:00:00Z"),
    ]);
    let case = Case::new("refunds", TO_DOLLARS, &lines);
    case.build(&json!({}));
    let revenue = "SELECT net_revenue, purchases, is_complete FROM {marts}.fct_revenue \
                   WHERE period = 'month' AND segment = 'overall' ORDER BY period_start";
    assert_eq!(case.world.query(revenue), [json!([10, 2, true]), json!([0, 0, true])]);
    let lifetime = "SELECT cumulative_net_revenue FROM {marts}.fct_ltv WHERE cohort_month = '2026-01-01'";
    assert_eq!(case.world.query(lifetime), [json!([10]), json!([10])]);

    case.load(&[
        lesson("a", "2026-03-01T10:00:00Z"),
        purchase("d", "2026-03-01T10:00:00Z", "d1", "monthly", "5", "XTS"),
    ]);
    let finished = case.try_build(&json!({}));
    assert_eq!(finished.code, 1);
    let event = "SELECT toString(event_id) FROM {raw}.purchases WHERE currency = 'XTS'";
    let event = case.world.query(event)[0][0].as_str().unwrap().to_owned();
    for said in [
        "There is no exchange rate to USD for",
        &format!("XTS on 2026-03-01: 1 row, such as the event {event}"),
        "Add rows to seeds/exchange_rates.csv (from_currency,to_currency,valid_from,rate)",
    ] {
        assert!(finished.stdout.contains(said), "{said}\n{}", finished.stdout);
    }
    let dau = "SELECT dau FROM {marts}.fct_activity_daily WHERE activity_date = '2026-03-01' AND segment = 'overall'";
    assert_eq!(case.world.query(dau), [json!([1])]);
    let built = case.world.query(
        "SELECT mart FROM {staging}.schoolbell_marts FINAL WHERE as_of_date = '2026-03-01' ORDER BY mart",
    );
    let built: Vec<&str> = built.iter().map(|row| row[0].as_str().unwrap()).collect();
    let without_money = [
        "fct_activity_daily",
        "fct_conversion",
        "fct_retention",
        "fct_subscription_retention",
        "fct_task_success_daily",
    ];
    assert_eq!(built, without_money);

    // The report says which figures are of the day before, and why.
    let report = case.world.succeed(&["report"]);
    for said in [
        r#""as_of":"2026-03-01""#,
        "fct_ab_test_results, fct_ltv, fct_revenue: only as of 2026-02-28",
        "failed: int_money",
    ] {
        assert!(report.contains(said), "{said}");
    }
}

/// Rates were cut to six decimals: small currencies were wrong by one to ten per cent, in silence.
#[test]
fn rates_have_twelve_decimals_and_none_is_cut() {
    let plans = [("VND", "vnd"), ("IDR", "idr"), ("LBP", "lbp")];
    let mut lines = vec![lesson("a", "2026-02-01T09:00:00Z")];
    for (currency, plan) in plans {
        lines.push(purchase(plan, "2026-02-01T10:00:00Z", plan, plan, "1000000000", currency));
    }
    let header = "from_currency,to_currency,valid_from,rate\n";
    let rates =
        "VND,USD,2026-01-01,0.00003925\nIDR,USD,2026-01-01,0.0000612\nLBP,USD,2026-01-01,0.00001117\n";
    let case = Case::new("decimals", &format!("{header}{rates}"), &lines);
    // A table of the seed as it was before its columns changed.
    case.world.query("CREATE DATABASE IF NOT EXISTS {staging}");
    case.world.query(
        "CREATE TABLE {staging}.exchange_rates (currency String, valid_from Date, rate Decimal(18, 6)) \
         ENGINE = MergeTree ORDER BY (currency, valid_from)",
    );
    case.build(&json!({}));
    let gross = "SELECT segment_value, gross_revenue FROM {marts}.fct_revenue \
                 WHERE period = 'day' AND segment = 'plan' ORDER BY segment_value";
    assert_eq!(
        case.world.query(gross),
        [json!(["idr", 61200]), json!(["lbp", 11170]), json!(["vnd", 39250])]
    );

    let seed = format!("{}/seeds/exchange_rates.csv", case.project);
    for (row, said) in [
        ("KWD,USD,2026-01-01,3.2500000000001", "the rate has 13 decimals, and at most 12 are kept"),
        ("KWD,USD,2026-02-30,3.25", "valid_from must be a date"),
        ("KWD,USD,2026-01-01,0.00", "the rate must be above 0"),
        ("KWD,USD,2026-01-01,3e2", "the rate must be a number above 0, written as digits around one point"),
        ("KWD,usd,2026-01-01,3.25", "to_currency must be three capital letters"),
    ] {
        fs::write(&seed, format!("{header}{rates}{row}\n")).unwrap();
        let finished = case.world.try_dbt(&["seed", "--project-dir", &case.project]);
        assert_eq!(finished.code, 1, "{row}");
        let said = format!("seeds/exchange_rates.csv, row 4 below the header ({row}): {said}");
        assert!(finished.stdout.contains(&said), "{said}\n{}", finished.stdout);
    }
    fs::write(&seed, "currency,valid_from,rate\nKWD,2026-01-01,3.25\n").unwrap();
    let finished = case.world.try_dbt(&["seed", "--project-dir", &case.project]);
    let said = "begins with currency,valid_from,rate; its first line must be from_currency,to_currency,valid_from,rate";
    assert!(finished.code == 1 && finished.stdout.contains(said), "{}", finished.stdout);
    // What was refused has changed nothing.
    assert_eq!(case.world.query("SELECT count() FROM {staging}.exchange_rates"), [json!([3])]);
}

/// Another reporting currency over the same rates only changed the label.
#[test]
fn another_currency_needs_rates_of_its_own() {
    let lines = [
        lesson("a", "2026-02-01T09:00:00Z"),
        purchase("a", "2026-02-01T10:00:00Z", "p", "m", "10", "USD"),
        purchase("b", "2026-02-01T11:00:00Z", "q", "m", "10", "EUR"),
    ];
    let rates = format!("{TO_DOLLARS}USD,KZT,2026-01-01,500\nEUR,KZT,2026-01-01,600.5\n");
    let case = Case::new("other_currency", &rates, &lines);
    let gross = "SELECT gross_revenue FROM {marts}.fct_revenue WHERE period = 'day' AND segment = 'overall'";
    for (currency, expected) in [("USD", 21), ("KZT", 11_005)] {
        case.build(&json!({ "reporting_currency": currency }));
        assert_eq!(case.world.query(gross), [json!([expected])], "{currency}");
    }
    // Never inverted, never chained.
    let finished = case.try_build(&json!({ "reporting_currency": "EUR" }));
    let said = "There is no exchange rate to EUR for\n";
    assert!(finished.code == 1 && finished.stdout.contains(said), "{}", finished.stdout);
    assert!(finished.stdout.contains("USD on 2026-02-01: 1 row, such as the event"), "{}", finished.stdout);
}

/// A payment provider told purchases twice, under other event ids and users.
#[test]
fn a_purchase_that_is_told_twice_counts_once() {
    let first = purchase("a", "2026-02-01T10:00:00Z", "p", "m", "10", "USD");
    let again = Line { event_id: 1, user: "provider".to_owned(), at: first.at + 1, ..first.clone() };
    let mut late = Line { event_id: 2, at: first.at + 2 * 86_400_000, ..first.clone() };
    late.platform = "web".to_owned();
    let renewal = purchase("a", "2026-03-01T10:00:00Z", "p", "m", "10", "USD");
    let case = Case::new(
        "told_twice",
        TO_DOLLARS,
        &[lesson("a", "2026-02-01T09:00:00Z"), first.clone(), again, late, renewal],
    );
    case.build(&json!({}));
    let revenue = "SELECT purchases, paying_users, gross_revenue FROM {marts}.fct_revenue \
                   WHERE period = 'month' AND segment = 'overall' ORDER BY period_start";
    assert_eq!(case.world.query(revenue), [json!([1, 1, 10]), json!([1, 1, 10])]);
    let counted = format!("{:032x}", first.event_id);
    let repeated = case.world.query(
        "SELECT purchase_id, period_start, period_end, event_id, user_id, batch_date, \
                replaceAll(toString(counted_event_id), '-', '') \
         FROM {staging}.stg_repeated_purchases ORDER BY event_time",
    );
    let id = |number: u8| format!("00000000-0000-0000-0000-{number:012}");
    let period = ["2026-02-01", "2026-03-01"];
    let expected = [("provider", 1, "2026-02-01"), ("a", 2, "2026-02-03")]
        .map(|(user, number, day)| json!(["p", period[0], period[1], id(number), user, day, counted]));
    assert_eq!(repeated, expected);
    assert_eq!(case.world.query("SELECT count() FROM {staging}.stg_purchases"), [json!([4])]);

    // The one that counted is taken back, and the next one counts.
    fs::write(case.world.path("less.jsonl"), lesson("a", "2026-02-01T09:00:00Z").to_string()).unwrap();
    case.world.load("2026-02-01", &["less.jsonl"]);
    case.build(&json!({}));
    let payers = "SELECT user_id, platform FROM {staging}.int_money ORDER BY event_time";
    assert_eq!(case.world.query(payers), [json!(["a", "web"]), json!(["a", ""])]);
}

/// West of UTC the newest day, cut off by the end of the last file, was always empty and called complete.
#[test]
fn west_of_utc_the_last_whole_day_is_the_one_before() {
    let mut lines = Vec::new();
    for day in 2..=12 {
        for user in 0..5 {
            // The evening before, in Los Angeles.
            lines.push(lesson(&format!("u{user}"), &format!("2026-02-{day:02}T04:00:00Z")));
        }
    }
    let case = Case::new("west", TO_DOLLARS, &lines);
    let zone = json!({ "reporting_timezone": "America/Los_Angeles" });
    case.build(&zone);
    let last = "SELECT activity_date, dau, dormant_users FROM {marts}.fct_activity_daily WHERE segment = 'overall' \
                ORDER BY activity_date DESC LIMIT 1";
    assert_eq!(case.world.query(last), [json!(["2026-02-11", 5, 0])]);
    let latest =
        "SELECT max(cohort_start + period_index) FROM {marts}.fct_retention WHERE cohort_period = 'day'";
    assert_eq!(case.world.query(latest), [json!(["2026-02-11"])]);
    case.build(&json!({ "reporting_timezone": "Asia/Tokyo" }));
    assert_eq!(case.world.query(last), [json!(["2026-02-12", 5, 0])]);

    let late = json!({ "reporting_timezone": "America/Los_Angeles", "as_of_date": "2026-02-12" });
    let finished = case.try_build(&late);
    let said = "The var as_of_date is '2026-02-12'; it must not be after 2026-02-11, the last date that had ended in \
                America/Los_Angeles by the end, in UTC, of the latest batch date loaded.";
    assert!(finished.code == 2 && finished.stdout.contains(said), "{} {}", finished.code, finished.stdout);
    assert_eq!(case.world.query(last), [json!(["2026-02-12", 5, 0])], "nothing was built");
}

/// A day that was loaded under a date far ahead, and taken back, must not leave all marts ending there.
#[test]
fn a_day_that_was_taken_back_is_no_last_date() {
    let lines = [lesson("a", "2026-03-01T09:00:00Z"), lesson("a", "2026-03-02T09:00:00Z")];
    let case = Case::new("taken_back", TO_DOLLARS, &lines);
    fs::write(case.world.path("more.jsonl"), lesson("b", "2026-03-02T10:00:00Z").to_string()).unwrap();
    case.world.load("2026-03-05", &["--allow-misdated", "more.jsonl"]);
    case.build(&json!({}));
    let last = "SELECT max(activity_date), count(DISTINCT activity_date), sum(dau) \
                FROM {marts}.fct_activity_daily WHERE segment = 'overall'";
    assert_eq!(case.world.query(last), [json!(["2026-03-05", 5, 3])]);
    case.world.succeed(&["unload", "--batch-date", "2026-03-05"]);
    case.build(&json!({}));
    assert_eq!(case.world.query(last), [json!(["2026-03-02", 2, 2])]);
}
