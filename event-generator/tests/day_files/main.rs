//! Day files: always the same, exactly counted, and with everything in them that a loader must cope with.

mod files;
mod reader;

use std::collections::{BTreeMap, HashMap, HashSet};

use event_generator::{DayStats, Generator, Plan, exchange_rates_csv};
use event_schema::Reason;
use event_schema::value::{Amount, Date};
use serde_json::Value;

fn plan(start: &str, days: u32, users: u64) -> Plan {
    Plan::new(start.parse().expect("a date"), days, users)
}

fn day(plan: &Plan, date: Date, part: u32, parts: u32) -> (Vec<u8>, DayStats) {
    let mut bytes = Vec::new();
    let generator = Generator::new(plan.clone()).expect("a plan that can be carried out");
    let stats = generator.write_day(date, part, parts, &mut bytes).expect("memory takes all");
    (bytes, stats)
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let lines = bytes.strip_suffix(b"\n").expect("the last line is ended");
    lines.split(|byte| *byte == b'\n').collect()
}

/// The accepted lines of every day of a plan that has no bad ones, with each file's date.
fn events(plan: &Plan) -> Vec<(Date, Value)> {
    plan.dates()
        .flat_map(|date| {
            let (bytes, _) = day(plan, date, 0, 1);
            let parse = |line: &[u8]| (date, serde_json::from_slice(line).expect("a good line"));
            lines(&bytes).into_iter().map(parse).collect::<Vec<_>>()
        })
        .collect()
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_else(|| panic!("{field} is a text in {event}"))
}

#[test]
fn counts_are_those_of_a_second_reading_and_every_reason_comes_up() {
    let plan = Plan { reject_share: 0.1, ..plan("2026-01-30", 5, 1500) };
    let mut reasons = HashSet::new();
    for date in plan.dates() {
        let (bytes, stats) = day(&plan, date, 0, 1);
        let mut accepted: BTreeMap<&str, u64> =
            stats.accepted().into_keys().map(|table| (table, 0)).collect();
        let mut rejected: BTreeMap<Reason, u64> = BTreeMap::new();
        let all = lines(&bytes);
        for line in &all {
            match reader::verdict(line, date) {
                Ok(table) => *accepted.get_mut(table).expect("a table of the contract") += 1,
                Err(reason) => *rejected.entry(reason).or_default() += 1,
            }
        }
        assert_eq!((stats.lines, stats.bytes), (all.len() as u64, bytes.len() as u64));
        assert_eq!(stats.accepted(), accepted, "{date}");
        assert_eq!(stats.rejected(), rejected, "{date}");
        assert!(accepted.values().all(|rows| *rows > 0), "{accepted:?}");
        let bad: u64 = rejected.values().sum();
        let share = bad as f64 / all.len() as f64;
        assert!((0.08..0.12).contains(&share), "{share}");
        reasons.extend(rejected.into_keys());
    }
    // Without a mapping no line is unmapped.
    let due = Reason::ALL.into_iter().filter(|reason| *reason != Reason::Unmapped).count();
    assert_eq!(reasons.len(), due, "{reasons:?}");
}

#[test]
fn good_lines_do_not_depend_on_the_bad_ones() {
    let with = Plan { reject_share: 0.2, ..plan("2026-03-01", 2, 500) };
    let without = Plan { reject_share: 0.0, ..with.clone() };
    let (bytes, stats) = day(&with, with.start, 0, 1);
    let good: Vec<_> =
        lines(&bytes).into_iter().filter(|line| reader::verdict(line, with.start).is_ok()).collect();
    let (clean, clean_stats) = day(&without, with.start, 0, 1);
    assert!(good == lines(&clean));
    assert_eq!(stats.accepted(), clean_stats.accepted());
    assert_eq!(clean_stats.rejected(), BTreeMap::new());
}

