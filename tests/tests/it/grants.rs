//! Users with just the grants of `docs/grants.md`: each command works for its own, and says what others lack before it
//! sends anything.

use std::fs;
use std::net::SocketAddr;

use event_generator::{Layout, Plan, write_files};
use integration_tests::proxy::{Head, Proxy};
use integration_tests::users::{PASSWORD, User, UserServer};
use integration_tests::world::{Finished, World, repository};

const DAY: &str = "2026-03-01";
const FILE: &str = "2026-03-01.jsonl";

/// The users of the page, with their grants on databases of this prefix. Of the loader's, those for sweeps are left
/// out where they are not wanted.
fn users(prefix: &str, sweeps: bool) -> Vec<User> {
    let page = fs::read_to_string(repository().join("docs/grants.md")).unwrap();
    let mut users: Vec<User> = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("GRANT ")) {
        let (grant, user) = line["GRANT ".len()..].trim_end_matches(';').split_once(" TO ").unwrap();
        let is_for_sweeps = grant.contains("system.") || grant.starts_with("ALTER DELETE ON raw");
        if is_for_sweeps && !sweeps {
            continue;
        }
        let (what, on) = grant.split_once(" ON ").unwrap();
        let is_own = ["raw.", "staging.", "marts."].iter().any(|database| on.starts_with(database));
        let on = if is_own { format!("{prefix}{on}") } else { on.to_owned() };
        let grant = format!("{what} ON {on}");
        match users.iter_mut().find(|known| known.name == user) {
            Some(known) => known.grants.as_mut().unwrap().push(grant),
            None => users.push(User {
                name: user.to_owned().leak(),
                grants: Some(vec![grant]),
                ..User::default()
            }),
        }
    }
    assert_eq!(users.len(), 6, "{users:?}");
    users
}

fn run(world: &World, user: &str, arguments: &[&str]) -> Finished {
    let mut command = world.schoolbell();
    command.env("CLICKHOUSE_USER", user).env("CLICKHOUSE_PASSWORD", PASSWORD).args(arguments);
    Finished::of(&mut command, arguments)
}

