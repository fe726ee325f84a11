//! The parser's columns are the registry's, in name and order.

use event_parser::Batch;

#[test]
fn every_table_has_the_columns_of_the_registry() {
    let batch = Batch::default();
    for table in batch.tables() {
        let views = table.envelope().columns().into_iter().chain(table.own_columns());
        let ours: Vec<&str> = views.map(|(name, _)| name).collect();
        let of_the_load = ["batch_date", "load_id"];
        let columns = table.id().entity().columns();
        let registry: Vec<&str> =
            columns.iter().map(|column| column.name).filter(|name| !of_the_load.contains(name)).collect();
        assert_eq!(ours, registry, "{}", table.id().name());
    }
}
