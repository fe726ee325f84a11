//! Money counted in minor units.

use std::fmt::Write;

use super::decimal::Decimal;
use super::{Failed, Input};

/// The digits after the point that the contract's amounts have.
const CONTRACT_DIGITS: u32 = 4;

/// A number of minor units as an amount: `1999` of two digits is `19.99`. Exact, or an error.
pub(crate) fn write_minor_units(input: Input<'_>, digits: u8, out: &mut String) -> Result<(), Failed> {
    let number = Decimal::parse(input.number()?)?;
    let amount = Decimal { scale: number.scale + i32::from(digits), ..number };
    let parts = amount.exact_at(CONTRACT_DIGITS as i32).ok_or(Failed)?.unsigned_abs();
    let (units, fraction) = (parts / 10_u128.pow(CONTRACT_DIGITS), parts % 10_u128.pow(CONTRACT_DIGITS));
    // As many digits as minor units have, more only where they are not zero.
    let unneeded = |shown: &u32| fraction % 10_u128.pow(CONTRACT_DIGITS - shown) == 0;
    let shown = (u32::from(digits)..CONTRACT_DIGITS).find(unneeded).unwrap_or(CONTRACT_DIGITS);
    let sign = if number.is_negative { "-" } else { "" };
    write!(out, "{sign}{units}").map_err(|_| Failed)?;
    if shown > 0 {
        let fraction = fraction / 10_u128.pow(CONTRACT_DIGITS - shown);
        write!(out, ".{fraction:0width$}", width = shown as usize).map_err(|_| Failed)?;
    }
    Ok(())
}
