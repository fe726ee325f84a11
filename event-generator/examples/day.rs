//! Prints a generated day: `cargo run -p event-generator --example day -- 2026-03-01 USERS`.

use event_generator::{Generator, Plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(date), Some(users)) = (arguments.next(), arguments.next()) else {
        return Err("usage: day DATE USERS".into());
    };
    let date = date.parse()?;
    let plan = Plan::new(date, 1, users.parse()?);
    Generator::new(plan)?.write_day(date, 0, 1, &mut std::io::stdout().lock())?;
    Ok(())
}
