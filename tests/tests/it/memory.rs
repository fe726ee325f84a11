//! A load stays within the memory that it is allowed, however much it reads.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use event_generator::{Generator, Plan};
use integration_tests::world::World;
use serde_json::json;

const DAY: &str = "2026-03-01";
const MIB: u64 = 1 << 20;

/// The most memory that a process has had so far, in bytes; nothing if it has ended.
#[cfg(target_os = "linux")]
fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[cfg(target_os = "linux")]
#[test]
fn a_day_of_many_times_its_memory_is_loaded_within_it() {
    const TIMES: usize = 30;
    const ALLOWED_MIB: u64 = 512;
    let world = World::new("memory");
    let plan = Plan { reject_share: 0.005, ..Plan::new(DAY.parse().unwrap(), 1, 60_000) };
    let mut day = Vec::new();
    let stats = Generator::new(plan).unwrap().write_day(DAY.parse().unwrap(), 0, 1, &mut day).unwrap();
    // Its columns are about half of it.
    assert!((day.len() * TIMES) as u64 / 2 > ALLOWED_MIB * MIB, "{} bytes", day.len());

    let allowed = ALLOWED_MIB.to_string();
    let mut load = world.schoolbell();
    load.args(["load", "--batch-date", DAY, "--memory", &allowed, "--output", "json", "-"]);
    let mut load = load.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (pid, mut stdin) = (load.id(), load.stdin.take().unwrap());
    let feeding = thread::spawn(move || (0..TIMES).try_for_each(|_| stdin.write_all(&day)));
    let mut peak = 0;
    while load.try_wait().unwrap().is_none() {
        peak = peak_memory(pid).unwrap_or(peak);
        thread::sleep(Duration::from_millis(5));
    }
    feeding.join().unwrap().unwrap();
    let output = load.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let lines = world.query("SELECT lines FROM {raw}.loads");
    assert_eq!(lines, [json!([stats.lines * TIMES as u64])]);
    assert!(peak > 0 && peak <= ALLOWED_MIB * MIB, "{} MiB of {ALLOWED_MIB}", peak / MIB);
}
