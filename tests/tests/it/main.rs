//! The tests that run the product as its users do: one binary, so that all of them share one build and one server.

mod cli;
mod cluster;
mod contract;
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
mod metrics;
mod producer;
mod readme;
mod rejects;
mod source_faults;
mod sources;
mod staging;
mod tls;
mod worked_examples;
