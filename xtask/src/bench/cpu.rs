//! CPU time of processes, from `/proc`, to a hundredth of a second.

use std::fs;

use anyhow::{Context, Result};

/// `USER_HZ`, the ticks of `/proc/PID/stat`: 100 on every Linux that ClickHouse runs on.
const TICKS_A_SECOND: f64 = 100.0;

/// CPU seconds of a process so far, all threads.
pub(super) fn of_process(pid: u32) -> Result<f64> {
    // `utime` and `stime` are the 12th and 13th word after the program's name.
    sum(&pid.to_string(), 11)
}

/// CPU seconds of all processes that this one has started and that have ended.
pub(super) fn of_children() -> Result<f64> {
    // `cutime` and `cstime` come next.
    sum("self", 13)
}

fn sum(process: &str, skipped: usize) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))
        .context("CPU time is read from /proc, which only Linux has")?;
    // The program's name, in brackets, may hold blanks.
    let words = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = words.split_whitespace().skip(skipped).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_A_SECOND)
}
