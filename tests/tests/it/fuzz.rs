//! A short run of the fuzzer; `cargo xtask fuzz` runs it for as long as one likes.

use integration_tests::fuzz::{Plan, run};

#[test]
fn two_hundred_thousand_changed_lines_are_read_as_the_reference_reads_them() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan { lines: 200_000, seed: 1, first_round: 0, threads };
    let report = run(&plan, |_| ()).unwrap_or_else(|difference| panic!("{difference}"));
    println!("{report}");
    assert!(report.changed >= 150_000, "{report}");
}
