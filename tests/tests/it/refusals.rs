//! A refusal of the server is what it is by its kind: held against the engine's own list of errors, and against real
//! refusals of each kind.

use std::fs;
use std::process::Command;

use ch_sink::RefusalKind;
use integration_tests::users::{PASSWORD, User, UserServer};
use integration_tests::world::{Finished, World, own_server};

const DAY: &str = "2026-03-01";
const LINE: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;

/// What the words in a name say for certain, and what such errors must be.
const CERTAIN: [(&str, &[RefusalKind]); 17] = [
    ("ACCESS_DENIED", &[RefusalKind::Denied]),
    ("PASSWORD", &[RefusalKind::Login]),
    ("AUTHENTICATION_FAILED", &[RefusalKind::Login]),
    ("READONLY", &[RefusalKind::Denied]),
    ("SETTING_CONSTRAINT", &[RefusalKind::Denied]),
    ("MEMORY", &[RefusalKind::Busy]),
    ("TIMEOUT", &[RefusalKind::Busy, RefusalKind::Unknown]),
    ("QUOTA_EXCEEDED", &[RefusalKind::Quota]),
    ("SPACE", &[RefusalKind::Full]),
    // Of a function there may be too many arguments.
    ("TOO_MANY", &[RefusalKind::Busy, RefusalKind::Statement]),
    ("LIMIT_EXCEEDED", &[RefusalKind::Busy]),
    ("REPLICA", &[RefusalKind::Busy]),
    ("KEEPER", &[RefusalKind::Busy]),
    ("NETWORK", &[RefusalKind::Busy]),
    ("SOCKET", &[RefusalKind::Busy]),
    ("SYNTAX", &[RefusalKind::Statement, RefusalKind::Unknown]),
    ("UNKNOWN_TABLE", &[RefusalKind::Tables]),
];

#[test]
fn every_error_of_the_engine_is_of_the_kind_that_its_name_says() {
    let world = World::without_tables("error_names", None);
    let names =
        world.query("SELECT DISTINCT name FROM system.errors SETTINGS system_events_show_zero_values = 1");
    let names: Vec<&str> = names.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert!(names.len() > 500, "{}", names.len());
    for (word, kinds) in CERTAIN {
        let with_word: Vec<_> = names.iter().filter(|name| name.contains(word)).collect();
        assert!(!with_word.is_empty(), "{word}");
        for name in with_word {
            let kind = RefusalKind::of_name(name);
            assert!(kinds.contains(&kind), "{name} is {kind:?}");
        }
    }
    // What is not about the statement itself is never called a defect of ours.
    let statement = names.iter().filter(|name| RefusalKind::of_name(name) == RefusalKind::Statement);
    insta::assert_snapshot!(statement.copied().collect::<Vec<_>>().join("\n"));
    // A rule that fits nothing was mistyped.
    for (kind, pattern) in RefusalKind::rules() {
        let fits = |name: &&&str| {
            let (start, end) = pattern
                .split_once('*')
                .map_or((pattern, pattern), |(start, rest)| (start, rest.rsplit('*').next().unwrap()));
            name.starts_with(start) && name.ends_with(end) && RefusalKind::of_name(name) == kind
        };
        assert!(names.iter().any(|name| fits(&name)), "{pattern}");
    }
}

fn user(name: &'static str, profile: &'static str, quota: &'static str) -> User {
    User { name, grants: None, profile, quota }
}

