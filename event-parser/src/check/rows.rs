//! One function a payload: its fields become a row of its table.

use event_schema::registry::EventType;

use super::Envelope;
use super::input::Inputs;
use crate::batch::{
    AbTestAssignments, Batch, EnvelopeColumns, Events, Purchases, Sessions, TaskResults, Violation,
};
use crate::walk::{Fields, Known, Slot, SlotKind};

/// What every row has besides its payload.
pub(super) struct Row<'a> {
    pub(super) envelope: Envelope<'a>,
    pub(super) extra: &'a [u8],
    pub(super) source: &'a [u8],
}

/// Reads the payload and puts the row into its table; or answers the line's violations.
pub(super) fn read(
    inputs: Inputs<'_>,
    fields: &Fields,
    payload: Slot,
    row: Row<'_>,
    batch: &mut Batch,
) -> Result<(), Vec<Violation>> {
    let Some(known) = Known::of(row.envelope.event_type) else {
        return read_event(inputs, fields, payload, row, &mut batch.events);
    };
    // The walk reads a payload that stands there by the event's type.
    let absent = payload.kind == SlotKind::Absent;
    let event_type = known.event_type();
    match known {
        Known::Purchase => read_purchase(inputs, event_type, absent, row, &mut batch.purchases),
        Known::Refund => read_refund(inputs, event_type, absent, row, &mut batch.purchases),
        Known::TaskResult => read_task_result(inputs, event_type, absent, row, &mut batch.task_results),
        Known::Session => read_session(inputs, event_type, absent, row, &mut batch.sessions),
        Known::AbTestAssignment => {
            read_assignment(inputs, event_type, absent, row, &mut batch.ab_test_assignments)
        }
    }
}

fn read_event(
    inputs: Inputs<'_>,
    fields: &Fields,
    payload: Slot,
    row: Row<'_>,
    table: &mut Events,
) -> Result<(), Vec<Violation>> {
    push_row(inputs, row, &mut table.envelope, |inputs| {
        let is_absent = payload.kind == SlotKind::Absent;
        table.properties.push(if is_absent { b"{}" } else { fields.text(inputs.line(), payload) });
    })
}

fn read_purchase(
    mut inputs: Inputs<'_>,
    event_type: &'static EventType,
    absent: bool,
    row: Row<'_>,
    table: &mut Purchases,
) -> Result<(), Vec<Violation>> {
    let [purchase_id, plan, amount, currency, period_start, period_end, is_trial] =
        inputs.payload(event_type.fields, absent);
    let purchase_id = inputs.text(purchase_id);
    let plan = inputs.text(plan);
    let amount = inputs.amount(amount);
    let currency = inputs.letters(currency);
    let start = inputs.date(period_start);
    let end = inputs.date(period_end);
    inputs.in_order(event_type, start, (period_end, end));
    let is_trial = inputs.boolean(is_trial);
    push_row(inputs, row, &mut table.envelope, |_| {
        table.kind.push(b"purchase");
        table.purchase_id.push(purchase_id.unwrap_or_default());
        table.plan.push(plan.unwrap_or_default());
        table.amount.push(amount);
        table.currency.push(currency);
        table.period_start.push(start);
        table.period_end.push(end);
        table.is_trial.push(u8::from(is_trial));
    })
}

fn read_refund(
    mut inputs: Inputs<'_>,
    event_type: &'static EventType,
    absent: bool,
    row: Row<'_>,
    table: &mut Purchases,
) -> Result<(), Vec<Violation>> {
    let [purchase_id, amount, currency] = inputs.payload(event_type.fields, absent);
    let purchase_id = inputs.text(purchase_id);
    let amount = inputs.amount(amount);
    let currency = inputs.letters(currency);
    push_row(inputs, row, &mut table.envelope, |_| {
        table.kind.push(b"refund");
        table.purchase_id.push(purchase_id.unwrap_or_default());
        table.plan.push(b"");
        table.amount.push(amount);
        table.currency.push(currency);
        table.period_start.push(None);
        table.period_end.push(None);
        table.is_trial.push(0);
    })
}

