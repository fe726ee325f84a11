//! Parses a file into columns, and prints what it holds: `cargo run -p event-parser --example columns -- FILE`.

use std::fs::File;
use std::io::Read;

use event_parser::{Batch, Options, ParseStats, Parser};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: columns FILE")?;
    let mut file = File::open(&path)?;
    let mut parser = Parser::new(&path, Options::new("2026-03-01".parse()?));
    let (mut batch, mut stats) = (Batch::default(), ParseStats::with_examples(3));
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            let taken = parser.push(rest, &mut batch);
            rest = &rest[taken..];
            if !rest.is_empty() {
                // The batch is full. A sink would store it.
                stats.add(&batch);
                batch.clear();
            }
        }
        if read == 0 {
            parser.finish(&mut batch);
            break;
        }
    }
    for table in batch.tables() {
        let columns = table.envelope().columns().len() + table.own_columns().len();
        println!("raw.{}: {} rows of {columns} columns in the last batch", table.id().name(), table.rows());
    }
    stats.add(&batch);
    println!("{} lines, {} of them blank", stats.totals().lines, stats.totals().blank_lines);
    for reject in stats.examples() {
        println!("line {}: {}: {}", reject.line, reject.first(), reject.first().message);
    }
    Ok(())
}
