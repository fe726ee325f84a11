//! `load`: a day into the warehouse.