fn read_task_result(
    mut inputs: Inputs<'_>,
    event_type: &'static EventType,
    absent: bool,
    row: Row<'_>,
    table: &mut TaskResults,
) -> Result<(), Vec<Violation>> {
    let [task_id, is_correct, course_id, lesson_id, score, attempt, duration_ms, hints_used] =
        inputs.payload(event_type.fields, absent);
    let task_id = inputs.text(task_id);
    let is_correct = inputs.boolean(is_correct);
    let course_id = inputs.text(course_id);
    let lesson_id = inputs.text(lesson_id);
    let score = inputs.share(score);
    let attempt = inputs.integer(attempt);
    let duration_ms = inputs.integer(duration_ms);
    let hints_used = inputs.integer(hints_used);
    push_row(inputs, row, &mut table.envelope, |_| {
        table.task_id.push(task_id.unwrap_or_default());
        table.is_correct.push(u8::from(is_correct));
        table.course_id.push(course_id.unwrap_or_default());
        table.lesson_id.push(lesson_id.unwrap_or_default());
        table.score.push(score);
        // The registry's ranges are those of the columns.
        table.attempt.push(attempt.map(|attempt| attempt as u16));
        table.duration_ms.push(duration_ms);
        table.hints_used.push(hints_used.map(|hints| hints as u16));
    })
}

fn read_session(
    mut inputs: Inputs<'_>,
    event_type: &'static EventType,
    absent: bool,
    row: Row<'_>,
    table: &mut Sessions,
) -> Result<(), Vec<Violation>> {
    let [started_at, ended_at, device, os, referrer] = inputs.payload(event_type.fields, absent);
    let start = inputs.time(started_at);
    let end = inputs.time(ended_at);
    inputs.in_order(event_type, start, (ended_at, end));
    let device = inputs.text(device);
    let os = inputs.text(os);
    let referrer = inputs.text(referrer);
    push_row(inputs, row, &mut table.envelope, |_| {
        table.started_at.push(start.unwrap_or_default());
        table.ended_at.push(end);
        table.device.push(device.unwrap_or_default());
        table.os.push(os.unwrap_or_default());
        table.referrer.push(referrer.unwrap_or_default());
    })
}

fn read_assignment(
    mut inputs: Inputs<'_>,
    event_type: &'static EventType,
    absent: bool,
    row: Row<'_>,
    table: &mut AbTestAssignments,
) -> Result<(), Vec<Violation>> {
    let [experiment_id, variant] = inputs.payload(event_type.fields, absent);
    let experiment_id = inputs.text(experiment_id);
    let variant = inputs.text(variant);
    push_row(inputs, row, &mut table.envelope, |_| {
        table.experiment_id.push(experiment_id.unwrap_or_default());
        table.variant.push(variant.unwrap_or_default());
    })
}

/// Appends the row where every field was good: the envelope here, the payload in `push_payload`.
fn push_row<'a>(
    inputs: Inputs<'a>,
    row: Row<'_>,
    columns: &mut EnvelopeColumns,
    push_payload: impl FnOnce(&Inputs<'a>),
) -> Result<(), Vec<Violation>> {
    if !inputs.is_good() {
        return Err(inputs.into_violations());
    }
    let Row { envelope, extra, source } = row;
    // The Native layout has the upper half first.
    columns.event_id.push(envelope.event_id.rotate_left(64));
    columns.event_type.push(envelope.event_type);
    columns.user_id.push(envelope.user_id);
    columns.event_time.push(envelope.event_time);
    columns.session_id.push(envelope.session_id);
    columns.platform.push(envelope.platform);
    columns.app_version.push(envelope.app_version);
    columns.country.push(envelope.country);
    columns.extra.push(extra);
    columns.source_file.push(source);
    columns.source_line.push(envelope.line_number);
    push_payload(&inputs);
    Ok(())
}
