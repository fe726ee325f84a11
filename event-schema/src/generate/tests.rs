//! What is generated holds together. Its text is reviewed where it is committed, and by snapshot here.

use serde_json::{Value, json};

use super::*;

#[test]
fn the_ddl_of_raw() {
    insta::assert_snapshot!(ddl(&Databases::with_prefix("acme_").unwrap(), None).join(";\n\n"));
}

#[test]
fn the_ddl_of_raw_on_a_cluster() {
    let cluster = Cluster::new("analytics").unwrap();
    insta::assert_snapshot!(ddl(&Databases::default(), Some(&cluster)).join(";\n\n"));
    for wrong in ["", "a b", "a'b", &"x".repeat(65)] {
        assert!(Cluster::new(wrong).is_err(), "{wrong}");
    }
}

/// Tables that change under the same version would be taken for damaged ones by every program that knows it.
#[test]
fn the_tables_are_those_of_their_version() {
    let made: Vec<Shape> = stored_tables().iter().map(Shape::from).collect();
    assert_eq!(
        Some(made),
        shape(TABLES_VERSION),
        "the tables have changed: raise TABLES_VERSION and add their shape to generate/versions"
    );
    assert_eq!(shape(TABLES_VERSION + 1), None);
}

#[test]
fn every_table_and_view_bears_the_mark_of_its_version() {
    let cluster = Cluster::new("analytics").unwrap();
    for cluster in [None, Some(&cluster)] {
        for definition in definitions(&Databases::default(), cluster) {
            let comment = definition.create.rsplit_once("COMMENT '").unwrap().1;
            assert_eq!(marked_version(comment), Some(TABLES_VERSION), "{}", definition.create);
            assert_eq!(definition.replace() != definition.create, definition.is_view);
        }
    }
    for foreign in ["", "schoolbell", "schoolbell/raw/", "schoolbell/raw/x: ", "Purchases and refunds."] {
        assert_eq!(marked_version(foreign), None, "{foreign}");
    }
}

#[test]
fn prefixes_need_no_quoting() {
    for wrong in ["a-b", "1a", "a b", "a`b", "é", &"x".repeat(65)] {
        assert!(Databases::with_prefix(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Databases::default().marts(), "marts");
}

#[test]
fn the_json_schema_accepts_good_lines_and_refuses_bad_ones() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    let good = json!({
        "event_id": "018f2c6e-7b1a-7c3d-9e4f-0123456789ab", "event_type": "task_result", "user_id": "u",
        "event_time": "2026-03-01T09:30:00Z", "country": "", "unknown": [1],
        "properties": { "task_id": "t", "is_correct": true, "score": 0.5, "attempt": null },
    });
    assert!(
        schema.is_valid(&good),
        "{:?}",
        schema.iter_errors(&good).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    let bad: [(&str, Value); 7] = [
        ("/event_id", json!("018f2c6e")),
        ("/event_time", json!("yesterday")),
        ("/user_id", json!("")),
        ("/country", json!("kz")),
        ("/properties", json!(null)),
        ("/properties/attempt", json!(0)),
        ("/properties/is_correct", json!("yes")),
    ];
    for (pointer, value) in bad {
        let mut line = good.clone();
        *line.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&line), "{pointer}");
    }
}
