//! Facts as typed events: the contract's own way of writing them.

use std::num::NonZeroU16;
use std::str::FromStr;

use event_schema::event::{
    AbTestAssignment, CustomType, Envelope, Event, EventId, Payload, Period, Properties, Purchase, Refund,
    Session, Share, TaskResult,
};
use event_schema::value::{Amount, Date, Timestamp};
use serde_json::{Map, Value};

use crate::draw::{Topic, key, mix};
use crate::experiment::{EXPERIMENTS, Enrolment};
use crate::fact::{Fact, Kind, Plain, Task, Visit};
use crate::money::{Deed, Money};
use crate::plain::{Fields, describe};
use crate::plan::{Day, date};
use crate::world::{COURSES, CURRENCIES, OFFERS};

/// The event a fact stands for.
pub(crate) fn event(fact: &Fact, visit: &Visit) -> Event {
    let at = millis(visit.day, fact.at);
    let mut envelope =
        Envelope::new(EventId::from_u128(event_id(at, fact.key)), parse(&visit.user_id), time(at));
    envelope.session_id = optional(&visit.session_id);
    envelope.platform = visit.platform.map(parse);
    envelope.app_version = optional(&visit.app_version);
    envelope.country = visit.country.map(parse);
    let payload = match fact.kind {
        Kind::Plain(plain) => custom(fact, plain),
        Kind::Task(task) => Payload::TaskResult(task_result(task)),
        Kind::Visit { started, has_end } => Payload::Session(session(fact, visit, started, has_end)),
        Kind::Money(money) => payment(money, visit.person_key),
        Kind::Assignment(enrolment) => Payload::AbTestAssignment(assignment(enrolment)),
    };
    Event::new(envelope, payload)
}

/// Milliseconds since 1970.
pub(crate) fn millis(day: Day, at: u32) -> i64 {
    i64::from(day) * 86_400_000 + i64::from(at)
}

/// A `UUIDv7`: the event's milliseconds, then bits of its key.
pub(crate) fn event_id(at_millis: i64, fact_key: u64) -> u128 {
    let high = (at_millis as u64) << 16 | 0x7000 | mix(fact_key) >> 52;
    let low = 1 << 63 | fact_key >> 2;
    u128::from(high) << 64 | u128::from(low)
}

fn time(at_millis: i64) -> Timestamp {
    Timestamp::from_millis(at_millis).expect("a plan's days lie inside the contract's times")
}

/// The generator's own texts fit the contract.
fn parse<T: FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("the generator's texts fit the contract")
}

fn optional<T: FromStr>(text: &str) -> Option<T>
where
    T::Err: std::fmt::Debug,
{
    (!text.is_empty()).then(|| parse(text))
}

fn custom(fact: &Fact, plain: Plain) -> Payload {
    let mut tree = Tree::default();
    describe(fact, plain, &mut tree);
    Payload::Custom {
        event_type: CustomType::new(plain.what.event_type()).expect("it is no type of the contract"),
        properties: Properties::new(tree.0).expect("the generator's payloads are small"),
    }
}

fn task_result(task: Task) -> TaskResult {
    let course = COURSES[usize::from(task.course)].id;
    let lesson = format!("{course}/{:02}", task.lesson);
    let mut result = TaskResult::new(parse(&format!("{lesson}/{:02}", task.task)), task.is_correct);
    result.course_id = task.names_course.then(|| parse(course));
    result.lesson_id = Some(parse(&lesson));
    result.score = task
        .score
        .map(|score| Share::new(f64::from(score) / 100.0).expect("a score is at most 100 hundredths"));
    result.attempt = NonZeroU16::new(u16::from(task.attempt));
    result.duration_ms = task.duration_ms;
    result.hints_used = task.hints.map(u16::from);
    result
}

fn session(fact: &Fact, visit: &Visit, started: u32, has_end: bool) -> Session {
    let mut session = Session::new(parse(&visit.session_id), time(millis(visit.day, started)));
    if has_end {
        let end = time(millis(visit.day, fact.at));
        session = session.ended_at(end).expect("a visit's last event is not before its first");
    }
    session.device = Some(parse(visit.device));
    session.os = Some(parse(visit.os));
    session.referrer = visit.referrer.map(parse);
    session
}

fn payment(money: Money, person_key: u64) -> Payload {
    let purchase_id = format!("p-{:016x}", key(person_key, Topic::PurchaseId, u64::from(money.number)));
    let amount = Amount::from_ten_thousandths(money.amount).expect("prices are small");
    let currency = parse(CURRENCIES[usize::from(money.currency)].code);
    if money.deed == Deed::Refund {
        return Payload::Refund(Refund { purchase_id: parse(&purchase_id), amount, currency });
    }
    let (start, end): (Date, Date) = (date(money.period.0), date(money.period.1));
    let period = Period::new(start, end).expect("a period ends after it begins");
    let plan = parse(OFFERS[usize::from(money.offer)].plan);
    let purchase = Purchase::new(parse(&purchase_id), plan, amount, currency, period);
    Payload::Purchase(if money.deed == Deed::Trial { purchase.trial() } else { purchase })
}

fn assignment(enrolment: Enrolment) -> AbTestAssignment {
    let test = &EXPERIMENTS[usize::from(enrolment.experiment)];
    AbTestAssignment {
        experiment_id: parse(&format!("{}-{}", test.name, enrolment.round + 1)),
        variant: parse(test.variants[usize::from(enrolment.variant)].0),
    }
}

/// A payload as a tree of JSON values.
#[derive(Default)]
struct Tree(Map<String, Value>);

impl Tree {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }
}

impl Fields for Tree {
    fn text(&mut self, key: &'static str, value: &str) {
        self.put(key, value);
    }

    fn prose(&mut self, key: &'static str, value: &str) {
        self.put(key, value);
    }

    fn integer(&mut self, key: &'static str, value: u32) {
        self.put(key, value);
    }

    fn hundredths(&mut self, key: &'static str, value: u32) {
        self.put(key, f64::from(value) / 100.0);
    }

    fn flag(&mut self, key: &'static str, value: bool) {
        self.put(key, value);
    }

    fn null(&mut self, key: &'static str) {
        self.put(key, Value::Null);
    }

    fn list(&mut self, key: &'static str, values: &[&str]) {
        self.put(key, values);
    }

    fn lesson(&mut self, key: &'static str, course: &str, lesson: u8) {
        self.put(key, format!("{course}/{lesson:02}"));
    }

    fn object(&mut self, key: &'static str, fill: impl FnOnce(&mut Self)) {
        let mut inner = Tree::default();
        fill(&mut inner);
        self.put(key, inner.0);
    }
}
