//! The share that one number is of another.

use std::fmt::Write;

use super::{Failed, Input};

/// A part by its whole; `None` where the whole is zero.
pub(crate) fn share(of: Input<'_>, out_of: Input<'_>) -> Result<Option<f64>, Failed> {
    let (of, out_of) = (number(of)?, number(out_of)?);
    if out_of == 0.0 {
        return Ok(None);
    }
    let share = of / out_of;
    // Minus zero is zero.
    if share.is_finite() { Ok(Some(share + 0.0)) } else { Err(Failed) }
}

/// A share as a JSON number: Rust writes floats as plain decimals, as short as they can be read back from.
pub(crate) fn write_share(share: f64, out: &mut String) {
    write!(out, "{share}").expect("a text takes any digits");
}

fn number(input: Input<'_>) -> Result<f64, Failed> {
    let text = input.number()?;
    // Rust reads `inf`, `nan` and `+1` as well.
    let starts_well = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let number: f64 = text.parse().map_err(|_| Failed)?;
    if starts_well && number.is_finite() { Ok(number) } else { Err(Failed) }
}
