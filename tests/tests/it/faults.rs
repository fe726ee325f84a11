//! Whatever breaks, and whenever: the day is one of a clean load, whole, and never half of it can be seen.
//!
//! Every run here breaks one thing at one request of the program, counted by a proxy between it and a server of the
//! test's own. Meanwhile a reader asks all views at once, with slow snapshots, so that a query straddles many steps
//! of the load. Each test prints how many runs it made.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use event_generator::{Generator, Plan};
use integration_tests::proxy::{Fault, Proxy, Rule};
use integration_tests::world::{self, World};
use local_clickhouse::Server;
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";
const TABLES: [&str; 6] =
    ["events", "purchases", "task_results", "sessions", "ab_test_assignments", "rejected_events"];
/// No load here makes more requests.
const MOST_REQUESTS: u64 = 200;

/// A server of the test's own, a proxy before it, and two days' worth of files to choose from.
struct Arena {
    server: Arc<Mutex<Option<Server>>>,
    proxy: Proxy,
    world: World,
    /// What the views hold after a clean load of `a.jsonl` and of `b.jsonl`.
    states: [Value; 2],
}

impl Arena {
    fn new(name: &str) -> Arena {
        let server = world::own_server(name);
        let world = World::at(name, &server.url());
        let address = SocketAddr::from(([127, 0, 0, 1], server.http_port()));
        let states = [1, 2].map(|seed| {
            let plan = Plan { seed, ..Plan::new(DAY.parse().unwrap(), 1, 400) };
            let mut lines = Vec::new();
            Generator::new(plan).unwrap().write_day(DAY.parse().unwrap(), 0, 1, &mut lines).unwrap();
            // Something for the views of rejected lines, too.
            lines.extend_from_slice("no event\n".repeat(seed as usize).as_bytes());
            let name = file(seed as usize - 1);
            fs::write(world.path(name), lines).unwrap();
            world.load(DAY, &["--max-reject-ratio", "1", name]);
            contents(&world, 0).expect("the server answers")
        });
        assert_ne!(states[0], states[1]);
        Arena { server: Arc::new(Mutex::new(Some(server))), proxy: Proxy::to(address), world, states }
    }

    /// Starts the program with the proxy between it and the server.
    fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.world.schoolbell();
        command.env("CLICKHOUSE_URL", self.proxy.url()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn state(&self) -> Value {
        contents(&self.world, 0).expect("the server answers")
    }

    /// Runs `work` while a reader looks; each answer it gets must be one of the states.
    fn watched(&self, work: impl FnOnce()) {
        let (over, looks) = (AtomicBool::new(false), AtomicU64::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    // A server that is down is no state.
                    let Some(seen) = contents(&self.world, 3) else { continue };
                    looks.fetch_add(1, Ordering::SeqCst);
                    assert!(
                        self.states.contains(&seen),
                        "a reader sees {seen}\nneither of {:#?}",
                        self.states
                    );
                }
            });
            // The reader ends also if the work panics.
            let _over = SetWhenDropped(&over);
            work();
        });
        let looks = looks.into_inner();
        assert!(looks > 0, "nobody has looked");
        println!("a reader has looked {looks} times");
    }
}

fn file(index: usize) -> &'static str {
    ["a.jsonl", "b.jsonl"][index]
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rows and a hash of every view, read by one query, whose snapshots take so many milliseconds each.
fn contents(world: &World, snapshot_millis: u32) -> Option<Value> {
    let views: Vec<String> = TABLES
        .iter()
        .map(|table| {
            format!(
                "(SELECT (count(), sum(sipHash64(* EXCEPT load_id)), uniqExact(load_id)) FROM {{raw}}.{table})"
            )
        })
        .collect();
    let sql = format!(
        "SELECT {} SETTINGS merge_tree_storage_snapshot_sleep_ms = {snapshot_millis}",
        views.join(", ")
    );
    world.try_query(&sql).map(|mut rows| rows.remove(0))
}

fn load(index: usize) -> [&'static str; 7] {
    ["load", "--batch-date", DAY, "--force", "--max-reject-ratio", "1", file(index)]
}

/// Days in turn: `b.jsonl` over `a.jsonl`, and the other way round.
fn in_turn(run: u64) -> usize {
    (run % 2) as usize
}

