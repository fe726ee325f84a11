//! Day files for tests of the whole path: generated ones, made [`nasty`](Days::add_nasty_lines), written,
//! and read plainly.

mod customers;
mod experiments;
mod hostile;
mod line;
mod nasty;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use event_generator::{Generator, Plan, exchange_rates_csv};
use jiff::civil::Date;

use crate::marts::DayFile;
use crate::reference::{self, Options};
use crate::world::World;

pub use experiments::WindowEnd;
pub use hostile::hostile_names;
pub use line::Line;

/// The lines of day files, by their batch date.
#[derive(Debug, Clone, Default)]
pub struct Days {
    lines: BTreeMap<Date, Vec<String>>,
}

impl Days {
    /// The generator's days. A file holds the lines of so many days, and is dated on the last of them.
    ///
    /// # Panics
    /// Where the plan cannot be carried out.
    pub fn generated(plan: &Plan, days_a_file: usize) -> Days {
        let generator = Generator::new(plan.clone()).expect("the plan can be carried out");
        let dates: Vec<_> = plan.dates().collect();
        let mut days = Days::default();
        for dates in dates.chunks(days_a_file) {
            let mut bytes = Vec::new();
            for date in dates {
                generator.write_day(*date, 0, 1, &mut bytes).expect("memory takes all lines");
            }
            // What is not UTF-8 is rejected with or without this.
            let text = String::from_utf8_lossy(&bytes);
            let batch_date = dates[dates.len() - 1].to_string().parse().expect("a date");
            days.lines.insert(batch_date, text.lines().map(str::to_owned).collect());
        }
        days
    }

    /// The batch dates, in order.
    pub fn dates(&self) -> Vec<Date> {
        self.lines.keys().copied().collect()
    }

    /// The lines of a batch date, which is added where it is missing.
    pub fn lines_mut(&mut self, batch_date: Date) -> &mut Vec<String> {
        self.lines.entry(batch_date).or_default()
    }

    /// Adds a line to its day's file, or, where that is missing, to the next or last one.
    ///
    /// # Panics
    /// Where there is no file at all.
    pub fn add(&mut self, line: &Line) {
        let date = line.date();
        let batch_date = self.lines.keys().find(|batch_date| **batch_date >= date);
        let batch_date = batch_date.or(self.lines.keys().next_back()).expect("there is a file");
        self.lines_mut(*batch_date).push(line.to_string());
    }

    /// Writes a batch date's file and answers its name, relative to the world's folder, and its rows.
    ///
    /// # Panics
    /// Where it cannot be written, or there is no such date.
    pub fn write(&self, world: &World, batch_date: Date, version: &str) -> DayFile {
        let source = format!("{batch_date}{version}.jsonl");
        let mut text = self.lines[&batch_date].join("\n");
        text.push('\n');
        fs::write(world.path(&source), &text).expect("the test's folder takes files");
        day_file(batch_date, source, text.as_bytes())
    }

    /// Writes and loads every day's file, in order, and answers their rows.
    ///
    /// # Panics
    /// Where one cannot be written or loaded.
    pub fn load(&self, world: &World) -> Vec<DayFile> {
        let load = |date: &Date| {
            let file = self.write(world, *date, "");
            load(world, &file);
            file
        };
        self.lines.keys().map(load).collect()
    }
}

/// A source's rows as the plain reference reads them.
pub fn day_file(batch_date: Date, source: String, bytes: &[u8]) -> DayFile {
    let date = (batch_date.year().into(), batch_date.month() as u32, batch_date.day() as u32);
    DayFile { batch_date, source, rows: reference::read(bytes, &Options::for_date(date)).rows }
}

/// Loads a file that was written, whatever it holds.
///
/// # Panics
/// Where it is not committed.
pub fn load(world: &World, file: &DayFile) {
    world.load(
        &file.batch_date.to_string(),
        &["--allow-empty", "--allow-misdated", "--max-reject-ratio", "0.9", &file.source],
    );
}

/// Exchange rates for a plan's money and for the nasty lines' around it, to US dollars and to euros: the generator's,
/// and for each currency one for the time before. Those to euros have twelve decimals. That of a currency to itself is
/// not 1, so it matters that no rate is taken there.
pub fn exchange_rates(plan: &Plan) -> String {
    let generated = exchange_rates_csv(plan).replace("1.000000", "0.913370");
    let mut lines: Vec<String> = generated.lines().map(str::to_owned).collect();
    let currencies: BTreeSet<String> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(',').map(|(currency, _)| currency.to_owned()))
        .collect();
    for (place, currency) in currencies.iter().enumerate() {
        lines.push(format!("{currency},USD,2000-01-01,1.{:06}", place * 12_347 + 1));
    }
    let to_euros: Vec<String> =
        lines[1..].iter().map(|line| format!("{}712345", line.replace(",USD,", ",EUR,"))).collect();
    lines.extend(to_euros);
    lines.join("\n") + "\n"
}

/// The same rates, one of them or two otherwise.
///
/// # Panics
/// Where there is no rate.
pub fn with_other_rates(exchange_rates: &str, rng: &mut fastrand::Rng) -> String {
    let mut lines: Vec<String> = exchange_rates.lines().map(str::to_owned).collect();
    for _ in 0..2 {
        let place = rng.usize(1..lines.len());
        let (key, _) = lines[place].rsplit_once(',').expect("a rate stands last");
        lines[place] = format!("{key},{}.{:06}", rng.u8(..3), rng.u32(1..1_000_000));
    }
    lines.join("\n") + "\n"
}

/// A copy of the dbt project with other exchange rates, in the world's folder; answers its path.
///
/// # Panics
/// Where it cannot be copied.
pub fn dbt_project(world: &World, exchange_rates: &str) -> String {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("the test's folder takes folders");
        for entry in fs::read_dir(from).expect("the dbt project is a folder") {
            let entry = entry.expect("the folder can be read");
            // What dbt wrote there is none of ours.
            if entry.file_name() == "target" || entry.file_name() == "logs" {
                continue;
            }
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).expect("the test's folder takes files");
            }
        }
    }
    let project = world.folder().join("dbt");
    copy(&crate::world::repository().join("dbt"), &project);
    fs::write(project.join("seeds/exchange_rates.csv"), exchange_rates).expect("the copy can be written");
    project.to_str().expect("the temporary folder's name is UTF-8").to_owned()
}
