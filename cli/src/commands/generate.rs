//! `generate`: realistic day files.
