//! The whole path: months of nasty day files, loaded, built by dbt, equal a plain computation of the same lines.

use std::fs;

use event_generator::Plan;
use integration_tests::days::{Days, WindowEnd, dbt_project, exchange_rates, load};
use integration_tests::marts::{
    AbOptions, DayFile, Facts, Rates, ab_test_results, all_but_ab_tests, deduplicated, event_id_conflicts,
    last_ended, repeated_purchases,
};
use integration_tests::world::{World, repository};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde_json::json;

/// A way to build.
struct Build {
    zone: &'static str,
    currency: &'static str,
    week_start: Weekday,
    /// The last date that counts, else the latest day.
    as_of: Option<&'static str>,
    ab: AbOptions,
}

/// A zone with summer time, whose change falls into the days, west of UTC, where the last day is the one before; one
/// that is half an hour off, to a date that is past, with all else that can be chosen.
fn builds() -> [Build; 4] {
    let [first, second, third] = ["it's", "say \"hello\"", "`tick`"].map(str::to_owned);
    let shares = [(first.clone(), 0.5), (second.clone(), 0.3), (third.clone(), 0.2)];
    let all = AbOptions {
        window_days: 21,
        control_variants: [(first.clone(), third), (second, "\\".to_owned())].into(),
        expected_shares: [(first, shares.into())].into(),
        min_users: 2,
    };
    let build = |zone, currency| Build {
        zone,
        currency,
        week_start: Weekday::Monday,
        as_of: None,
        ab: AbOptions::default(),
    };
    [
        build("UTC", "USD"),
        Build { week_start: Weekday::Sunday, ..build("America/New_York", "EUR") },
        Build { as_of: Some("2026-04-30"), ab: all, ..build("Asia/Kolkata", "USD") },
        // The window ends before the seventh day.
        Build {
            as_of: Some("2026-03-31"),
            ab: AbOptions { window_days: 3, min_users: 0, ..AbOptions::default() },
            ..build("Europe/Berlin", "EUR")
        },
    ]
}

impl Build {
    fn vars(&self) -> String {
        let vars = json!({
            "reporting_timezone": self.zone,
            "reporting_currency": self.currency,
            "week_start": if self.week_start == Weekday::Sunday { "sunday" } else { "monday" },
            "as_of_date": self.as_of.unwrap_or_default(),
            "ab_window_days": self.ab.window_days,
            "ab_control_variants": self.ab.control_variants,
            "ab_expected_shares": self.ab.expected_shares,
            "ab_min_users": self.ab.min_users,
        });
        vars.to_string()
    }
}

#[test]
fn all_marts_are_what_a_plain_computation_says() {
    let world = World::new("marts");
    // From a January to a May, with a leap of the clock in March.
    let plan = Plan { reject_share: 0.02, ..Plan::new("2026-01-20".parse().unwrap(), 114, 110) };
    let rates = exchange_rates(&plan);
    let files = nasty_days(&world, &plan);
    let project = dbt_project(&world, &rates);

    for (number, build) in builds().iter().enumerate() {
        let vars = build.vars();
        // The data tests of a whole `build` once: they are the same for every var.
        let command: &[&str] = if number == 0 { &["build"] } else { &["run", "--full-refresh"] };
        world.dbt(&[command, &["--project-dir", &project, "--vars", &vars]].concat());

        let zone = TimeZone::get(build.zone).unwrap();
        let mut facts = Facts::new(&files, &zone, build.as_of.map(|date| date.parse().unwrap()));
        facts.week_start = build.week_start;
        let rates = Rates::from_csv(build.currency, &rates);
        let mut marts = all_but_ab_tests(&facts, &rates);
        marts.push(ab_test_results(&facts, &rates, &build.ab));
        for mart in &marts {
            assert!(mart.len() >= 10, "{} has {} rows", mart.name, mart.len());
            mart.assert_is_in(&world, &vars);
        }
        if number == 0 {
            documented_queries_answer(&world);
        }
    }
    staging_holds_each_event_once(&world, &files);
}

/// Loads the generator's days, three a file, with all that can go wrong with them; some days twice.
fn nasty_days(world: &World, plan: &Plan) -> Vec<DayFile> {
    let mut days = Days::generated(plan, 3);
    let latest: Date = *days.dates().last().unwrap();
    let ends = builds().map(|build| {
        let zone = TimeZone::get(build.zone).unwrap();
        let as_of = build.as_of.map_or_else(|| last_ended(latest, &zone), |date| date.parse().unwrap());
        WindowEnd { as_of, zone, window_days: build.ab.window_days }
    });
    // What a day held before it was replaced must leave no trace.
    for date in days.dates().into_iter().step_by(9) {
        load(world, &days.write(world, date, ".former"));
    }
    days.add_nasty_lines(1, 80, &ends);
    days.load(world)
}

