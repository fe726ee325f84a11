//! One function a payload: its fields become a row of its table.

use super::Line;
use crate::batch::{AbTestAssignments, Batch, Events, Purchases, Sessions, TaskResults, Violation};
use crate::walk::{Known, Slot, SlotKind};

type Checked = Result<(), Vec<Violation>>;

/// Reads the payload, which stands in the slot `properties`, and puts the row into its table; or answers the
/// line's violations.
pub(super) fn read(line: Line<'_>, properties: Slot, batch: &mut Batch) -> Checked {
    match Known::of(line.envelope.event_type) {
        None => event(line, properties, &mut batch.events),
        Some(Known::Purchase) => purchase(line, &mut batch.purchases),
        Some(Known::Refund) => refund(line, &mut batch.purchases),
        Some(Known::TaskResult) => task_result(line, &mut batch.task_results),
        Some(Known::Session) => session(line, &mut batch.sessions),
        Some(Known::AbTestAssignment) => assignment(line, &mut batch.ab_test_assignments),
    }
}

fn event(line: Line<'_>, properties: Slot, table: &mut Events) -> Checked {
    let verbatim = if properties.kind == SlotKind::Absent { b"{}" } else { line.inputs.text_of(properties) };
    line.push_row(&mut table.envelope)?;
    table.properties.push(verbatim);
    Ok(())
}

fn purchase(mut line: Line<'_>, table: &mut Purchases) -> Checked {
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

    line.push_row(&mut table.envelope)?;
    table.kind.push(b"purchase");
    table.purchase_id.push(purchase_id.unwrap_or_default());
    table.plan.push(plan.unwrap_or_default());
    table.amount.push(amount);
    table.currency.push(currency);
    table.period_start.push(start);
    table.period_end.push(end);
    table.is_trial.push(u8::from(is_trial));
    Ok(())
}

fn refund(mut line: Line<'_>, table: &mut Purchases) -> Checked {
    let inputs = &mut line.inputs;
    let [purchase_id, amount, currency] = inputs.payload(Known::Refund);
    let purchase_id = inputs.text(purchase_id);
    let amount = inputs.amount(amount);
    let currency = inputs.letters(currency);

    line.push_row(&mut table.envelope)?;
    table.kind.push(b"refund");
    table.purchase_id.push(purchase_id.unwrap_or_default());
    table.plan.push(b"");
    table.amount.push(amount);
    table.currency.push(currency);
    table.period_start.push(None);
    table.period_end.push(None);
    table.is_trial.push(0);
    Ok(())
}

fn task_result(mut line: Line<'_>, table: &mut TaskResults) -> Checked {
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

    line.push_row(&mut table.envelope)?;
    table.task_id.push(task_id.unwrap_or_default());
    table.course_id.push(course_id.unwrap_or_default());
    table.lesson_id.push(lesson_id.unwrap_or_default());
    table.is_correct.push(u8::from(is_correct));
    table.score.push(score);
    // The registry's ranges are those of the columns.
    table.attempt.push(attempt.map(|attempt| attempt as u16));
    table.duration_ms.push(duration_ms);
    table.hints_used.push(hints_used.map(|hints| hints as u16));
    Ok(())
}

fn session(mut line: Line<'_>, table: &mut Sessions) -> Checked {
    let inputs = &mut line.inputs;
    let [started_at, ended_at, device, os, referrer] = inputs.payload(Known::Session);
    let start = inputs.time(started_at);
    let end = inputs.time(ended_at);
    inputs.in_order(Known::Session, start, (ended_at, end));
    let device = inputs.text(device);
    let os = inputs.text(os);
    let referrer = inputs.text(referrer);

    line.push_row(&mut table.envelope)?;
    table.started_at.push(start.unwrap_or_default());
    table.ended_at.push(end);
    table.device.push(device.unwrap_or_default());
    table.os.push(os.unwrap_or_default());
    table.referrer.push(referrer.unwrap_or_default());
    Ok(())
}

fn assignment(mut line: Line<'_>, table: &mut AbTestAssignments) -> Checked {
    let inputs = &mut line.inputs;
    let [experiment_id, variant] = inputs.payload(Known::AbTestAssignment);
    let experiment_id = inputs.text(experiment_id);
    let variant = inputs.text(variant);

    line.push_row(&mut table.envelope)?;
    table.experiment_id.push(experiment_id.unwrap_or_default());
    table.variant.push(variant.unwrap_or_default());
    Ok(())
}
