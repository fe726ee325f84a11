//! Prints the SQL of a model: `cargo run -p metrics-sql --example model -- fct_retention`.

use metrics_sql::{Plain, Target, models, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: model NAME")?;
    let models = models();
    let model = models.iter().find(|model| model.id.name.as_str() == name).ok_or("there is no such model")?;
    println!("{}", render(model, &Target::Plain(Plain::with_prefix("", "2026-03-01"))));
    Ok(())
}
