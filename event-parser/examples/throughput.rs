//! How fast one core parses a day file:
//! `cargo run --release -p event-parser --example throughput -- DAY.jsonl YYYY-MM-DD`
//!
//! The file is read into memory first, so that only parsing is timed. Each round is printed: the machine may
//! be busy with other things too.

use std::time::Instant;

use event_parser::{Batch, Options, Parser};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(date)) = (arguments.next(), arguments.next()) else {
        return Err("usage: throughput DAY.jsonl YYYY-MM-DD".into());
    };
    let bytes = std::fs::read(path)?;
    let options = Options { batch_bytes: 16 << 20, ..Options::new(date.parse()?) };
    let mut batch = Batch::default();
    for round in 1..=5 {
        let (mut accepted, mut rejected) = (0, 0);
        let begun = Instant::now();
        let mut parser = Parser::new("throughput", options.clone());
        let mut rest = &bytes[..];
        loop {
            let taken = parser.push(rest, &mut batch);
            rest = &rest[taken..];
            if rest.is_empty() {
                parser.finish(&mut batch);
            }
            accepted += batch.rows_by_table().iter().map(|(_, rows)| rows).sum::<usize>();
            rejected += batch.rejects().len();
            batch.clear();
            if rest.is_empty() {
                break;
            }
        }
        let rate = bytes.len() as f64 / 1e6 / begun.elapsed().as_secs_f64();
        println!("round {round}: {rate:.0} MB/s, {accepted} accepted, {rejected} rejected");
    }
    Ok(())
}