#[test]
fn a_day_depends_neither_on_the_others_nor_on_the_parts() {
    let plan = Plan { reject_share: 0.1, ..plan("2026-03-01", 3, 500) };
    let longer = Plan { days: 300, ..plan.clone() };
    let date = plan.dates().last().expect("three days");
    let (whole, stats) = day(&plan, date, 0, 1);
    assert!(whole == day(&longer, date, 0, 1).0);
    assert!(whole != day(&Plan { seed: 2, ..plan.clone() }, date, 0, 1).0);

    let parts: Vec<_> = (0..3).map(|part| day(&plan, date, part, 3)).collect();
    let mut sum = parts[0].1.clone();
    parts[1..].iter().for_each(|part| sum.add(&part.1));
    assert_eq!(sum, stats);
    assert!(parts.iter().all(|part| part.1.lines > stats.lines / 5));
    let mut of_parts: Vec<_> = parts.iter().flat_map(|part| lines(&part.0)).collect();
    let mut of_whole = lines(&whole);
    of_parts.sort_unstable();
    of_whole.sort_unstable();
    assert!(of_parts == of_whole);
}

#[test]
fn late_and_repeated_lines_are_there_and_counted() {
    let plan = Plan { reject_share: 0.0, ..plan("2026-03-01", 7, 2500) };
    let mut seen = HashSet::new();
    let mut ids = HashSet::new();
    for (n, date) in plan.dates().enumerate() {
        let (bytes, stats) = day(&plan, date, 0, 1);
        let (mut repeated, mut in_the_file, mut here) = (0, 0, HashSet::new());
        for line in lines(&bytes) {
            repeated += u64::from(!seen.insert(line.to_vec()));
            in_the_file += u64::from(!here.insert(line));
            let event: Value = serde_json::from_slice(line).expect("a good line");
            ids.insert(text(&event, "event_id").to_owned());
        }
        // Copies of the first days may repeat what happened before the plan.
        if n >= 3 {
            assert_eq!(stats.duplicates, repeated, "{date}");
        }
        assert!(stats.late > 20 && stats.duplicates > 5, "{stats:?}");
        assert!(in_the_file > 0, "no line stands twice in the file of {date}");
        assert!(n < 3 || in_the_file < repeated, "no line of the file of {date} stands in an earlier one");
    }
    assert_eq!(ids.len(), seen.len(), "an id belongs to one line only");
}

#[test]
fn lines_come_in_the_order_of_time_with_users_mixed() {
    let plan = Plan { reject_share: 0.0, ..plan("2026-03-01", 1, 3000) };
    let events = events(&plan);
    let on_the_day: Vec<_> =
        events.iter().filter(|event| text(&event.1, "event_time") >= "2026-03-01").collect();
    let is_in_order = |pair: &&[&(Date, Value)]| {
        text(&pair[0].1, "event_time").get(..16) <= text(&pair[1].1, "event_time").get(..16)
    };
    let ordered = on_the_day.windows(2).filter(is_in_order).count() as f64 / on_the_day.len() as f64;
    assert!(ordered > 0.95, "{ordered}");
    let changes = events.windows(2).filter(|pair| pair[0].1["user_id"] != pair[1].1["user_id"]).count();
    assert!(changes > events.len() / 2, "{changes} of {}", events.len());
}

#[test]
fn the_mix_is_that_of_a_learning_product() {
    let plan = plan("2026-03-02", 1, 20_000);
    let (_, stats) = day(&plan, plan.start, 0, 1);
    let share = |table: &str| stats.accepted()[table] as f64 / stats.lines as f64;
    assert!((0.40..0.52).contains(&share("events")), "{stats:?}");
    assert!((0.30..0.42).contains(&share("task_results")), "{stats:?}");
    assert!((0.10..0.18).contains(&share("sessions")), "{stats:?}");
    let line = stats.bytes as f64 / stats.lines as f64;
    assert!((330.0..380.0).contains(&line), "{line} bytes a line");
    let user = stats.bytes / plan.users;
    assert!((700..1300).contains(&user), "{user} bytes a user, Plan::BYTES_PER_USER says otherwise");
}

