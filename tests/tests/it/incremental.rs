//! After any sequence of loads, the daily `dbt build` leaves every mart equal to a full refresh, byte for byte.
//!
//! `SCHOOLBELL_SEQUENCES` is how many sequences are tried (1), `SCHOOLBELL_SEQUENCE_SEED` the seed of the first. Without
//! them the same sequence is tried each time; a failure names its own.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use event_generator::Plan;
use fastrand::Rng;
use integration_tests::days::{Days, WindowEnd, dbt_project, exchange_rates, load, with_other_rates};
use integration_tests::marts::{
    AbOptions, DayFile, Facts, Rates, ab_test_results, all_but_ab_tests, last_ended,
};
use integration_tests::world::World;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// Builds of a sequence, the first of which makes the tables.
const BUILDS: usize = 3;
/// In the last one a day of April has no midnight.
const ZONES: [&str; 4] = ["UTC", "Asia/Kolkata", "America/St_Johns", "Africa/Cairo"];

#[test]
fn every_sequence_of_loads_builds_what_a_full_refresh_does() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let first = number("SCHOOLBELL_SEQUENCE_SEED").unwrap_or(61_878);
    for seed in first..first + number("SCHOOLBELL_SEQUENCES").unwrap_or(1) {
        println!("SCHOOLBELL_SEQUENCE_SEED={seed}");
        Sequence::drawn(seed).run();
    }
}

/// What is loaded between two builds, and how it is built.
struct Sequence {
    seed: u64,
    rng: Rng,
    plan: Plan,
    days: Days,
    zone: &'static str,
    currency: &'static str,
    week_start: &'static str,
    /// Each as the date and what of its lines is loaded.
    steps: Vec<Vec<(Date, Version)>>,
    /// What was done, for the report of a failure.
    story: String,
}

/// What of a day's lines is loaded.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    Whole,
    /// Every other line or so.
    Half,
    /// No line at all.
    Empty,
    /// Its own lines, and some of another day's.
    Mixed,
}

impl Sequence {
    fn drawn(seed: u64) -> Sequence {
        let mut rng = Rng::with_seed(seed);
        let start = ["2026-01-25", "2026-02-12", "2026-03-20"][rng.usize(..3)];
        let plan = Plan { seed, ..Plan::new(start.parse().unwrap(), 26, 30) };
        let mut days = Days::generated(&plan, 2);
        let latest = *days.dates().last().unwrap();
        let zone = ZONES[rng.usize(..ZONES.len())];
        let time_zone = TimeZone::get(zone).unwrap();
        let end = WindowEnd { as_of: last_ended(latest, &time_zone), zone: time_zone, window_days: 14 };
        days.add_nasty_lines(seed, 25, &[end]);

        let mut dates = days.dates();
        if rng.bool() {
            rng.shuffle(&mut dates);
        }
        let mut steps: Vec<Vec<(Date, Version)>> = Vec::new();
        for step in 0..BUILDS {
            let from = dates.len() * step / BUILDS;
            let to = dates.len() * (step + 1) / BUILDS;
            let mut loads: Vec<Date> = dates[from..to].to_vec();
            // Some of those before come again, as something else or the same.
            for _ in 0..rng.usize(..4) {
                loads.push(dates[rng.usize(..to)]);
            }
            let version = |rng: &mut Rng| match rng.u8(..10) {
                0 => Version::Empty,
                1 | 2 => Version::Half,
                3 => Version::Mixed,
                _ => Version::Whole,
            };
            steps.push(loads.into_iter().map(|date| (date, version(&mut rng))).collect());
        }
        let currency = ["USD", "EUR"][rng.usize(..2)];
        let week_start = ["monday", "sunday"][rng.usize(..2)];
        let story =
            format!("SCHOOLBELL_SEQUENCE_SEED={seed}: {zone}, {currency}, {week_start}, from {start}");
        Sequence { seed, rng, plan, days, zone, currency, week_start, steps, story }
    }

    fn run(mut self) {
        let world = World::new(&format!("daily_{}", self.seed));
        let mut rates = exchange_rates(&self.plan);
        let project = dbt_project(&world, &rates);
        let vars = format!(
            "{{reporting_timezone: {}, reporting_currency: {}, week_start: {}}}",
            self.zone, self.currency, self.week_start
        );
        let build = ["build", "--project-dir", &project, "--vars", &vars];

        // What holds of each date.
        let mut files: BTreeMap<Date, DayFile> = BTreeMap::new();
        for (number, step) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            writeln!(self.story, "\nbuild {number} after {step:?}").unwrap();
            for (date, version) in step {
                let file = self.version_of(date, version, number).write(&world, date, &format!(".{number}"));
                load(&world, &file);
                files.insert(date, file);
            }
            if self.rng.u8(..3) == 0 {
                write!(self.story, ", with other exchange rates").unwrap();
                rates = with_other_rates(&rates, &mut self.rng);
                fs::write(format!("{project}/seeds/exchange_rates.csv"), &rates).unwrap();
            }
            world.dbt(&build);
            let files: Vec<DayFile> = files.values().cloned().collect();
            self.assert_marts_are_right(&world, &files, &rates);
        }

        let full = World::new(&format!("full_{}", self.seed));
        for file in files.values() {
            fs::copy(world.path(&file.source), full.path(&file.source)).unwrap();
            load(&full, file);
        }
        // Many slices of history, where the daily builds began with one.
        let vars = vars.replace('}', ", build_slice_rows: 300}");
        full.dbt(&["build", "--project-dir", &project, "--full-refresh", "--vars", &vars]);
        let marts = full.query("SELECT table FROM system.tables WHERE database = '{marts}' ORDER BY table");
        assert!(!marts.is_empty());
        for mart in marts {
            let mart = mart[0].as_str().unwrap();
            let (daily, refreshed) = (world.exported(mart), full.exported(mart));
            let other = daily.lines().zip(refreshed.lines()).find(|(daily, refreshed)| daily != refreshed);
            assert!(
                daily == refreshed,
                "{mart}, built daily, is not what a full refresh makes: {other:#?}, {} rows and {}; {}",
                daily.lines().count(),
                refreshed.lines().count(),
                self.story
            );
        }
    }

    fn version_of(&mut self, date: Date, version: Version, step: usize) -> Days {
        let mut days = self.days.clone();
        let dates = days.dates();
        let other = dates[self.rng.usize(..dates.len())];
        let others: Vec<String> = days.lines_mut(other).iter().step_by(5).cloned().collect();
        let lines = days.lines_mut(date);
        match version {
            Version::Whole => {}
            Version::Half => {
                let half = step.is_multiple_of(2);
                lines.retain(|line| (line.len() % 2 == 0) == half);
            }
            Version::Empty => lines.clear(),
            Version::Mixed => lines.extend(others),
        }
        days
    }

    fn assert_marts_are_right(&self, world: &World, files: &[DayFile], rates: &str) {
        let zone = TimeZone::get(self.zone).unwrap();
        let mut facts = Facts::new(files, &zone, None);
        facts.week_start = if self.week_start == "sunday" { Weekday::Sunday } else { Weekday::Monday };
        let rates = Rates::from_csv(self.currency, rates);
        let mut marts = all_but_ab_tests(&facts, &rates);
        marts.push(ab_test_results(&facts, &rates, &AbOptions::default()));
        for mart in &marts {
            mart.assert_is_in(world, &self.story);
        }
    }
}
