//! The whole path: generated day files, loaded, built by dbt, equal a plain computation of the same lines.

use std::fs;

use event_generator::{Layout, Plan, write_files};
use integration_tests::activity::{ActivityDay, DayFile, activity_daily, deduplicated};
use integration_tests::reference::{self, Options};
use integration_tests::world::World;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Loads every day in that order and answers the lines as the reference reads them.
fn load_days(
    world: &World,
    plan: &Plan,
    order: impl Fn(&mut Vec<event_schema::value::Date>),
) -> Vec<DayFile> {
    write_files(plan, &world.folder().join("days"), Layout::default(), |_| ()).unwrap();
    let mut days: Vec<_> = plan.dates().collect();
    order(&mut days);
    days.iter()
        .map(|day| {
            let source = format!("days/{day}.jsonl");
            world.load(&day.to_string(), &["--max-reject-ratio", "0.5", &source]);
            let (year, month, of_month) = day.ymd();
            let bytes = fs::read(world.path(&source)).unwrap();
            let rows = reference::read(&bytes, &Options::for_date((year, month, of_month))).rows;
            DayFile { batch_date: day.to_string().parse().unwrap(), source, rows }
        })
        .collect()
}

fn mart(world: &World) -> Vec<ActivityDay> {
    world
        .query(
            "SELECT activity_date, segment, segment_value, dau, wau, mau, is_mau_window_full, new_users, \
                    returning_users, resurrected_users, dormant_users, dau_wau, dau_mau, wau_mau \
             FROM {marts}.fct_activity_daily ORDER BY activity_date, segment, segment_value",
        )
        .iter()
        .map(|row| {
            let count = |column: usize| row[column].as_u64().unwrap();
            for (column, part, whole) in [(11, 3, 4), (12, 3, 5), (13, 4, 5)] {
                let ratio = (count(whole) > 0).then(|| count(part) as f64 / count(whole) as f64);
                assert_eq!(row[column].as_f64(), ratio, "{row}");
            }
            ActivityDay {
                date: row[0].as_str().unwrap().parse().unwrap(),
                segment: ["overall", "platform", "country"]
                    .into_iter()
                    .find(|segment| row[1] == *segment)
                    .unwrap_or_else(|| panic!("{row}")),
                value: row[2].as_str().unwrap().to_owned(),
                active: [count(3), count(4), count(5)],
                is_mau_window_full: row[6] == Value::Bool(true),
                lifecycle: [count(7), count(8), count(9), count(10)],
            }
        })
        .collect()
}

#[test]
fn activity_is_what_a_plain_computation_says_in_every_time_zone() {
    let world = World::new("activity");
    let plan = Plan { reject_share: 0.02, ..Plan::new("2026-02-10".parse().unwrap(), 40, 150) };
    let files = load_days(&world, &plan, |days| days.reverse());

    let mut marts = Vec::new();
    for zone in ["UTC", "Asia/Almaty"] {
        world.dbt(&["build", "--vars", &format!("{{reporting_timezone: {zone}}}")]);
        let expected = activity_daily(&files, &TimeZone::get(zone).unwrap());
        let found = mart(&world);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{zone}");
        }
        assert_eq!(found.len(), expected.len(), "{zone}");
        marts.push(found);
    }

    staging_holds_each_event_once(&world, &files);

    // The data makes the comparison worth something.
    let overall: Vec<&ActivityDay> = marts[0].iter().filter(|day| day.segment == "overall").collect();
    let last: Date = overall.last().unwrap().date;
    assert_eq!(last.to_string(), "2026-03-21");
    assert!(overall.iter().any(|day| day.is_mau_window_full) && !overall[0].is_mau_window_full);
    for kind in 0..4 {
        assert!(overall.iter().any(|day| day.lifecycle[kind] > 0), "nobody of kind {kind}");
    }
    assert!(marts[0].iter().any(|day| day.segment == "country" && day.value.is_empty()));
    assert_ne!(marts[0], marts[1]);
}

/// Every staging table has exactly the rows that a plain deduplication keeps.
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
        let arrived: usize =
            files.iter().flat_map(|file| &file.rows).filter(|row| row.table == table).count();
        println!("{table}: {arrived} rows arrived, {} events", expected.len());
    }
}

#[test]
fn a_warehouse_without_a_day_builds_empty_marts() {
    let world = World::new("no_day");
    world.dbt(&["build"]);
    assert!(mart(&world).is_empty());
}
