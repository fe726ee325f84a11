//! One function a payload: its fields become a row of its table.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use super::input::{Input, Inputs};
use super::time::TimeReader;
use super::{Context, Envelope, Shared};
use crate::arch::Simd;
use crate::batch::{AbTestAssignments, Batch, Events, Purchases, Sessions, TaskResults, Violation};
use crate::walk::{Known, Place, Row};

/// Puts rows of one type of event into their table; or answers a row's violations to `reject`.
#[inline(always)]
pub(super) fn check<'a, S: Simd>(
    context: Context<'a, S>,
    times: &mut TimeReader,
    known: Option<Known>,
    rows: impl Iterator<Item = &'a Row>,
    batch: &mut Batch,
    reject: impl Fn(Place, Vec<Violation>, &mut Batch),
) {
    // A loop for each, compiled for its payload alone.
    macro_rules! check {
        ($known:expr, $table:ident, $read:ident) => {{
            let mut shared = Shared::new(context, known, &mut batch.$table.envelope);
            for row in rows {
                let mut inputs = Inputs::new(context, times, row);
                if let Some(envelope) = Envelope::read(&mut inputs, $known) {
                    $read(&mut inputs, &envelope, &mut shared, &mut batch.$table);
                }
                if !inputs.is_good() {
                    reject(row.place, inputs.into_violations(), batch);
                }
            }
        }};
    }
    match known {
        None => check!(None, events, event),
        Some(Known::Purchase) => check!(Some(Known::Purchase), purchases, purchase),
        Some(Known::Refund) => check!(Some(Known::Refund), purchases, refund),
        Some(Known::TaskResult) => check!(Some(Known::TaskResult), task_results, task_result),
        Some(Known::Session) => check!(Some(Known::Session), sessions, session),
        Some(Known::AbTestAssignment) => {
            check!(Some(Known::AbTestAssignment), ab_test_assignments, assignment);
        }
    }
}

#[inline(always)]
fn event<S: Simd>(
    inputs: &mut Inputs<'_, S>,
    envelope: &Envelope<'_>,
    shared: &mut Shared<'_>,
    table: &mut Events,
) {
    if inputs.is_good() {
        envelope.push(shared, inputs, &mut table.envelope);
        table.properties.push_span(inputs.verbatim());
    }
}

#[inline(always)]
fn purchase<S: Simd>(
    inputs: &mut Inputs<'_, S>,
    envelope: &Envelope<'_>,
    shared: &mut Shared<'_>,
    table: &mut Purchases,
) {
    let [purchase_id, plan, amount, currency, period_start, period_end, is_trial] =
        const { Input::payload(Known::Purchase) };
    let purchase_id = inputs.text(purchase_id);
    let plan = inputs.text(plan);
    let amount = inputs.amount(amount);
    let currency = inputs.letters(currency);
    let start = inputs.date(period_start);
    let end = inputs.date(period_end);
    inputs.in_order(Known::Purchase, start, (period_end, end));
    let is_trial = inputs.boolean(is_trial);

    if !inputs.is_good() {
        return;
    }
    envelope.push(shared, inputs, &mut table.envelope);
    table.kind.push_span(envelope.event_type);
    table.purchase_id.push_span(purchase_id.unwrap_or_default());
    table.plan.push_span(plan.unwrap_or_default());
    table.amount.push(amount);
    table.currency.push_span(currency);
    table.period_start.push(start);
    table.period_end.push(end);
    table.is_trial.push(u8::from(is_trial));
}

#[inline(always)]
fn refund<S: Simd>(
    inputs: &mut Inputs<'_, S>,
    envelope: &Envelope<'_>,
    shared: &mut Shared<'_>,
    table: &mut Purchases,
) {
    let [purchase_id, amount, currency] = const { Input::payload(Known::Refund) };
    let purchase_id = inputs.text(purchase_id);
    let amount = inputs.amount(amount);
    let currency = inputs.letters(currency);

    if !inputs.is_good() {
        return;
    }
    envelope.push(shared, inputs, &mut table.envelope);
    table.kind.push_span(envelope.event_type);
    table.purchase_id.push_span(purchase_id.unwrap_or_default());
    table.plan.push(b"");
    table.amount.push(amount);
    table.currency.push_span(currency);
    table.period_start.push(None);
    table.period_end.push(None);
    table.is_trial.push(0);
}

#[inline(always)]
fn task_result<S: Simd>(
    inputs: &mut Inputs<'_, S>,
    envelope: &Envelope<'_>,
    shared: &mut Shared<'_>,
    table: &mut TaskResults,
) {
    let [task_id, is_correct, course_id, lesson_id, score, attempt, duration_ms, hints_used] =
        const { Input::payload(Known::TaskResult) };
    let task_id = inputs.text(task_id);
    let is_correct = inputs.boolean(is_correct);
    let course_id = inputs.text(course_id);
    let lesson_id = inputs.text(lesson_id);
    let score = inputs.share(score);
    let attempt = inputs.integer(attempt);
    let duration_ms = inputs.integer(duration_ms);
    let hints_used = inputs.integer(hints_used);

    if !inputs.is_good() {
        return;
    }
    envelope.push(shared, inputs, &mut table.envelope);
    table.task_id.push_span(task_id.unwrap_or_default());
    table.course_id.push_span(course_id.unwrap_or_default());
    table.lesson_id.push_span(lesson_id.unwrap_or_default());
    table.is_correct.push(u8::from(is_correct));
    table.score.push(score);
    // The registry's ranges are those of the columns.
    table.attempt.push(attempt.map(|attempt| attempt as u16));
    table.duration_ms.push(duration_ms);
    table.hints_used.push(hints_used.map(|hints| hints as u16));
}

#[inline(always)]
fn session<S: Simd>(
    inputs: &mut Inputs<'_, S>,
    envelope: &Envelope<'_>,
    shared: &mut Shared<'_>,
    table: &mut Sessions,
) {
    let [started_at, ended_at, device, os, referrer] = const { Input::payload(Known::Session) };
    let start = inputs.time(started_at);
    let end = inputs.time(ended_at);
    inputs.in_order(Known::Session, start, (ended_at, end));
    let device = inputs.text(device);
    let os = inputs.text(os);
    let referrer = inputs.text(referrer);

    if !inputs.is_good() {
        return;
    }
    envelope.push(shared, inputs, &mut table.envelope);
    table.started_at.push(start.unwrap_or_default());
    table.ended_at.push(end);
    table.device.push_span(device.unwrap_or_default());
    table.os.push_span(os.unwrap_or_default());
    table.referrer.push_span(referrer.unwrap_or_default());
}

#[inline(always)]
fn assignment<S: Simd>(
    inputs: &mut Inputs<'_, S>,
    envelope: &Envelope<'_>,
    shared: &mut Shared<'_>,
    table: &mut AbTestAssignments,
) {
    let [experiment_id, variant] = const { Input::payload(Known::AbTestAssignment) };
    let experiment_id = inputs.text(experiment_id);
    let variant = inputs.text(variant);

    if !inputs.is_good() {
        return;
    }
    envelope.push(shared, inputs, &mut table.envelope);
    table.experiment_id.push_span(experiment_id.unwrap_or_default());
    table.variant.push_span(variant.unwrap_or_default());
}