/// Kills the program when it makes the request of that number; the server still gets it. `false` if it made fewer
/// and came to its end.
fn is_killed_at(arena: &Arena, request: u64, arguments: &[&str]) -> bool {
    arena.proxy.reset();
    let victim: Arc<Mutex<Option<Child>>> = Arc::default();
    let kill = {
        let victim = Arc::clone(&victim);
        // It holds the lock until the program is known.
        move |_: &_| lock(&victim).as_mut().expect("it has sent something").kill().unwrap()
    };
    arena.proxy.add(Rule::new(|_| true, Fault::First(Box::new(kill))).skip(request).times(1));
    let mut held = lock(&victim);
    *held = Some(arena.spawn(arguments));
    drop(held);
    let status = loop {
        // Not held while it waits: the kill needs the lock.
        if let Some(status) = lock(&victim).as_mut().expect("it was started").try_wait().unwrap() {
            break status;
        }
        thread::yield_now();
    };
    assert!(status.success() || status.code().is_none(), "{arguments:?} failed by itself: {status}");
    !status.success()
}

/// The run of that number with a kill at each request, until one comes to its end; how many kills.
fn kills(arena: &Arena, arguments: impl Fn(u64) -> Vec<String>, recover: impl Fn(u64)) -> u64 {
    for request in 0..MOST_REQUESTS {
        let arguments = arguments(request);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (before, after) = (&arena.states[1 - in_turn(request)], &arena.states[in_turn(request)]);
        let is_killed = is_killed_at(arena, request, &arguments);
        let seen = arena.state();
        assert!(seen == *before || seen == *after, "after a kill at request {request}: {seen}");
        recover(request);
        assert_eq!(arena.state(), *after, "again, after a kill at request {request}");
        if !is_killed {
            return request;
        }
    }
    panic!("{MOST_REQUESTS} requests and no end")
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

#[test]
fn killed_at_every_request() {
    let mut arena = Arena::new("killed");
    let world = &arena.world;
    let mut count = 0;
    arena.watched(|| {
        // The arena ends with `b.jsonl`; the first run loads `a.jsonl` over it.
        let again = |run| drop(world.succeed(&load(in_turn(run))));
        let loads = kills(&arena, |run| owned(&load(in_turn(run))), again);
        again(1);
        let stage = |run| {
            let name = file(in_turn(run));
            owned(&["load", "--batch-date", DAY, "--stage", name])
        };
        let commit = ["load", "--batch-date", DAY, "--commit", "--force", "--max-reject-ratio", "1"];
        let stages = kills(&arena, stage, |run| {
            world.succeed(&stage(run).iter().map(String::as_str).collect::<Vec<_>>());
            world.succeed(&commit);
        });
        again(1);
        let commits = kills(
            &arena,
            |run| {
                world.succeed(&stage(run).iter().map(String::as_str).collect::<Vec<_>>());
                owned(&commit)
            },
            |_| drop(world.succeed(&commit[..4])),
        );
        println!("killed {loads} times in a load, {stages} in a stage, {commits} in a commit");
        count = loads + stages + commits;
    });
    assert!(count >= 30, "{count}");
    assert_eq!(left_over(&arena), json!([1, 1]), "loads stored and shown, after the last sweep");

    // A replay of mended lines: the day without them, and with them.
    let world = &arena.world;
    world.succeed(&load(1));
    world.succeed(&[
        "rejects",
        "export",
        "--batch-date",
        DAY,
        "--reason",
        "invalid_json",
        "--out",
        "bad.jsonl",
    ]);
    mend(world, "bad.jsonl");
    let replay = ["rejects", "replay", "--batch-date", DAY, "--from", "bad.jsonl"];
    let without = arena.state();
    world.succeed(&replay);
    arena.states = [arena.state(), without];
    assert_ne!(arena.states[0], arena.states[1]);
    let world = &arena.world;
    arena.watched(|| {
        let mut count = 0;
        for request in 0..MOST_REQUESTS {
            world.succeed(&load(1));
            assert_eq!(arena.state(), arena.states[1]);
            // Of this load: an export names the loads that have rejected its lines.
            world.succeed(&[
                "rejects",
                "export",
                "--batch-date",
                DAY,
                "--reason",
                "invalid_json",
                "--out",
                "bad.jsonl",
            ]);
            mend(world, "bad.jsonl");
            let is_killed = is_killed_at(&arena, request, &replay);
            let seen = arena.state();
            assert!(arena.states.contains(&seen), "after a kill at request {request}: {seen}");
            world.succeed(&replay);
            assert_eq!(arena.state(), arena.states[0], "replayed again after a kill at request {request}");
            if !is_killed {
                break;
            }
            count += 1;
        }
        println!("killed {count} times in a replay");
        assert!(count >= 10, "{count}");
    });
}

/// Writes an event in the place of every line.
fn mend(world: &World, name: &str) {
    let lines = fs::read_to_string(world.path(name)).unwrap().lines().count();
    let events: Vec<String> = (0..lines)
        .map(|line| {
            format!(
                "{{\"event_id\":\"00000000-0000-4000-8000-{line:012}\",\"event_type\":\"mended\",\"user_id\":\"u\",\
                 \"event_time\":\"{DAY}T09:00:00Z\"}}\n"
            )
        })
        .collect();
    fs::write(world.path(name), events.concat()).unwrap();
}

/// How many loads have rows of events, once a sweep has nobody to wait for; and how many of them are shown.
fn left_over(arena: &Arena) -> Value {
    arena.world.succeed(&load(0));
    let loads = "SELECT uniqExact(load_id), (SELECT uniqExact(load_id) FROM {raw}.events) FROM {raw}.events_data \
                 WHERE load_id IN (SELECT arrayJoin(load_ids) FROM {raw}.loads)";
    arena.world.query(loads).remove(0)
}

#[test]
fn connections_cut_delayed_and_refused_at_every_request() {
    let arena = Arena::new("cut");
    let mut runs = 0;
    arena.watched(|| {
        for request in 0..MOST_REQUESTS {
            let mut is_over = true;
            let faults = [
                Fault::CutRequest { after: 0 },
                // In the middle of a block of rows. Never inside a request's head: of that the local engine dies.
                Fault::CutRequest { after: 8000 },
                // Done, and nobody hears of it.
                Fault::CutAnswer { after: 0 },
                Fault::Answer { status: 503, body: "busy".to_owned() },
            ];
            for fault in faults {
                arena.proxy.reset();
                arena.proxy.add(Rule::new(|_| true, fault).skip(request).times(1));
                let target = in_turn(runs);
                let output = arena.spawn(&load(target)).wait_with_output().unwrap();
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "request {request}: {stderr}");
                assert_eq!(arena.state(), arena.states[target], "request {request}");
                is_over &= (arena.proxy.requests().len() as u64) <= request;
                runs += 1;
            }
            if is_over {
                println!("{runs} runs over {request} requests");
                return;
            }
        }
        panic!("{MOST_REQUESTS} requests and no end");
    });
    assert!(runs > 60, "{runs}");

    // Everything is slow, and nothing is lost.
    arena.proxy.reset();
    arena.proxy.add(Rule::new(|_| true, Fault::Delay(Duration::from_millis(20))));
    arena.watched(|| {
        for target in [0, 1] {
            assert!(arena.spawn(&load(target)).wait().unwrap().success());
            assert_eq!(arena.state(), arena.states[target]);
        }
    });
}