/// The queries on sets of users that dbt/README.md has answer as a count of users' days does.
fn documented_queries_answer(world: &World) {
    let page = fs::read_to_string(repository().join("dbt/README.md")).unwrap();
    let queries: Vec<&str> =
        page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(queries.len(), 3);
    let staging = |sql: &str| sql.replace("staging.", "{staging}.");
    let [came_back, on_both, by_variant] =
        [queries[0], queries[1], &queries[2].replace("= 'pricing'", "!= ''")]
            .map(|sql| world.query(&staging(sql)));

    let of_ios = "SELECT user_id FROM {staging}.int_user_activity_daily \
                  WHERE platform = 'ios' AND activity_date BETWEEN '2026-03-02' AND '2026-03-08'";
    let expected = world.query(&format!(
        "SELECT (SELECT uniqExact(user_id) FROM ({of_ios})), uniqExact(user_id) \
         FROM {{staging}}.int_user_activity_daily \
         WHERE activity_date BETWEEN '2026-03-09' AND '2026-03-15' AND user_id IN ({of_ios})"
    ));
    assert_eq!(came_back, expected);
    let expected = world.query(
        "SELECT activity_date, countIf(has(platforms, 'ios')), countIf(has(platforms, 'web')), \
         countIf(hasAll(platforms, ['ios', 'web'])) \
         FROM (SELECT activity_date, groupArray(platform) AS platforms \
         FROM {staging}.int_user_activity_daily GROUP BY activity_date, user_id) \
         GROUP BY activity_date ORDER BY activity_date",
    );
    assert_eq!(on_both, expected);
    let of_first_days = by_variant.iter().filter(|row| row[1] == 0);
    assert!(of_first_days.clone().count() > 1, "several variants: {by_variant:?}");
    assert!(
        of_first_days.clone().all(|row| row[2] == row[3]),
        "all are there on their first day: {by_variant:?}"
    );
}

/// Every staging table has exactly the rows that a plain deduplication keeps, and the conflicts are listed.
fn staging_holds_each_event_once(world: &World, files: &[DayFile]) {
    for table in ["events", "purchases", "task_results", "sessions", "ab_test_assignments"] {
        let kept = deduplicated(files).into_iter().filter(|(_, row)| row.table == table);
        let mut expected: Vec<(String, u64)> =
            kept.map(|(file, row)| (file.source.clone(), row.line)).collect();
        expected.sort();
        let found = world.query(&format!(
            "SELECT source_file, source_line FROM {{staging}}.stg_{table} ORDER BY source_file, source_line"
        ));
        let found: Vec<(String, u64)> =
            found.iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap())).collect();
        assert_eq!(found, expected, "{table}");
        let arrived = files.iter().flat_map(|file| &file.rows).filter(|row| row.table == table).count();
        assert!(arrived > expected.len(), "no {table} came twice");
    }
    let found = world.query(
        "SELECT toString(event_id), table_name, user_id, toUnixTimestamp64Milli(event_time) \
         FROM {staging}.stg_event_id_conflicts ORDER BY ALL",
    );
    let mut expected: Vec<serde_json::Value> = event_id_conflicts(files)
        .into_iter()
        .map(|(id, table, user, at)| json!([id, table, user, at]))
        .collect();
    expected.sort_by_key(ToString::to_string);
    let mut found = found;
    found.sort_by_key(ToString::to_string);
    assert!(expected.len() > 50, "only {} conflicts", expected.len());
    assert_eq!(found, expected);

    let found = world.query(
        "SELECT toString(event_id), user_id, toUnixTimestamp64Milli(event_time), toString(counted_event_id) \
         FROM {staging}.stg_repeated_purchases ORDER BY ALL",
    );
    let mut expected: Vec<serde_json::Value> = repeated_purchases(files)
        .into_iter()
        .map(|(id, user, at, counted)| json!([id, user, at, counted]))
        .collect();
    expected.sort_by_key(ToString::to_string);
    let mut found = found;
    found.sort_by_key(ToString::to_string);
    assert!(expected.len() > 10, "only {} repeated purchases", expected.len());
    assert_eq!(found, expected);
}

#[test]
fn a_warehouse_without_a_day_builds_empty_marts() {
    let mut world = World::new("no_day");
    // Here, once for all, the unit tests run as well.
    world.set("SCHOOLBELL_UNIT_TESTS", "1");
    let built = world.try_dbt(&["build"]);
    assert_eq!(built.code, 0, "{}{}", built.stdout, built.stderr);
    assert!(built.stdout.contains(" unit tests"), "{}", built.stdout);
    let facts = Facts::new(&[], &TimeZone::UTC, None);
    for mart in all_but_ab_tests(&facts, &Rates::from_csv("USD", "")) {
        assert!(mart.is_empty());
        mart.assert_is_in(&world, "without a day");
    }
}
