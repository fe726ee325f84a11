//! `bench marts`: what a build costs, from nothing and for one more day, as history grows.

mod history;
mod warehouse;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Result;

use super::{Options, machine, publish};
use crate::{repo, tools};
use history::Volume;
use warehouse::{Built, SERVER_MEMORY, Warehouse};

/// The page of the docs, from the repository's root.
const PAGE: &str = "docs/benchmarks/marts.md";
/// How often the shortest history each of them is.
const TIMES: [u64; 3] = [1, 4, 16];
/// Nodes that read fewer rows and take less time everywhere are left out of the table of nodes.
const SHOWN: usize = 20;

const NOTES: &str = "\
*Full refresh* is `dbt build --full-refresh` of all history; *one more day* is `dbt build` after one more day was
loaded, as every night. Both run all data tests. *Seconds* are those of the clock, dbt's own start included, *CPU-s*
those of the server. *Query* is the most memory that one query had by the server's own account, *server* the most that
its process had at any moment (`VmHWM`). Rows are those read by queries that read `raw`, those read by others that read
events of `staging`, and all others: compact tables by user and day, and marts. Seconds depend on what else the machine
does; memory and rows do not.

Every day has as many events as any other, of users who sign up every day; one event in a hundred is up to three days
late, one in five hundred stands in the next day's file again.
";

/// A history's builds.
struct Measured {
    days: u64,
    full: Built,
    one_more_day: Built,
}

pub(super) fn run(options: Options) -> Result<()> {
    // The longest history has a hundred million events.
    let (volume, shortest) =
        if options.is_short { (Volume { thousandths: 5 }, 4) } else { (Volume { thousandths: 1000 }, 30) };
    tools::engine::ensure()?;
    let schoolbell = repo::schoolbell()?;
    let mut version = String::new();
    let mut results = Vec::new();
    for days in TIMES.map(|times| times * shortest) {
        let folder = tempfile::Builder::new().prefix("schoolbell-bench-").tempdir()?;
        let mut warehouse = Warehouse::start(folder.path(), &schoolbell, volume)?;
        version = warehouse.version()?;
        warehouse.load_until(days)?;
        eprintln!("made {days} days");
        let full = warehouse.build(&["--full-refresh"])?;
        eprintln!("built them from nothing: {:.0} s", full.seconds);
        warehouse.load_until(days + 1)?;
        let one_more_day = warehouse.build(&[])?;
        eprintln!("built one more day: {:.0} s", one_more_day.seconds);
        results.push(Measured { days, full, one_more_day });
    }
    let mut page = format!(
        "# What the marts cost as history grows\n\n\
         <!-- Written by `cargo xtask bench marts --write`. -->\n\n\
         {}.\nClickHouse {version} on the same machine; it may take {} GB of memory, and refuses what would take \
         more. {} events a day.\n\n{NOTES}\n",
        machine::describe()?,
        SERVER_MEMORY / 1_000_000_000,
        thousands(volume.events_a_day()),
    );
    page.push_str(&builds(&results, volume));
    page.push_str("\nOne more day, by model and test: seconds in queries, memory and rows read.\n\n");
    page.push_str(&nodes(&results));
    publish(&page, PAGE, options)
}

fn builds(results: &[Measured], volume: Volume) -> String {
    let mut text = String::from(
        "| history | events | build | seconds | CPU-s | query, MB | server, MB | rows of raw | of staging | of compact tables |\n\
         |---|---:|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for measured in results {
        let history =
            format!("{} days | {}", measured.days, thousands(measured.days * volume.events_a_day()));
        for (name, built) in [("full refresh", &measured.full), ("one more day", &measured.one_more_day)] {
            let rows = built.rows().map(thousands);
            let _ = writeln!(
                text,
                "| {history} | {name} | {:.1} | {:.1} | {} | {} | {} |",
                built.seconds,
                built.cpu,
                megabytes(built.peak_of_a_query()),
                megabytes(built.peak),
                rows.join(" | "),
            );
        }
    }
    if let [first, .., last] = results {
        let (one, other) = (&first.one_more_day, &last.one_more_day);
        let ratio = |value: fn(&Built) -> f64| format!("{:.2}", value(other) / value(one));
        let _ = writeln!(
            text,
            "| {} ÷ {} days | | one more day | {} | {} | {} | {} | {} | {} | {} |",
            last.days,
            first.days,
            ratio(|built| built.seconds),
            ratio(|built| built.cpu),
            ratio(|built| built.peak_of_a_query() as f64),
            ratio(|built| built.peak as f64),
            ratio(|built| built.rows()[0] as f64),
            ratio(|built| built.rows()[1] as f64),
            ratio(|built| built.rows()[2] as f64),
        );
        let events = |built: &Built| (built.rows()[0] + built.rows()[1]) as f64;
        let _ = writeln!(
            text,
            "\nRows read of `raw` and `staging` together, one more day on {} days ÷ on {}: {:.2}.",
            last.days,
            first.days,
            events(other) / events(one)
        );
    }
    text
}

/// The nodes that take most, longest first, in each history.
fn nodes(results: &[Measured]) -> String {
    let mut text = String::from("| |");
    for measured in results {
        let _ = write!(text, " {0} days: s | MB | rows |", measured.days);
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|---:|---:|".repeat(results.len()));
    text.push('\n');
    let names: BTreeSet<&str> = results
        .iter()
        .flat_map(|measured| &measured.one_more_day.nodes)
        .map(|node| &*node.name)
        .filter(|name| !name.is_empty())
        .collect();
    let seconds = |name: &str| -> f64 {
        results.iter().filter_map(|measured| measured.one_more_day.node(name)).map(|node| node.seconds).sum()
    };
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by(|one, other| seconds(other).total_cmp(&seconds(one)));
    for name in names.into_iter().take(SHOWN) {
        let _ = write!(text, "| `{name}` |");
        for measured in results {
            match measured.one_more_day.node(name) {
                Some(node) => {
                    let rows = thousands(node.rows.iter().sum());
                    let _ = write!(text, " {:.2} | {} | {rows} |", node.seconds, megabytes(node.peak));
                }
                None => text.push_str(" | | |"),
            }
        }
        text.push('\n');
    }
    text
}

fn megabytes(bytes: u64) -> String {
    thousands(bytes / 1_000_000)
}

/// A number with its thousands apart: 1,234,567.
fn thousands(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_apart() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(super::thousands);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
