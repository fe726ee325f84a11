//! The tests that run the product as its users do: one binary, so that all of them share one build and one server.

mod cli;
mod cluster;
mod contract;
<<<<<<< HEAD
mod dates;
mod doctor;
=======
mod dbt_messages;
>>>>>>> 0bb0192 (Settle money, A/B tests and the last whole day by the specification)
mod faults;
mod fuzz;
mod generated;
mod hostile;
mod incremental;
mod incremental_by_hand;
mod interrupted;
mod load;
mod marts;
mod memory;
<<<<<<< HEAD
mod messages;
=======
mod metric_cases;
>>>>>>> 0bb0192 (Settle money, A/B tests and the last whole day by the specification)
mod metrics;
mod output_files;
mod producer;
mod rejects;
mod source_faults;
mod sources;
mod staging;
mod tls;
mod worked_examples;
