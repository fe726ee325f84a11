//! A model checker for the protocol: every interleaving of small cases.
//!
//! A state is what the server holds and how far each actor has come. All states that can be reached are visited. A
//! crash needs no step of its own: an actor that is never moved again has crashed there. A suspended one is one
//! that is moved again after a day has passed. A statement that was sent runs on in the server, whatever becomes of
//! its client.
//!
//! The decisions are those of the product ([`fate`], [`to_drop`], [`holding`]); the conditions of a commit's
//! statement, which is SQL, are written down a second time here.

use std::collections::HashSet;

use super::*;

/// Tables of events; a load writes one row into each.
const TABLES: [&str; 2] = ["events", "purchases"];
/// The load that is committed before anything happens.
const FORMER: usize = 0;
const HOUR: i64 = 3_600_000;
const START: i64 = 1_000 * 24 * HOUR;

type Id = usize;

/// What may happen in a case, besides the steps of its actors. All of it at once would be too many states.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct May {
    /// A day passes for whoever sleeps.
    pass_a_day: bool,
    /// The server's clock is set back.
    set_the_clock_back: bool,
    /// A commit's acknowledgement is lost, and it is sent again.
    commit_again: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    may: May,
    days_passed: i64,
    server_set_back: bool,
    /// By load and table: when the row was written.
    rows: Vec<[Option<i64>; 2]>,
    commits: Vec<CommitRow>,
    abandoned: Vec<bool>,
    loads: Vec<Load>,
    sweeps: Vec<Sweep>,
    reader: Reader,
}

/// Who commits: a load, a replay, or whoever takes the day back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    Load,
    Replay,
    Unload,
}

/// One of them at work.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Load {
    kind: Kind,
    /// The commit that a replay builds on.
    base: Option<CommitRow>,
    step: LoadStep,
    statement: Statement,
    attempts: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum LoadStep {
    Begin,
    Write(usize),
    Commit,
    Discard(usize),
    Done,
}