#[test]
fn each_command_works_with_just_the_grants_of_its_page() {
    let server = UserServer::new("grants", &users("granted_", true));
    let mut world = World::without_tables("granted", &*server.server.url());
    let plan = Plan { reject_share: 0.01, ..Plan::new(DAY.parse().unwrap(), 1, 200) };
    write_files(&plan, world.folder(), Layout::default(), |_| ()).unwrap();
    let succeed = |world: &World, user: &str, arguments: &[&str]| {
        let finished = run(world, user, arguments);
        assert_eq!(finished.code, 0, "{user} {arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.is_empty(), "{user} {arguments:?}: {}", finished.stderr);
        finished.stdout
    };
    succeed(&world, "schoolbell_init", &["init"]);
    // Over what is there, and over what is to be upgraded.
    succeed(&world, "schoolbell_init", &["init"]);
    world.query("ALTER TABLE {raw}.events_data DROP COLUMN extra, MODIFY COMMENT 'schoolbell/raw/1: '");
    world.query("DROP VIEW {raw}.sessions SYNC");
    succeed(&world, "schoolbell_init", &["init"]);

    let load = ["load", "--max-reject-ratio", "1", "--batch-date", DAY];
    for more in [&[FILE][..], &["--force", FILE], &["--stage", "--force", FILE], &["--commit", "--force"]] {
        succeed(&world, "schoolbell_load", &[&load[..], more].concat());
    }
    let stored = world.query("SELECT uniqExact(load_id) FROM {raw}.events_data");
    assert_eq!(stored, [serde_json::json!([1])], "former loads were swept");
    succeed(&world, "schoolbell_load", &["rejects", "replay", "--batch-date", DAY]);
    for user in ["schoolbell_load", "schoolbell_rejects"] {
        succeed(&world, user, &["rejects", "list", "--batch-date", DAY]);
        succeed(&world, user, &["rejects", "export", "--batch-date", DAY]);
    }

    world.set("CLICKHOUSE_USER", "schoolbell_dbt");
    world.set("CLICKHOUSE_PASSWORD", PASSWORD);
    world.dbt(&["build"]);
    // Also what follows changes, and what is there already.
    succeed(&world, "schoolbell_load", &[&load[..], &["--force", FILE]].concat());
    world.dbt(&["build"]);
    succeed(&world, "schoolbell_reader", &["metrics", "query", "dau"]);
    succeed(&world, "schoolbell_report", &["report", "--out", "report.html"]);
    succeed(&world, "schoolbell_load", &["doctor"]);
    succeed(&world, "schoolbell_rejects", &["loads", "list"]);
    succeed(&world, "schoolbell_load", &["unload", "--batch-date", DAY]);
}

/// All rows were sent, and then the commit was refused for a right that was written down nowhere.
#[test]
fn what_is_missing_is_told_before_anything_is_sent() {
    let mut users = users("lacking_", false);
    let reader = |name: &'static str, grants: &[&str]| User {
        name,
        grants: Some(grants.iter().map(|grant| (*grant).to_owned()).collect()),
        ..User::default()
    };
    users.push(reader("nobody", &[]));
    users.push(reader("half", &["SELECT ON lacking_raw.*", "INSERT ON lacking_raw.events_data"]));
    users.push(reader("maker", &["CREATE DATABASE ON lacking_raw.*", "SELECT ON lacking_raw.*"]));
    let server = UserServer::new("lacking", &users);
    let mut world = World::at("lacking", &server.server.url());
    let plan = Plan::new(DAY.parse().unwrap(), 1, 200);
    write_files(&plan, world.folder(), Layout::default(), |_| ()).unwrap();
    let proxy = Proxy::to(SocketAddr::from(([127, 0, 0, 1], server.server.http_port())));
    world.set("CLICKHOUSE_URL", proxy.url());
    let load = ["load", "--force", "--batch-date", DAY, FILE];
    let rejects = ["rejects", "list", "--batch-date", DAY];
    for (user, arguments, told) in [
        ("nobody", &load[..], &["SELECT ON lacking_raw.", "INSERT ON lacking_raw."][..]),
        ("half", &load, &["INSERT ON lacking_raw.ab_test_assignments_data, ", "lacking_raw.loads"]),
        ("schoolbell_rejects", &load, &["INSERT ON lacking_raw.ab_test_assignments_data, "]),
        ("schoolbell_reader", &rejects, &["SELECT ON lacking_raw.loads"]),
        (
            "schoolbell_reader",
            &["report"],
            &["SELECT ON lacking_raw.ab_test", "lacking_raw.loads", "_raw.rejected_events"],
        ),
        ("nobody", &rejects, &["SELECT ON lacking_raw.loads"]),
    ] {
        proxy.reset();
        let refused = run(&world, user, arguments);
        assert_eq!(refused.code, 77, "{user}: {}", refused.stderr);
        for told in told.iter().chain(&["docs/grants.md", user]) {
            assert!(refused.stderr.contains(told), "{user}: {told} in: {}", refused.stderr);
        }
        let sent = proxy.requests();
        assert!(!sent.iter().map(Head::target).any(|target| target.contains("INSERT")), "{user}: {sent:?}");
    }
    let doctor = run(&world, "schoolbell_rejects", &["doctor"]);
    assert_eq!(doctor.code, 65, "{}", doctor.stderr);
    for told in ["FAIL  grants", "INSERT ON lacking_raw.loads", "docs/grants.md"] {
        assert!(doctor.stdout.contains(told), "{told} in: {}", doctor.stdout);
    }
    // Tables that would have to be made: not a single one is.
    world.query("DROP DATABASE {raw} SYNC");
    for user in ["nobody", "maker", "schoolbell_load"] {
        let refused = run(&world, user, &["init"]);
        assert_eq!(refused.code, 77, "{user}: {}", refused.stderr);
        assert!(refused.stderr.contains("CREATE TABLE ON lacking_raw.*"), "{user}: {}", refused.stderr);
    }
    assert!(world.query("SELECT name FROM system.databases WHERE name = '{raw}'").is_empty());
    run(&world, "schoolbell_init", &["init"]);

    // With no more than to read and to write, days are loaded; what stays behind is told.
    assert_eq!(run(&world, "schoolbell_load", &load).code, 0);
    let again = run(&world, "schoolbell_load", &load);
    assert_eq!(again.code, 0, "{}", again.stderr);
    for told in ["a later load will remove them", "docs/grants.md"] {
        assert!(again.stderr.contains(told), "{told} in: {}", again.stderr);
    }
}
