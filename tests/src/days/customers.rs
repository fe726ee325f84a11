//! Customers whose money comes and goes in every odd order.

use fastrand::Rng;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::line::{date_of, start_of};
use super::{Line, hostile_names};
use crate::marts::{days_after, months_after};

const DAY_MS: i64 = 86_400_000;
const CURRENCIES: [&str; 5] = ["USD", "EUR", "JPY", "KWD", "IDR"];

/// What customers do between two dates, and some of it before.
pub(super) fn lines(rng: &mut Rng, customers: usize, (first, last): (Date, Date)) -> Vec<Line> {
    let mut market = Market {
        rng,
        platforms: [hostile_names(64), vec!["ios".into(), "web".into(), String::new()]].concat(),
        plans: [hostile_names(64), vec!["basic-monthly".into(), "plus-yearly".into()]].concat(),
        courses: [hostile_names(256), vec![String::new()]].concat(),
        purchase_ids: Vec::new(),
        end: start_of(last) + DAY_MS,
        lines: Vec::new(),
    };
    for user in (0..customers).map(name) {
        let comes = market.rng.i64(start_of(days_after(first, -20))..market.end);
        // A third never use the product.
        if market.rng.u8(..3) > 0 {
            market.learn(&user, comes);
        }
        // Money, from a month before the first visit on; some of it in the same millisecond.
        let mut at = comes - 30 * DAY_MS;
        for _ in 0..market.rng.usize(..7) {
            at += if market.rng.u8(..8) == 0 { 0 } else { market.rng.i64(0..35 * DAY_MS) };
            if at < market.end {
                market.buy(&user, at);
            }
        }
    }
    for veteran in 0..3 {
        market.come_back_for_years(&format!("veteran-{veteran}"), first);
    }
    market.lines
}

/// A customer's id: every third has a hostile one.
pub(super) fn name(customer: usize) -> String {
    let hostile =
        if customer.is_multiple_of(3) { hostile_names(256).get(customer / 3).cloned() } else { None };
    hostile.unwrap_or_else(|| format!("customer-{customer}"))
}

struct Market<'a> {
    rng: &'a mut Rng,
    platforms: Vec<String>,
    plans: Vec<String>,
    courses: Vec<String>,
    /// Every purchase so far.
    purchase_ids: Vec<String>,
    /// Nothing happens from here on.
    end: i64,
    lines: Vec<Line>,
}

impl Market<'_> {
    fn add(&mut self, event_type: &'static str, user: &str, at: i64, properties: Value) {
        let line = Line {
            event_id: self.rng.u128(..),
            event_type,
            user: user.to_owned(),
            at,
            platform: self.rng.choice(&self.platforms).expect("there are platforms").clone(),
            country: ["DE", "KZ", ""][self.rng.usize(..3)].to_owned(),
            properties,
        };
        self.lines.push(line);
    }

    fn learn(&mut self, user: &str, comes: i64) {
        for _ in 0..self.rng.u8(1..12) {
            let at = (comes + self.rng.i64(0..40 * DAY_MS)).min(self.end);
            self.add("lesson_opened", user, at, json!({ "lesson": 7 }));
            for task in 0..self.rng.u8(..4) {
                let course = self.rng.choice(&self.courses).expect("there are courses");
                let mut answer = json!({ "task_id": format!("t{task}"), "course_id": course });
                answer["is_correct"] = self.rng.bool().into();
                if self.rng.bool() {
                    answer["attempt"] = self.rng.u8(1..4).into();
                }
                if self.rng.bool() {
                    answer["duration_ms"] = self.rng.u32(..50_000).into();
                }
                self.add("task_result", user, at + i64::from(task), answer);
            }
        }
    }

    /// Longer than any cohort is followed: 40 months, a visit or two in each, some of them on the 31st.
    fn come_back_for_years(&mut self, user: &str, first: Date) {
        for month in 0..44 {
            let month = months_after(first, month - 40);
            for date in [month.last_of_month(), days_after(month, self.rng.i64(0..28))] {
                if self.rng.bool() {
                    let at = start_of(date) + self.rng.i64(0..DAY_MS);
                    if at < self.end {
                        self.add("lesson_opened", user, at, json!({}));
                        self.buy(user, at);
                    }
                }
            }
        }
    }

    /// A purchase or a trial, paid or free, of an id that may have been used, and what is given back of it.
    fn buy(&mut self, user: &str, at: i64) {
        let rng = &mut *self.rng;
        let id = match rng.choice(&self.purchase_ids) {
            Some(id) if rng.u8(..8) == 0 => id.clone(),
            _ => format!("p-{}-'\\{{{{", self.purchase_ids.len()),
        };
        self.purchase_ids.push(id.clone());
        let ten_thousandths = match rng.u8(..8) {
            0 => 0,
            1 => 1,
            2 => rng.u64(..1_000_000_000_000),
            _ => rng.u64(1..1_000_000),
        };
        let period_start = match rng.u8(..4) {
            0 => days_after(date_of(at), rng.i64(-40..40)),
            1 => date_of(at).last_of_month(),
            _ => date_of(at),
        };
        let period_end = match rng.u8(..4) {
            0 => days_after(period_start, rng.i64(1..50)),
            1 => months_after(period_start, 12),
            _ => months_after(period_start, 1),
        };
        let currency = CURRENCIES[rng.usize(..CURRENCIES.len())];
        let purchase = json!({
            "purchase_id": id,
            "plan": rng.choice(&self.plans).expect("there are plans"),
            "amount": amount(ten_thousandths),
            "currency": currency,
            "period_start": period_start.to_string(),
            "period_end": period_end.to_string(),
            "is_trial": rng.u8(..5) == 0,
        });
        self.add("purchase", user, at, purchase.clone());
        // Told again, by whomever, at once or later; or first, by an event that comes out of order.
        if self.rng.u8(..8) == 0 {
            let teller = if self.rng.bool() { user } else { "provider" };
            let again = at + [0, 1, -1, self.rng.i64(-40 * DAY_MS..40 * DAY_MS)][self.rng.usize(..4)];
            if again < self.end {
                self.add("purchase", teller, again, purchase);
            }
        }

        let half = ten_thousandths / 2;
        let parts = match self.rng.u8(..10) {
            0 => vec![ten_thousandths],
            1 => vec![half, ten_thousandths - half],
            2 => vec![ten_thousandths / 3],
            3 => vec![0],
            4 => vec![half + 1, half + 1],
            _ => vec![],
        };
        for part in parts {
            let rng = &mut *self.rng;
            let refund = json!({
                "purchase_id": if rng.u8(..10) == 0 { "p-unknown" } else { &*id },
                "amount": amount(part),
                "currency": if rng.u8(..6) == 0 { CURRENCIES[rng.usize(..5)] } else { currency },
            });
            // Some stand before their purchase.
            let back = at + rng.i64(-2 * DAY_MS..25 * DAY_MS);
            if back < self.end {
                let teller = if self.rng.u8(..6) == 0 { "support-desk" } else { user };
                self.add("refund", teller, back, refund);
            }
        }
    }
}

fn amount(ten_thousandths: u64) -> String {
    format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000)
}