#[test]
fn money_is_plausible_and_every_currency_has_its_rate() {
    let plan = Plan { reject_share: 0.0, seed: 4, ..plan("2026-01-25", 45, 3000) };
    let events = events(&plan);
    let mut purchases: HashMap<String, (String, Amount, String)> = HashMap::new();
    let (mut refunded, mut refund_ids) = (HashMap::<String, u64>::new(), HashSet::new());
    let mut first_of_currency: BTreeMap<String, String> = BTreeMap::new();
    let (mut trials, mut paid, mut clipped, mut unknown) = (0, 0, 0, 0);
    for (_, event) in &events {
        let kind = text(event, "event_type");
        if !matches!(kind, "purchase" | "refund") {
            continue;
        }
        let properties = &event["properties"];
        let id = text(properties, "purchase_id").to_owned();
        let amount: Amount = text(properties, "amount").parse().expect("an amount");
        let (currency, at) = (text(properties, "currency"), text(event, "event_time"));
        let first = first_of_currency.entry(currency.to_owned()).or_insert_with(|| at.to_owned());
        *first = at.to_owned().min(first.clone());
        if kind == "purchase" {
            purchases.insert(id, (at.to_owned(), amount, currency.to_owned()));
            let is_trial = properties["is_trial"] == true;
            trials += u32::from(is_trial);
            paid += u32::from(!is_trial && amount.ten_thousandths() > 0);
            let (start, end) = (text(properties, "period_start"), text(properties, "period_end"));
            clipped += u32::from(!is_trial && end.ends_with("-02-28") && !start.ends_with("-28"));
        } else if refund_ids.insert(text(event, "event_id")) {
            let Some((bought, price, paid_in)) = purchases.get(&id) else {
                assert!(
                    at < "2026-02-12",
                    "a refund names an earlier purchase, or one from before the plan: {event}"
                );
                unknown += 1;
                continue;
            };
            assert!(bought.as_str() < at && paid_in == currency, "{event}");
            let sum = refunded.entry(id).or_default();
            *sum += amount.ten_thousandths();
            assert!(*sum <= price.ten_thousandths(), "{event}");
        }
    }
    let is_full = |(id, sum): &(&String, &u64)| **sum == purchases[*id].1.ten_thousandths();
    let full = refunded.iter().filter(is_full).count();
    assert!(trials > 50 && paid > 100 && clipped > 0, "{trials} trials, {paid} paid, {clipped} clipped");
    assert!(full > 2 && full < refunded.len(), "{full} of {} refunded in full", refunded.len());
    assert!(unknown > 0, "no refund is of a purchase from before the plan");
    assert!(refund_ids.len() > refunded.len() + unknown, "some purchases are refunded in two parts");

    assert!(first_of_currency.len() > 6, "{first_of_currency:?}");
    let rates = exchange_rates_csv(&plan);
    let rates: Vec<Vec<&str>> = rates.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rates[0], ["from_currency", "to_currency", "valid_from", "rate"]);
    for (currency, first) in first_of_currency {
        let of_currency: Vec<_> = rates.iter().filter(|rate| rate[0] == currency).collect();
        assert!(of_currency[0][2] <= &first[..10], "{currency} is first used on {first}");
        assert_eq!(of_currency.len(), 4, "{currency} changes each month");
        for rate in of_currency {
            let (_, decimals) = rate[3].split_once('.').expect("a decimal");
            assert!(decimals.len() == 6 && rate[3].parse::<f64>().expect("a number") > 0.0, "{rate:?}");
        }
    }
}

#[test]
fn users_come_stay_and_leave() {
    let plan = Plan { reject_share: 0.0, ..plan("2026-03-01", 20, 800) };
    let mut days: HashMap<String, HashSet<String>> = HashMap::new();
    let mut platforms: HashMap<(String, String), HashSet<String>> = HashMap::new();
    for (_, event) in events(&plan) {
        let (user, date) = (text(&event, "user_id").to_owned(), text(&event, "event_time")[..10].to_owned());
        if let (Some(platform), "session") = (event["platform"].as_str(), text(&event, "event_type")) {
            platforms.entry((user.clone(), date.clone())).or_default().insert(platform.to_owned());
        }
        days.entry(user).or_default().insert(date);
    }
    let newcomers = days.keys().filter(|user| user.as_str() >= "u00000800").count();
    assert!((120..=170).contains(&newcomers), "{newcomers} of 160 newcomers are seen");
    let once = days.values().filter(|days| days.len() == 1).count();
    let often = days.values().filter(|days| days.len() > 10).count();
    assert!(once > 50 && often > 20, "{once} users once, {often} often, of {}", days.len());
    assert!(platforms.values().any(|platforms| platforms.len() > 1), "nobody uses two platforms in a day");
}
