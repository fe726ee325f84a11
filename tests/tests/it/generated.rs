//! The parser finds in generated days exactly what the generator says it put there.

use std::collections::BTreeMap;

use event_generator::{Generator, Plan};
use event_parser::{Batch, Options, Parser};

#[test]
fn generated_days_hold_what_the_generator_counted() {
    let plan = Plan { reject_share: 0.05, ..Plan::new("2026-02-26".parse().unwrap(), 4, 4000) };
    let generator = Generator::new(plan.clone()).unwrap();
    for date in plan.dates() {
        let mut lines = Vec::new();
        let stats = generator.write_day(date, 0, 1, &mut lines).unwrap();
        let mut batch = Batch::default();
        let mut parser = Parser::new("day", Options::new(date).with_batch_bytes(usize::MAX));
        assert_eq!(parser.push(&lines, &mut batch), lines.len());
        parser.finish(&mut batch);

        let rows = batch.rows_by_table().into_iter().map(|(table, rows)| (table, rows as u64));
        assert_eq!(rows.collect::<BTreeMap<_, _>>(), stats.accepted(), "{date}");
        let mut rejected = BTreeMap::new();
        for reject in batch.rejects() {
            *rejected.entry(reject.first().reason).or_insert(0) += 1;
        }
        assert_eq!(rejected, stats.rejected(), "{date}");
        assert_eq!(batch.lines, stats.lines, "{date}");
    }
}
