//! Loads a day into a ClickHouse on this machine, whose tables `schoolbell init` has made:
//! `cargo run -p ch-sink --example load_day -- 2026-03-01 SOURCE…`.

use ch_sink::{ConnectOptions, LoadOptions, Need, Warehouse, load};
use event_source::{Options, resolve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let batch_date = arguments.next().ok_or("usage: load_day DATE SOURCE…")?.parse()?;
    let names: Vec<String> = arguments.collect();
    let day = resolve(&names, &Options::default())?;
    let warehouse = Warehouse::connect(ConnectOptions::new("http://127.0.0.1:8123"), Need::Load).await?;
    let report = load(&warehouse, &LoadOptions::new(batch_date), &day.sources, |_progress| ()).await?;
    for (table, rows) in &report.stats.accepted {
        println!("{table}: {rows} rows");
    }
    println!("{} of {} lines rejected", report.stats.rejected_lines(), report.stats.lines);
    Ok(())
}
