//! The columns of each table, in the order of both passes.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use event_schema::value::Timestamp;

use super::super::input::{Input, Scope};
use super::Pass;
use crate::batch::{AbTestAssignments, Batch, EnvelopeColumns, Events, Purchases, Sessions, TaskResults};
use crate::walk::Known;

/// A pass through the columns of the table that a type of event belongs to.
#[inline(always)]
pub(super) fn go_through<P: Pass>(pass: &mut P, known: Option<Known>, limits: &Scope, batch: &mut Batch) {
    match known {
        None => events(pass, limits, &mut batch.events),
        Some(Known::Purchase) => purchases(pass, limits, &mut batch.purchases),
        Some(Known::Refund) => refunds(pass, limits, &mut batch.purchases),
        Some(Known::TaskResult) => task_results(pass, limits, &mut batch.task_results),
        Some(Known::Session) => sessions(pass, limits, &mut batch.sessions),
        Some(Known::AbTestAssignment) => assignments(pass, limits, &mut batch.ab_test_assignments),
    }
}

#[inline(always)]
fn envelope<P: Pass>(pass: &mut P, known: Option<Known>, limits: &Scope, columns: &mut EnvelopeColumns) {
    let [event_id, event_type, user_id, event_time, session_id, platform, app_version, country, properties] =
        const { Input::envelope() };
    let needs_session_id =
        known.is_some_and(|known| known.event_type().required_envelope.contains(&session_id.field.name));
    pass.uuids(event_id, &mut columns.event_id);
    match known {
        Some(known) => pass.type_name(known, &mut columns.event_type),
        None => pass.names(event_type, &mut columns.event_type),
    }
    pass.texts(user_id, true, &mut columns.user_id);
    pass.times(event_time, limits.event_time_end, &mut columns.event_time);
    pass.texts(session_id, needs_session_id, &mut columns.session_id);
    pass.names(platform, &mut columns.platform);
    pass.names(app_version, &mut columns.app_version);
    pass.letters(country, &mut columns.country);
    pass.objects(properties);
    pass.extra(&mut columns.extra);
    pass.origins(&mut columns.source_file, &mut columns.source_line);
}

#[inline(always)]
fn events<P: Pass>(pass: &mut P, limits: &Scope, table: &mut Events) {
    envelope(pass, None, limits, &mut table.envelope);
    let [.., properties] = const { Input::envelope() };
    pass.payloads(properties, &mut table.properties);
}

#[inline(always)]
fn purchases<P: Pass>(pass: &mut P, limits: &Scope, table: &mut Purchases) {
    const KNOWN: Known = Known::Purchase;
    let [purchase_id, plan, amount, currency, period_start, period_end, is_trial] =
        const { Input::payload(KNOWN) };
    envelope(pass, Some(KNOWN), limits, &mut table.envelope);
    pass.type_name(KNOWN, &mut table.kind);
    pass.texts(purchase_id, true, &mut table.purchase_id);
    pass.names(plan, &mut table.plan);
    pass.amounts(amount, &mut table.amount);
    pass.letters(currency, &mut table.currency);
    let start = pass.dates(period_start, &mut table.period_start);
    let end = pass.dates(period_end, &mut table.period_end);
    pass.in_order(KNOWN, start, end);
    pass.booleans(is_trial, &mut table.is_trial);
}

#[inline(always)]
fn refunds<P: Pass>(pass: &mut P, limits: &Scope, table: &mut Purchases) {
    const KNOWN: Known = Known::Refund;
    let [purchase_id, amount, currency] = const { Input::payload(KNOWN) };
    envelope(pass, Some(KNOWN), limits, &mut table.envelope);
    pass.type_name(KNOWN, &mut table.kind);
    pass.texts(purchase_id, true, &mut table.purchase_id);
    pass.no_texts(&mut table.plan);
    pass.amounts(amount, &mut table.amount);
    pass.letters(currency, &mut table.currency);
    pass.no_dates(&mut table.period_start);
    pass.no_dates(&mut table.period_end);
    pass.no_booleans(&mut table.is_trial);
}

#[inline(always)]
fn task_results<P: Pass>(pass: &mut P, limits: &Scope, table: &mut TaskResults) {
    const KNOWN: Known = Known::TaskResult;
    let [task_id, is_correct, course_id, lesson_id, score, attempt, duration_ms, hints_used] =
        const { Input::payload(KNOWN) };
    envelope(pass, Some(KNOWN), limits, &mut table.envelope);
    pass.texts(task_id, true, &mut table.task_id);
    pass.texts(course_id, false, &mut table.course_id);
    pass.texts(lesson_id, false, &mut table.lesson_id);
    pass.booleans(is_correct, &mut table.is_correct);
    pass.shares(score, &mut table.score);
    pass.integers(attempt, &mut table.attempt);
    pass.integers(duration_ms, &mut table.duration_ms);
    pass.integers(hints_used, &mut table.hints_used);
}

#[inline(always)]
fn sessions<P: Pass>(pass: &mut P, limits: &Scope, table: &mut Sessions) {
    const KNOWN: Known = Known::Session;
    let [started_at, ended_at, device, os, referrer] = const { Input::payload(KNOWN) };
    envelope(pass, Some(KNOWN), limits, &mut table.envelope);
    let start = pass.times(started_at, Timestamp::END_MILLIS, &mut table.started_at);
    let end = pass.optional_times(ended_at, &mut table.ended_at);
    pass.in_order(KNOWN, start, end);
    pass.names(device, &mut table.device);
    pass.names(os, &mut table.os);
    pass.texts(referrer, false, &mut table.referrer);
}

#[inline(always)]
fn assignments<P: Pass>(pass: &mut P, limits: &Scope, table: &mut AbTestAssignments) {
    const KNOWN: Known = Known::AbTestAssignment;
    let [experiment_id, variant] = const { Input::payload(KNOWN) };
    envelope(pass, Some(KNOWN), limits, &mut table.envelope);
    pass.names(experiment_id, &mut table.experiment_id);
    pass.names(variant, &mut table.variant);
}
