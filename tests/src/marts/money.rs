//! Money in the reporting currency, exact.

use jiff::civil::Date;

/// Money in the reporting currency, in 10⁻¹⁶ of its unit: as finely as an amount times a rate can be.
pub type Unit = i128;

/// One unit of the reporting currency.
const ONE: f64 = 1e16;

/// What one unit of each currency is worth.
#[derive(Debug, Clone)]
pub struct Rates {
    reporting_currency: String,
    /// Currency, first date, 10⁻¹² of the reporting currency.
    rates: Vec<(String, Date, i128)>,
}

impl Rates {
    /// Reads the rates to the reporting currency from the seed file: `from_currency,to_currency,valid_from,rate` under a
    /// header, rates with up to twelve decimal places.
    ///
    /// # Panics
    /// Where the file is not of that form.
    pub fn from_csv(reporting_currency: &str, csv: &str) -> Rates {
        let rates = csv.lines().skip(1).filter_map(|line| {
            let [currency, to, from, rate] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let (whole, fraction) = rate.split_once('.').unwrap_or((rate, ""));
            assert!(fraction.len() <= 12, "{line}");
            let rate = format!("{whole}{fraction:0<12}").parse().expect("a rate");
            (to == reporting_currency).then(|| (currency.to_owned(), from.parse().expect("a date"), rate))
        });
        Rates { reporting_currency: reporting_currency.to_owned(), rates: rates.collect() }
    }

    /// An amount (in 1/10000) of a currency in the reporting one, at the last rate valid on that date.
    ///
    /// # Panics
    /// Where there is no such rate.
    pub(super) fn convert(&self, amount: i64, currency: &str, date: Date) -> Unit {
        let rate = if currency == self.reporting_currency {
            1_000_000_000_000
        } else {
            let valid = self.rates.iter().filter(|(of, from, _)| of == currency && *from <= date);
            let last = valid.max_by_key(|(_, from, _)| *from);
            last.unwrap_or_else(|| panic!("{currency} has no rate on {date}")).2
        };
        i128::from(amount) * rate
    }
}

/// As a number of the reporting currency's units.
pub(super) fn to_f64(money: Unit) -> f64 {
    money as f64 / ONE
}