/// A commit's statement in the server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Statement {
    None,
    Running,
    /// It has looked at its conditions and at the clock.
    Looked {
        holds: bool,
        committed_at: i64,
        seen: usize,
    },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Sweep {
    step: SweepStep,
    found: Vec<(Id, usize)>,
    first: Vec<(Id, usize, Fate)>,
    awaited: Vec<Query>,
    plan: Vec<(Id, usize, Fate)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum SweepStep {
    #[default]
    List,
    Judge,
    LookAtQueries,
    Wait,
    ListAgain,
    JudgeAgain,
    Drop,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Query {
    CommitOf(Id),
    Reader(u8),
}

/// A query over both views.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Reader {
    queries: u8,
    is_running: bool,
    shown: Option<Vec<Uuid>>,
    snapshot: Option<Vec<bool>>,
}

impl State {
    fn new(loads: &[Kind], sweeps: usize, may: May) -> State {
        let count = loads.len() + 1;
        let mut rows = vec![[None; 2]; count];
        rows[FORMER] = [Some(START); 2];
        let loads = [Kind::Load].iter().chain(loads).enumerate().map(|(id, kind)| Load {
            kind: *kind,
            base: None,
            step: if id == FORMER { LoadStep::Done } else { LoadStep::Begin },
            statement: Statement::None,
            attempts: 0,
        });
        State {
            may,
            days_passed: 0,
            server_set_back: false,
            rows,
            commits: vec![commit_row(START, FORMER, vec![load_id(FORMER)])],
            abandoned: vec![false; count],
            loads: loads.collect(),
            sweeps: vec![Sweep::default(); sweeps],
            reader: Reader::default(),
        }
    }

    fn client_clock(&self) -> i64 {
        START + HOUR + self.days_passed * 25 * HOUR
    }

    fn server_clock(&self) -> i64 {
        // Set back before the former commit.
        self.client_clock() - if self.server_set_back { 3 * HOUR } else { 0 }
    }

    fn running(&self) -> Vec<Query> {
        let statements = self.loads.iter().enumerate().filter(|(_, load)| load.statement != Statement::None);
        let mut running: Vec<Query> = statements.map(|(id, _)| Query::CommitOf(id)).collect();
        running.extend(self.reader.is_running.then_some(Query::Reader(self.reader.queries)));
        running
    }

    /// What the statement of a load finds.
    fn conditions_hold(&self, id: Id) -> bool {
        let named = self.names(id);
        let is_fresh = !self
            .commits
            .iter()
            .any(|commit| commit.commit_id == commit_id(id) || commit.load_ids.contains(&load_id(id)));
        let base_holds = self.loads[id].base.as_ref().is_none_or(|base| holding(&self.commits) == Some(base));
        let alive = !(0..self.loads.len()).any(|load| self.abandoned[load] && named.contains(&load_id(load)));
        let all_rows = (0..self.loads.len())
            .filter(|load| named.contains(&load_id(*load)))
            .all(|load| self.rows[load].iter().all(Option::is_some));
        is_fresh && base_holds && alive && all_rows
    }

    /// The loads that a load's commit names.
    fn names(&self, id: Id) -> Vec<Uuid> {
        let mut names = self.loads[id].base.as_ref().map_or(Vec::new(), |base| base.load_ids.clone());
        names.extend((self.loads[id].kind != Kind::Unload).then(|| load_id(id)));
        names
    }

    fn stored(&self, (load, table): (Id, usize)) -> Option<StoredLoad> {
        self.rows[load][table].map(|last_written| StoredLoad {
            table: TABLES[table].to_owned(),
            batch_date: date(),
            load_id: load_id(load),
            last_written,
            is_staged: false,
            is_abandoned: self.abandoned[load],
        })
    }

    fn invisible(&self) -> Vec<(Id, usize)> {
        let shown = &holding(&self.commits).expect("there is a former commit").load_ids;
        let all = (0..self.loads.len()).flat_map(|load| [(load, 0), (load, 1)]);
        all.filter(|at| self.stored(*at).is_some_and(|stored| !shown.contains(&stored.load_id))).collect()
    }

    fn judge(&self, found: &[(Id, usize)]) -> Vec<(Id, usize, Fate)> {
        let clocks = Clocks { server: self.server_clock(), client: self.client_clock() };
        let judge = |at: &(Id, usize)| {
            let stored = self.stored(*at)?;
            Some((at.0, at.1, fate(&stored, &self.commits, clocks)))
        };
        found.iter().filter_map(judge).collect()
    }

    /// Every state that is one step away.
    fn next(&self) -> Vec<State> {
        let mut next = Vec::new();
        let mut add = |change: &dyn Fn(&mut State)| {
            let mut state = self.clone();
            change(&mut state);
            next.push(state);
        };
        if self.may.pass_a_day && self.days_passed == 0 {
            add(&|state| state.days_passed = 1);
        }
        if self.may.set_the_clock_back && !self.server_set_back {
            add(&|state| state.server_set_back = true);
        }
        for id in 0..self.loads.len() {
            if self.loads[id].step != LoadStep::Done {
                add(&|state| state.step_load(id));
            }
            match self.loads[id].statement {
                Statement::None => {}
                Statement::Running => add(&|state| state.look(id)),
                Statement::Looked { .. } => add(&|state| state.write(id)),
            }
        }
        for index in 0..self.sweeps.len() {
            let sweep = &self.sweeps[index];
            let waits = sweep.step == SweepStep::Wait
                && self.running().iter().any(|query| sweep.awaited.contains(query));
            let is_done = sweep.step == SweepStep::Drop && sweep.plan.is_empty();
            if !waits && !is_done {
                add(&|state| state.step_sweep(index));
            }
        }
        if self.reader.queries < 1 || self.reader.is_running {
            add(&|state| state.step_reader());
        }
        next
    }

    fn step_load(&mut self, id: Id) {
        let is_running = self.loads[id].statement != Statement::None;
        let clock = self.server_clock();
        let is_committed = self.commits.iter().any(|commit| commit.commit_id == commit_id(id));
        let load = &mut self.loads[id];
        load.step = match load.step {
            LoadStep::Begin => match load.kind {
                Kind::Load => LoadStep::Write(0),
                Kind::Replay => {
                    let base = holding(&self.commits).expect("one holds");
                    load.base = Some(base.clone());
                    // Of a day that was taken back there is nothing to replay.
                    if base.load_ids.is_empty() { LoadStep::Done } else { LoadStep::Write(0) }
                }
                Kind::Unload => LoadStep::Commit,
            },
            LoadStep::Write(table) => {
                self.rows[id][table] = Some(clock);
                if table == 0 { LoadStep::Write(1) } else { LoadStep::Commit }
            }
            // The server runs one query of an id at a time: the second attempt waits.
            LoadStep::Commit if is_running => LoadStep::Commit,
            LoadStep::Commit if load.attempts > 0 && is_committed => LoadStep::Done,
            LoadStep::Commit if load.attempts < 1 + u8::from(self.may.commit_again) => {
                load.attempts += 1;
                load.statement = Statement::Running;
                LoadStep::Commit
            }
            LoadStep::Commit => LoadStep::Discard(0),
            LoadStep::Discard(table) => {
                self.rows[id][table] = None;
                if table == 0 { LoadStep::Discard(1) } else { LoadStep::Done }
            }
            LoadStep::Done => unreachable!("a load that is done takes no step"),
        };
    }

    fn look(&mut self, id: Id) {
        let latest = self.commits.iter().map(|commit| commit.committed_at).max().unwrap_or_default();
        self.loads[id].statement = Statement::Looked {
            holds: self.conditions_hold(id),
            committed_at: self.server_clock().max(latest + 1),
            seen: self.commits.len(),
        };
    }

    fn write(&mut self, id: Id) {
        let Statement::Looked { holds, committed_at, seen } = self.loads[id].statement else {
            unreachable!("a statement writes after it has looked")
        };
        self.loads[id].statement = Statement::None;
        if !holds {
            return;
        }
        let is_alone = seen == self.commits.len();
        self.commits.push(commit_row(committed_at, id, self.names(id)));
        if is_alone {
            let holds = holding(&self.commits).map(|commit| commit.commit_id);
            assert_eq!(holds, Some(commit_id(id)), "a later commit holds, whatever the clock: {self:#?}");
        }
    }

    fn step_sweep(&mut self, index: usize) {
        let mut sweep = std::mem::take(&mut self.sweeps[index]);
        sweep.step = match sweep.step {
            SweepStep::List => {
                sweep.found = self.invisible();
                SweepStep::Judge
            }
            SweepStep::Judge => {
                sweep.first = self.judge(&sweep.found);
                for (load, _, fate) in &sweep.first {
                    self.abandoned[*load] |= *fate == Fate::Abandoned;
                }
                SweepStep::LookAtQueries
            }
            SweepStep::LookAtQueries => {
                sweep.awaited = self.running();
                SweepStep::Wait
            }
            SweepStep::Wait => SweepStep::ListAgain,
            SweepStep::ListAgain => {
                sweep.found = self.invisible();
                SweepStep::JudgeAgain
            }
            SweepStep::JudgeAgain => {
                sweep.plan = self.plan(&sweep.first, &self.judge(&sweep.found));
                SweepStep::Drop
            }
            SweepStep::Drop => {
                let (load, table, fate) = sweep.plan.pop().expect("something is left to drop");
                let is_at_work = !matches!(self.loads[load].step, LoadStep::Done);
                assert!(
                    fate == Fate::Superseded || self.days_passed > 0 || !is_at_work,
                    "a load at work is swept: {self:#?}"
                );
                self.rows[load][table] = None;
                SweepStep::Drop
            }
        };
        self.sweeps[index] = sweep;
    }

    fn plan(&self, first: &[(Id, usize, Fate)], second: &[(Id, usize, Fate)]) -> Vec<(Id, usize, Fate)> {
        let stored = |found: &[(Id, usize, Fate)]| -> Vec<(StoredLoad, Fate)> {
            let with_fate = |(load, table, fate): &(Id, usize, Fate)| {
                // What is gone meanwhile is not in the second list; its other fields decide nothing.
                let stored = self.stored((*load, *table)).unwrap_or(StoredLoad {
                    table: TABLES[*table].to_owned(),
                    batch_date: date(),
                    load_id: load_id(*load),
                    last_written: 0,
                    is_staged: false,
                    is_abandoned: false,
                });
                (stored, *fate)
            };
            found.iter().map(with_fate).collect()
        };
        let dropped = to_drop(&stored(first), &stored(second));
        let is_dropped = |(load, table, _): &&(Id, usize, Fate)| {
            dropped.iter().any(|stored| stored.load_id == load_id(*load) && stored.table == TABLES[*table])
        };
        second.iter().filter(is_dropped).copied().collect()
    }

    /// A query is seen to run; looks at the commits; takes its snapshot of one table, and of the other.
    fn step_reader(&mut self) {
        if !self.reader.is_running {
            self.reader.is_running = true;
            return;
        }
        let Some(shown) = self.reader.shown.clone() else {
            self.reader.shown = Some(holding(&self.commits).expect("one holds").load_ids.clone());
            return;
        };
        let has = |table: usize| -> Vec<bool> {
            let named = (0..self.loads.len()).filter(|load| shown.contains(&load_id(*load)));
            named.map(|load| self.rows[load][table].is_some()).collect()
        };
        match self.reader.snapshot.take() {
            None => {
                let snapshot = has(0);
                assert!(snapshot.iter().all(|there| *there), "a reader sees half a day: {self:#?}");
                self.reader.snapshot = Some(snapshot);
            }
            Some(_) => {
                assert!(has(1).iter().all(|there| *there), "a reader sees half a day: {self:#?}");
                let queries = self.reader.queries + 1;
                self.reader = Reader { queries, ..Reader::default() };
            }
        }
    }

    /// What holds in every state: whoever begins to read now finds all rows, once.
    fn check(&self) {
        let shown = &holding(&self.commits).expect("one holds").load_ids;
        let distinct: HashSet<&Uuid> = shown.iter().collect();
        assert_eq!(distinct.len(), shown.len(), "a row is shown twice: {self:#?}");
        for load in (0..self.loads.len()).filter(|load| shown.contains(&load_id(*load))) {
            assert!(self.rows[load].iter().all(Option::is_some), "half a day holds: {self:#?}");
        }
        // A day is one load, what a replay has added to it, or nothing.
        let plain = shown.iter().filter(|id| {
            (0..self.loads.len()).any(|load| load_id(load) == **id && self.loads[load].kind == Kind::Load)
        });
        assert!(shown.is_empty() || plain.count() == 1, "two days are mixed: {self:#?}");
    }
}

fn date() -> Date {
    "2026-03-01".parse().expect("a date")
}

/// A UUIDv7 of the model's start.
fn load_id(id: Id) -> Uuid {
    Uuid::from_u64_pair((START as u64) << 16 | 0x7000, 0x8000_0000_0000_0000 | id as u64)
}

fn commit_id(id: Id) -> Uuid {
    Uuid::from_u64_pair(0x7000, 0x8000_0000_0000_0000 | id as u64)
}

fn commit_row(committed_at: i64, id: Id, load_ids: Vec<Uuid>) -> CommitRow {
    CommitRow { batch_date: date(), committed_at, commit_id: commit_id(id), load_ids }
}

/// Visits every state; how many there are.
fn explore(start: State) -> usize {
    let (mut seen, mut open) = (HashSet::from([start.clone()]), vec![start]);
    while let Some(state) = open.pop() {
        state.check();
        for next in state.next() {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen.len()
}

fn check(loads: &[Kind], sweeps: usize, may: May) {
    let states = explore(State::new(loads, sweeps, may));
    println!("{states} states");
    assert!(states > 1000, "only {states} states");
}

#[test]
fn a_load_and_a_replay_and_a_sweep() {
    check(&[Kind::Load, Kind::Replay], 1, May::default());
}

#[test]
fn two_loads_and_a_sweep() {
    check(&[Kind::Load, Kind::Load], 1, May::default());
}

#[test]
fn a_load_that_sleeps_and_two_sweeps() {
    check(&[Kind::Load], 2, May { pass_a_day: true, ..May::default() });
}

#[test]
fn one_that_sleeps_and_commits_again_by_a_clock_that_is_set_back_and_a_sweep() {
    for kind in [Kind::Load, Kind::Replay, Kind::Unload] {
        check(&[kind], 1, May { pass_a_day: true, commit_again: true, set_the_clock_back: true });
    }
}

#[test]
fn two_replays_and_a_sweep() {
    check(&[Kind::Replay, Kind::Replay], 1, May::default());
}

#[test]
fn one_that_takes_the_day_back_beside_a_load_or_a_replay_and_a_sweep() {
    for kind in [Kind::Load, Kind::Replay] {
        check(&[Kind::Unload, kind], 1, May::default());
    }
}
