//! What is generated from the registry.
