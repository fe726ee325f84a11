//! The parser's columns are the registry's, in name and order.

use event_parser::{AbTestAssignments, Events, Purchases, Sessions, Table, TaskResults};

fn assert_columns<T: Table + Default>() {
    let table = T::default();
    let ours: Vec<&str> =
        table.envelope().columns().into_iter().chain(table.own_columns()).map(|(name, _)| name).collect();
    let of_the_load = ["batch_date", "load_id"];
    let registry: Vec<&str> = T::ENTITY
        .columns()
        .iter()
        .map(|column| column.name)
        .filter(|name| !of_the_load.contains(name))
        .collect();
    assert_eq!(ours, registry, "{}", T::ENTITY.table);
}

#[test]
fn every_table_has_the_registrys_columns() {
    assert_columns::<Events>();
    assert_columns::<Purchases>();
    assert_columns::<TaskResults>();
    assert_columns::<Sessions>();
    assert_columns::<AbTestAssignments>();
}