#[test]
fn refusals_of_users_are_told_by_their_kind() {
    let constraint = "<constraints><async_insert><readonly/></async_insert></constraints>";
    let quota = "<interval><duration>3600</duration><queries>12</queries></interval>";
    let server = UserServer::new(
        "refused_users",
        &[
            user("free", "", ""),
            user("reader", "<readonly>1</readonly>", ""),
            user("bound", constraint, ""),
            user("frugal", "", quota),
            user("forgetful", "<max_memory_usage>100000</max_memory_usage>", ""),
            user("modest", "<max_rows_to_read>1</max_rows_to_read>", ""),
            user("hurried", "<max_execution_time>0.000001</max_execution_time>", ""),
        ],
    );
    let mut world = World::at("refused_users", &server.server.url());
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    let mut load = |user: &str, password: &str| {
        world.set("CLICKHOUSE_USER", user);
        world.set("CLICKHOUSE_PASSWORD", password);
        world.run(&["load", "--force", "--batch-date", DAY, "day.jsonl", "--retry-seconds", "1"])
    };
    assert_eq!(load("free", PASSWORD).code, 0);
    for (user, code, told) in [
        ("reader", 77, "READONLY"),
        ("bound", 77, "SETTING_CONSTRAINT_VIOLATION"),
        ("forgetful", 75, "MEMORY_LIMIT_EXCEEDED"),
        ("modest", 75, "TOO_MANY_ROWS"),
        ("hurried", 75, "TIMEOUT_EXCEEDED"),
    ] {
        let refused = load(user, PASSWORD);
        assert_eq!(refused.code, code, "{user}: {}", refused.stderr);
        assert!(refused.stderr.contains(told), "{user}: {}", refused.stderr);
    }
    // The quota was of the kind that nobody knew, and a defect of ours.
    let last = (0..4).map(|_| load("frugal", PASSWORD)).find(|finished| finished.code != 0).unwrap();
    assert_eq!(last.code, 75, "{}", last.stderr);
    for told in ["QUOTA_EXCEEDED", "the user's quota is used up"] {
        assert!(last.stderr.contains(told), "{}", last.stderr);
    }
    for (user, password) in [("free", "wrong"), ("nobody", PASSWORD), ("free", "")] {
        let refused = load(user, password);
        assert_eq!(refused.code, 77, "{user}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD"),
            "{}",
            refused.stderr
        );
        assert!(password.is_empty() || !refused.stderr.contains("wrong"), "{}", refused.stderr);
    }
}

/// A folder on a disk of its own, for a program and all that it starts.
fn on_a_small_disk(options: &str, folder: &str, program: &Command) -> Command {
    let mut command = Command::new("unshare");
    let mount = format!("mount -t tmpfs -o {options} tmpfs {folder} && exec \"$@\"");
    command.args(["--map-root-user", "--mount", "sh", "-c", &mount, "sh"]);
    command.arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().unwrap());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// Neither space nor inodes: it was called a defect of ours.
#[test]
fn a_full_disk_of_the_server_is_told_as_that() {
    for (name, options, lines) in
        [("no_inodes", "size=400m,nr_inodes=700", 1), ("no_space", "size=32m", 20_000)]
    {
        let mut world = World::without_tables(name, None);
        world.set("XDG_STATE_HOME", world.path("state"));
        fs::create_dir(world.path("disk")).unwrap();
        // Bytes that cannot be packed.
        let mut random = fastrand::Rng::with_seed(1);
        let mut line = || {
            let [a, b, c, d] = [(); 4].map(|()| random.u128(..));
            LINE.replace('}', &format!(r#","properties":{{"noise":"{a:032x}{b:032x}{c:032x}{d:032x}"}}}}"#))
                + "\n"
        };
        let lines: String = (0..lines).map(|_| line()).collect();
        fs::write(world.path("day.jsonl"), lines).unwrap();
        let start = ["warehouse", "start", "--data", "disk/data", "--http-port", "0", "--tcp-port", "0"];
        let arguments = [&start[..], &["--output", "json"]].concat();
        let mut program = world.schoolbell();
        program.args(&arguments);
        let started = Finished::of(&mut on_a_small_disk(options, "disk", &program), &arguments);
        assert_eq!(started.code, 0, "{}", started.stderr);
        let started: serde_json::Value = serde_json::from_str(&started.stdout).unwrap();
        world.set("CLICKHOUSE_URL", started["url"].as_str().unwrap());
        let mut refused = world.run(&["init"]);
        for day in 1..60 {
            if refused.code != 0 {
                break;
            }
            let date = format!("2026-{:02}-{:02}", 3 + day / 28, 1 + day % 28);
            let load =
                ["load", "--batch-date", &date, "--allow-misdated", "--retry-seconds", "1", "day.jsonl"];
            refused = world.run(&load);
        }
        let pid = started["pid"].as_u64().unwrap().to_string();
        Command::new("kill").arg(&pid).status().unwrap();
        assert_eq!(refused.code, 75, "{name}: {}", refused.stderr);
        assert!(refused.stderr.contains("a disk of the server is full"), "{name}: {}", refused.stderr);
    }
}

#[test]
fn a_warehouse_that_lost_its_tables_is_told_with_the_mend() {
    let server = own_server("lost_tables");
    let world = World::at("lost_tables", &server.url());
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    world.query("DROP TABLE {raw}.staged_loads SYNC");
    for arguments in
        [&["load", "--batch-date", DAY, "day.jsonl"][..], &["rejects", "list", "--batch-date", DAY]]
    {
        let refused = world.run(arguments);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        for told in ["staged_loads is missing", "run `schoolbell init`"] {
            assert!(refused.stderr.contains(told), "{}", refused.stderr);
        }
    }
}
