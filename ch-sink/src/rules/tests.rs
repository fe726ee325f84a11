//! The rules, one by one.

use super::*;

const HOUR: i64 = 3_600_000;

fn id(began_hours: i64, number: u64) -> Uuid {
    Uuid::from_u64_pair(((began_hours * HOUR) as u64) << 16 | 0x7000, 0x8000_0000_0000_0000 | number)
}

fn stored(load_id: Uuid, written_hours: i64) -> StoredLoad {
    StoredLoad {
        table: "events".to_owned(),
        batch_date: "2026-03-01".parse().unwrap(),
        load_id,
        last_written: written_hours * HOUR,
        is_staged: false,
        is_abandoned: false,
    }
}

fn fate_at(stored: &StoredLoad, server_hours: i64, client_hours: i64) -> Fate {
    fate(stored, &[], Clocks { server: server_hours * HOUR, client: client_hours * HOUR })
}

#[test]
fn the_latest_commit_holds_and_ties_are_broken_as_the_engine_does() {
    let row = |committed_at, commit_id| CommitRow {
        batch_date: "2026-03-01".parse().unwrap(),
        committed_at,
        commit_id,
        load_ids: Vec::new(),
    };
    let (low, high) = (Uuid::from_u64_pair(9, 1), Uuid::from_u64_pair(1, 2));
    let commits = [row(5, high), row(7, low), row(7, high), row(6, high)];
    assert_eq!(holding(&commits), Some(&commits[2]));
}

#[test]
fn a_load_is_dead_when_every_clock_says_so() {
    let load = stored(id(1000, 1), 1001);
    assert_eq!(fate_at(&load, 1025, 1025), Fate::InProgress);
    assert_eq!(fate_at(&load, 1026, 1026), Fate::Abandoned);
    // A server's clock that jumped by a week, or a sweeper's.
    assert_eq!(fate_at(&load, 1170, 1002), Fate::InProgress);
    assert_eq!(fate_at(&load, 1002, 1170), Fate::InProgress);
    // It wrote a moment ago.
    assert_eq!(fate_at(&stored(id(1000, 1), 1069), 1070, 1070), Fate::InProgress);
    // An id that nobody of ours has made.
    assert_eq!(fate_at(&stored(Uuid::from_u64_pair(1, 1), 1), 2000, 2000), Fate::InProgress);
}

#[test]
fn rejects_and_staged_loads_are_kept_for_a_week() {
    let rejects = StoredLoad { table: REJECTED_EVENTS.table.to_owned(), ..stored(id(1000, 1), 1000) };
    let staged = StoredLoad { is_staged: true, ..stored(id(1000, 1), 1000) };
    for load in [rejects.clone(), staged.clone()] {
        assert_eq!(fate_at(&load, 1168, 1168), Fate::InProgress);
        assert_eq!(fate_at(&load, 1169, 1169), Fate::Abandoned);
    }
    // Given up by hand: rows go at once, what tells why stays.
    assert_eq!(fate_at(&StoredLoad { is_abandoned: true, ..staged }, 1001, 1001), Fate::Abandoned);
    assert_eq!(fate_at(&StoredLoad { is_abandoned: true, ..rejects }, 1001, 1001), Fate::InProgress);
}

#[test]
fn only_what_two_looks_agree_on_is_dropped() {
    let (a, b, c) = (stored(id(1, 1), 1), stored(id(1, 2), 1), stored(id(1, 3), 1));
    let first = [(a.clone(), Fate::Superseded), (b.clone(), Fate::InProgress), (c.clone(), Fate::Abandoned)];
    let second = [(a.clone(), Fate::Superseded), (b, Fate::Superseded), (c, Fate::Visible)];
    assert_eq!(to_drop(&first, &second), [a]);
}

#[test]
fn a_commit_that_names_no_load_leaves_the_former_ones_to_the_sweep() {
    let load = stored(id(1000, 1), 1000);
    let row = |committed_at, load_ids| CommitRow {
        batch_date: load.batch_date,
        committed_at,
        commit_id: Uuid::from_u64_pair(1, committed_at as u64),
        load_ids,
    };
    let clocks = Clocks { server: 1001 * HOUR, client: 1001 * HOUR };
    let loaded = [row(1, vec![load.load_id])];
    assert_eq!(fate(&load, &loaded, clocks), Fate::Visible);
    let taken_back = [row(1, vec![load.load_id]), row(2, Vec::new())];
    assert_eq!(fate(&load, &taken_back, clocks), Fate::Superseded);
}
