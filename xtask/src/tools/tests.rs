//! What a cached tool is, and what it never is.

use std::fs;

use anyhow::bail;

use super::{PARTIAL, ensure_in, key_of};

#[test]
fn a_tool_is_made_once() {
    let cache = tempfile::tempdir().unwrap();
    let made =
        ensure_in(cache.path(), "tool", "1", |folder| Ok(fs::write(folder.join("file"), "one")?)).unwrap();
    assert_eq!(made, cache.path().join("tool").join("1"));
    let again = ensure_in(cache.path(), "tool", "1", |_| panic!("it is there")).unwrap();
    assert_eq!(fs::read_to_string(again.join("file")).unwrap(), "one");
    ensure_in(cache.path(), "tool", "2", |folder| Ok(fs::write(folder.join("file"), "two")?)).unwrap();
    assert_eq!(fs::read_to_string(made.join("file")).unwrap(), "one", "another key is another tool");
}

#[test]
fn half_a_tool_is_never_used() {
    let cache = tempfile::tempdir().unwrap();
    let shelf = cache.path().join("tool");
    let failed = ensure_in(cache.path(), "tool", "1", |folder| {
        fs::write(folder.join("half"), "")?;
        bail!("the network is gone")
    });
    assert_eq!(format!("{:#}", failed.unwrap_err()), "cannot install tool: the network is gone");
    assert!(!shelf.join("1").exists());

    // What a killed installation leaves.
    let left = shelf.join(format!("{PARTIAL}left"));
    fs::create_dir(&left).unwrap();
    let made = ensure_in(cache.path(), "tool", "1", |_| Ok(())).unwrap();
    assert!(!left.exists());
    assert!(!made.join("half").exists());
}

#[test]
fn of_two_at_once_one_makes_it() {
    let cache = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let make = |_: &std::path::Path| {
                    count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    Ok(())
                };
                ensure_in(cache.path(), "tool", "1", make).unwrap();
            });
        }
    });
    assert_eq!(count.into_inner(), 1);
}

#[test]
fn keys_tell_parts_apart() {
    assert_ne!(key_of(&["a", "b"]), key_of(&["ab"]));
    assert_eq!(key_of(&["a", "b"]).len(), 32);
}