#[test]
fn the_server_killed_and_restarted_at_every_request() {
    let arena = Arena::new("server_killed");
    let (mut runs, mut gave_up) = (0, 0);
    arena.watched(|| {
        for request in 0..MOST_REQUESTS {
            arena.proxy.reset();
            let server = Arc::clone(&arena.server);
            let restarted = Arc::new(Mutex::new(None));
            let restart = {
                let restarted = Arc::clone(&restarted);
                move |_: &_| {
                    let server = Arc::clone(&server);
                    // Others of the program's requests are on their way meanwhile, as this one is.
                    *lock(&restarted) = Some(thread::spawn(move || {
                        let mut server = lock(&server);
                        let killed = server.take().expect("it runs");
                        let port = killed.http_port();
                        killed.kill();
                        *server = Some(world::restart_server("server_killed", port));
                    }));
                }
            };
            arena.proxy.add(Rule::new(|_| true, Fault::First(Box::new(restart))).skip(request).times(1));
            let target = in_turn(request);
            let output = arena.spawn(&load(target)).wait_with_output().unwrap();
            let restarted = lock(&restarted).take();
            let is_over = restarted.is_none();
            if let Some(restarted) = restarted {
                restarted.join().unwrap();
            }
            let stderr = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => {}
                // The server has remembered a block's token and lost the block: its count says so.
                Some(75) => {
                    gave_up += 1;
                    let seen = arena.state();
                    assert!(arena.states.contains(&seen), "request {request}: {seen}");
                    arena.world.succeed(&load(target));
                }
                code => panic!("request {request}: {code:?}: {stderr}"),
            }
            assert_eq!(arena.state(), arena.states[target], "request {request}: {stderr}");
            if is_over {
                break;
            }
            runs += 1;
        }
    });
    println!("killed and restarted {runs} times; {gave_up} loads asked to be started again");
    assert!(runs >= 15 && gave_up < runs / 2, "{gave_up} of {runs}");
}

