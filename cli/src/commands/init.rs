//! `init`: the `raw` tables.
