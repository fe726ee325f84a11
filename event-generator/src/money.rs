//! Subscriptions: trials, purchases, renewals at each period's end, and refunds.

use crate::draw::{Draw, Topic, key};
use crate::person::Person;
use crate::plan::{Day, add_months};
use crate::world::{COUNTRIES, CURRENCIES, OFFERS};

/// What happens to money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Trial,
    Paid,
    Refund,
}

/// A purchase or a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) deed: Deed,
    pub(crate) day: Day,
    /// The purchase it is or names: 0 is the trial, n the nth paid period.
    pub(crate) number: u32,
    /// Which refund of that purchase.
    pub(crate) part: u8,
    /// Index of [`OFFERS`].
    pub(crate) offer: u8,
    /// Index of [`CURRENCIES`].
    pub(crate) currency: u8,
    /// In 1/10000 of a unit.
    pub(crate) amount: u64,
    pub(crate) period: (Day, Day),
    /// Whether the user did it, in a visit; renewals and refunds happen by themselves.
    pub(crate) by_hand: bool,
}

/// Days of a trial.
const TRIAL: Day = 7;
/// A refund comes no sooner: then its purchase, which may be told three days late, stands before it.
const REFUND_AFTER: Day = 3;

/// The purchases and refunds of `day`.
pub(crate) fn on(person: &Person, day: Day, mut tell: impl FnMut(Money)) {
    let Some(converts) = person.converts.filter(|converts| *converts <= day) else { return };
    let mut draw = Draw::new(key(person.key, Topic::Money, 0));
    let offer = draw.weighted(OFFERS.map(|offer| offer.weight)) as u8;
    let sold = &OFFERS[usize::from(offer)];
    // A few buy abroad.
    let country = if draw.chance(30) {
        draw.below(COUNTRIES.len() as u32) as usize
    } else {
        usize::from(person.country)
    };
    let currency = COUNTRIES[country].currency;
    let price = round(CURRENCIES[usize::from(currency)].price * sold.price_tenths / 10, currency);
    let money = |deed, day, number, amount, period, by_hand| Money {
        deed,
        day,
        number,
        part: 0,
        offer,
        currency,
        amount,
        period,
        by_hand,
    };
    let mut tell = |money: Money| {
        if money.day == day {
            tell(money);
        }
    };

    let mut first = converts;
    let with_trial = draw.chance(600);
    if with_trial {
        first += TRIAL;
        let amount = if draw.chance(100) { round(price / 10, currency) } else { 0 };
        tell(money(Deed::Trial, converts, 0, amount, (converts, first), true));
        if !draw.chance(550) {
            return;
        }
    }
    for number in 1.. {
        let begins = add_months(first, (number - 1) * sold.months);
        let ends = add_months(first, number * sold.months);
        if begins > day {
            return;
        }
        let mut draw = Draw::new(key(person.key, Topic::Money, u64::from(number)));
        let amount = match draw.below(1000) {
            // Gift codes, and half the price for the first period.
            0..15 if number == 1 => 0,
            15..130 if number == 1 => round(price / 2, currency),
            _ => price,
        };
        let by_hand = number == 1 && !with_trial;
        let paid = money(Deed::Paid, begins, number, amount, (begins, ends), by_hand);
        tell(paid);
        // In the first days some give back what was bought before them: refunds of unknown purchases.
        if amount > 0 && draw.chance(50) && refund(paid, &mut draw, &mut tell) {
            return;
        }
        if ends > person.leaves + 25 || !draw.chance(sold.renewal) {
            return;
        }
    }
}

/// Whole cents, or the currency's own smallest coin.
const fn round(amount: u64, currency: u8) -> u64 {
    amount - amount % CURRENCIES[currency as usize].coin
}

/// Gives back all or a part of a purchase; true where nothing of it is left.
fn refund(paid: Money, draw: &mut Draw, tell: &mut impl FnMut(Money)) -> bool {
    let after = paid.day + REFUND_AFTER + draw.below(12) as Day;
    let refund = |part: u8, day: Day, amount: u64| Money {
        deed: Deed::Refund,
        day,
        part,
        amount,
        by_hand: false,
        ..paid
    };
    match draw.below(10) {
        0..5 => tell(refund(1, after, paid.amount)),
        5..7 => {
            let part = paid.amount / 3;
            tell(refund(1, after, part));
            tell(refund(2, after + 2, paid.amount - part));
        }
        7..9 => {
            tell(refund(1, after, paid.amount / 3));
            return false;
        }
        _ => {
            tell(refund(1, after, 0));
            return false;
        }
    }
    true
}
