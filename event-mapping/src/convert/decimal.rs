//! Decimal numbers, exactly.

use super::Failed;

/// `mantissa` × 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) is_negative: bool,
    pub(super) mantissa: u128,
    pub(super) scale: i32,
}

/// The most digits of a mantissa.
const MOST_DIGITS: u32 = 30;
/// The greatest shift of a decimal point that an exponent may ask for.
const GREATEST_EXPONENT: i32 = 400;

impl Decimal {
    /// Reads a number as JSON spells it; surrounding blanks are an error, zeros in front are not.
    pub(super) fn parse(text: &str) -> Result<Decimal, Failed> {
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (number, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (units, fraction) = match number.find('.') {
            Some(point) => (&number[..point], Some(&number[point + 1..])),
            None => (number, None),
        };
        if units.is_empty() || fraction.is_some_and(str::is_empty) {
            return Err(Failed);
        }
        // Zeros at the end of a fraction say nothing.
        let fraction = fraction.unwrap_or_default().trim_end_matches('0');
        let (mut mantissa, mut digits) = (0_u128, 0);
        for digit in units.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return Err(Failed);
            }
            digits += u32::from(mantissa > 0);
            if digits == MOST_DIGITS {
                return Err(Failed);
            }
            mantissa = mantissa * 10 + u128::from(digit - b'0');
        }
        Ok(Decimal { is_negative, mantissa, scale: fraction.len() as i32 - exponent })
    }

    /// The whole number of 10^-`places`, rounded down: `None` where it is too large.
    pub(super) fn floor_at(self, places: i32) -> Option<i128> {
        let shift = places - self.scale;
        let sign = if self.is_negative { -1 } else { 1 };
        if self.mantissa == 0 {
            return Some(0);
        }
        if shift >= 0 {
            let factor = 10_i128.checked_pow(shift as u32)?;
            return i128::try_from(self.mantissa).ok()?.checked_mul(factor)?.checked_mul(sign);
        }
        let signed = i128::try_from(self.mantissa).ok()? * sign;
        Some(match 10_i128.checked_pow(shift.unsigned_abs()) {
            Some(divisor) => signed.div_euclid(divisor),
            None if self.is_negative => -1,
            None => 0,
        })
    }

    /// The number of 10^-`places`, if it is a whole one.
    pub(super) fn exact_at(self, places: i32) -> Option<i128> {
        let cut = (self.scale - places).max(0);
        // A mantissa has too few digits to end in more zeros than a power of ten can have.
        let is_whole = self.mantissa == 0
            || 10_u128.checked_pow(cut as u32).is_some_and(|divisor| self.mantissa.is_multiple_of(divisor));
        if is_whole { self.floor_at(places) } else { None }
    }
}

fn exponent(text: &str) -> Result<i32, Failed> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Failed);
    }
    let exponent: i32 = text.parse().map_err(|_| Failed)?;
    if exponent.abs() <= GREATEST_EXPONENT { Ok(exponent) } else { Err(Failed) }
}