#[test]
fn a_load_that_is_swept_while_it_sleeps_does_not_commit() {
    let arena = Arena::new("swept_alive");
    let before = arena.state();
    // As it is about to commit it sleeps for more than a day, and another load sweeps it; at first it is only given
    // up, then its rows are gone as well.
    for are_rows_gone in [false, true] {
        arena.proxy.reset();
        let (url, raw) = (arena.world.url().to_owned(), arena.world.database("raw"));
        let sweep = move |_: &_| {
            let run = |sql: &str| local_clickhouse::query(&url, sql).unwrap();
            let id = run(&format!(
                "SELECT DISTINCT load_id FROM {raw}.events_data WHERE load_id NOT IN \
                 (SELECT arrayJoin(load_ids) FROM {raw}.loads) AND load_id NOT IN (SELECT load_id FROM {raw}.dead_loads)"
            ));
            let id = id.trim();
            if !are_rows_gone {
                run(&format!("INSERT INTO {raw}.dead_loads (batch_date, load_id) VALUES ('{DAY}', '{id}')"));
                return;
            }
            run(&format!("ALTER TABLE {raw}.events_data DROP PARTITION ('{DAY}', '{id}')"));
        };
        // Of all statements only the commit has an id.
        let is_commit = |head: &integration_tests::proxy::Head| head.target().contains("query_id");
        arena.proxy.add(Rule::new(is_commit, Fault::First(Box::new(sweep))).times(1));
        let output = arena.spawn(&load(0)).wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(75), "{stderr}");
        let told = if are_rows_gone { "events_data has 0 rows" } else { "removed them as dead" };
        assert!(stderr.contains(told), "{stderr}");
        assert_eq!(arena.state(), before);
    }
    arena.world.succeed(&load(0));
    assert_eq!(arena.state(), arena.states[0]);
}

#[test]
fn a_clock_that_was_set_back_does_not_let_an_older_commit_hold() {
    let arena = Arena::new("clock");
    // As if the clock had been ten years ahead at the last commit.
    arena.world.query(
        "INSERT INTO {raw}.loads SELECT * REPLACE (committed_at + INTERVAL 10 YEAR AS committed_at, \
         generateUUIDv7() AS commit_id) FROM {raw}.loads ORDER BY committed_at DESC LIMIT 1",
    );
    for target in [0, 1, 0] {
        arena.world.succeed(&load(target));
        assert_eq!(arena.state(), arena.states[target]);
    }
}

#[test]
fn a_query_that_straddles_a_commit_keeps_what_it_has_begun_to_read() {
    let arena = Arena::new("straddle");
    let (old, new) = (&arena.states[1], &arena.states[0]);
    let slow = thread::scope(|scope| {
        // Its snapshots take a second each; the load below is done long before the last of them.
        let slow = scope.spawn(|| contents(&arena.world, 1000));
        let running = "SELECT count() FROM system.processes WHERE query LIKE '%snapshot_sleep_ms = 1000%' \
                       AND query NOT LIKE '%processes%' AND elapsed > 1.5";
        while arena.world.query(running) == [json!([0])] {
            thread::yield_now();
        }
        arena.world.succeed(&load(0));
        assert_eq!(arena.state(), *new);
        let loads = arena.world.query("SELECT uniqExact(load_id) FROM {raw}.events_data");
        assert_eq!(loads, [json!([2])], "what the query reads is still there");
        slow.join().unwrap()
    });
    assert_eq!(slow.as_ref(), Some(old));
    // The next load sweeps it.
    arena.world.succeed(&load(1));
    assert_eq!(arena.world.query("SELECT uniqExact(load_id) FROM {raw}.events_data"), [json!([1])]);
}
