//! The registry is consistent.

use super::*;

#[test]
fn the_first_event_type_of_an_entity_has_every_field_of_the_others() {
    for entity in ENTITIES {
        let Some((first, others)) = entity.event_types.split_first() else { continue };
        for field in others.iter().flat_map(|other| other.fields) {
            assert!(first.fields.contains(field), "{}.{}", entity.table, field.name);
        }
        let mut stored = entity.field_columns.to_vec();
        let mut checked: Vec<_> = first.fields.iter().map(|field| field.name).collect();
        stored.sort_unstable();
        checked.sort_unstable();
        assert_eq!(stored, checked, "{}", entity.table);
    }
}

#[test]
fn a_table_id_is_the_table_of_its_name() {
    for id in TableId::ALL {
        let name = id.name().replace('_', "");
        assert_eq!(format!("{id:?}").to_lowercase(), name);
    }
}

#[test]
fn names_are_unique_and_rules_over_two_fields_name_fields() {
    for entity in ENTITIES {
        let mut names: Vec<_> = entity.columns().iter().map(|column| column.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{}", entity.table);
        for event_type in entity.event_types {
            if let Some(order) = event_type.order {
                for name in [order.earlier, order.later] {
                    assert!(event_type.fields.iter().any(|field| field.name == name));
                }
            }
            for name in event_type.required_envelope {
                assert!(ENVELOPE.iter().any(|field| field.name == *name && !field.required));
            }
        }
    }
}
