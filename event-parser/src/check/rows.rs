//! One function a payload: its fields become a row of its table.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use super::time::TimeReader;
use super::{Checked, Context, Line};
use crate::arch::Simd;
use crate::batch::{
    AbTestAssignments, Batch, EnvelopeColumns, Events, Purchases, Sessions, TaskResults, Violation,
};
use crate::chunk::Rows;
use crate::span::Span;
use crate::walk::{Known, Place};

/// Puts all rows into their tables, one type of event after another; or answers a row's violations to `reject`.
#[inline(always)]
pub(super) fn check_all<S: Simd>(
    context: Context<'_, S>,
    times: &mut TimeReader,
    extra: &mut Vec<u8>,
    rows: &Rows,
    batch: &mut Batch,
    reject: impl Fn(Place, Vec<Violation>, &mut Batch),
) {
    // A loop for each, compiled for its payload alone.
    macro_rules! check {
        ($known:expr, $table:ident, $read:ident) => {
            let known: Option<Known> = $known;
            if rows.of(known).len() > 0 {
                let source_index = source_index(context.source, &mut batch.$table.envelope);
                for row in rows.of(known) {
                    let checked = match Line::read(context, times, extra, known, row) {
                        Ok(line) => $read(line, source_index, &mut batch.$table),
                        Err(violations) => Err(violations),
                    };
                    if let Err(violations) = checked {
                        reject(row.place, violations, batch);
                    }
                }
            }
        };
    }
    check!(None, events, event);
    check!(Some(Known::Purchase), purchases, purchase);
    check!(Some(Known::Refund), purchases, refund);
    check!(Some(Known::TaskResult), task_results, task_result);
    check!(Some(Known::Session), sessions, session);
    check!(Some(Known::AbTestAssignment), ab_test_assignments, assignment);
}

/// The index of the source's name in its column.
fn source_index(source: &[u8], columns: &mut EnvelopeColumns) -> u32 {
    columns.source_file.index_of(Span::from(source))
}

#[inline(always)]
fn event<S: Simd>(line: Line<'_, S>, source_index: u32, table: &mut Events) -> Checked {
    let verbatim = line.inputs.verbatim();
    line.push_row(source_index, &mut table.envelope)?;
    table.properties.push_span(verbatim);
    Ok(())
}

#[inline(always)]
fn purchase<S: Simd>(mut line: Line<'_, S>, source_index: u32, table: &mut Purchases) -> Checked {
    let inputs = &mut line.inputs;
    let [purchase_id, plan, amount, currency, period_start, period_end, is_trial] =
        inputs.payload(Known::Purchase);
    let purchase_id = inputs.text(purchase_id);
    let plan = inputs.text(plan);
    let amount = inputs.amount(amount);
    let currency = inputs.letters(currency);
    let start = inputs.date(period_start);
    let end = inputs.date(period_end);
    inputs.in_order(Known::Purchase, start, (period_end, end));
    let is_trial = inputs.boolean(is_trial);

    line.push_row(source_index, &mut table.envelope)?;
    table.kind.push(b"purchase");
    table.purchase_id.push_span(purchase_id.unwrap_or_default());
    table.plan.push_span(plan.unwrap_or_default());
    table.amount.push(amount);
    table.currency.push_span(currency);
    table.period_start.push(start);
    table.period_end.push(end);
    table.is_trial.push(u8::from(is_trial));
    Ok(())
}

#[inline(always)]
fn refund<S: Simd>(mut line: Line<'_, S>, source_index: u32, table: &mut Purchases) -> Checked {
    let inputs = &mut line.inputs;
    let [purchase_id, amount, currency] = inputs.payload(Known::Refund);
    let purchase_id = inputs.text(purchase_id);
    let amount = inputs.amount(amount);
    let currency = inputs.letters(currency);

    line.push_row(source_index, &mut table.envelope)?;
    table.kind.push(b"refund");
    table.purchase_id.push_span(purchase_id.unwrap_or_default());
    table.plan.push(b"");
    table.amount.push(amount);
    table.currency.push_span(currency);
    table.period_start.push(None);
    table.period_end.push(None);
    table.is_trial.push(0);
    Ok(())
}

#[inline(always)]
fn task_result<S: Simd>(mut line: Line<'_, S>, source_index: u32, table: &mut TaskResults) -> Checked {
    let inputs = &mut line.inputs;
    let [task_id, is_correct, course_id, lesson_id, score, attempt, duration_ms, hints_used] =
        inputs.payload(Known::TaskResult);
    let task_id = inputs.text(task_id);
    let is_correct = inputs.boolean(is_correct);
    let course_id = inputs.text(course_id);
    let lesson_id = inputs.text(lesson_id);
    let score = inputs.share(score);
    let attempt = inputs.integer(attempt);
    let duration_ms = inputs.integer(duration_ms);
    let hints_used = inputs.integer(hints_used);

    line.push_row(source_index, &mut table.envelope)?;
    table.task_id.push_span(task_id.unwrap_or_default());
    table.course_id.push_span(course_id.unwrap_or_default());
    table.lesson_id.push_span(lesson_id.unwrap_or_default());
    table.is_correct.push(u8::from(is_correct));
    table.score.push(score);
    // The registry's ranges are those of the columns.
    table.attempt.push(attempt.map(|attempt| attempt as u16));
    table.duration_ms.push(duration_ms);
    table.hints_used.push(hints_used.map(|hints| hints as u16));
    Ok(())
}

#[inline(always)]
fn session<S: Simd>(mut line: Line<'_, S>, source_index: u32, table: &mut Sessions) -> Checked {
    let inputs = &mut line.inputs;
    let [started_at, ended_at, device, os, referrer] = inputs.payload(Known::Session);
    let start = inputs.time(started_at);
    let end = inputs.time(ended_at);
    inputs.in_order(Known::Session, start, (ended_at, end));
    let device = inputs.text(device);
    let os = inputs.text(os);
    let referrer = inputs.text(referrer);

    line.push_row(source_index, &mut table.envelope)?;
    table.started_at.push(start.unwrap_or_default());
    table.ended_at.push(end);
    table.device.push_span(device.unwrap_or_default());
    table.os.push_span(os.unwrap_or_default());
    table.referrer.push_span(referrer.unwrap_or_default());
    Ok(())
}

#[inline(always)]
fn assignment<S: Simd>(mut line: Line<'_, S>, source_index: u32, table: &mut AbTestAssignments) -> Checked {
    let inputs = &mut line.inputs;
    let [experiment_id, variant] = inputs.payload(Known::AbTestAssignment);
    let experiment_id = inputs.text(experiment_id);
    let variant = inputs.text(variant);

    line.push_row(source_index, &mut table.envelope)?;
    table.experiment_id.push_span(experiment_id.unwrap_or_default());
    table.variant.push_span(variant.unwrap_or_default());
    Ok(())
}
