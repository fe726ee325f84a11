//! The parser and the reference have the same result for any bytes.

#![no_main]

use std::sync::LazyLock;

use integration_tests::fuzz::{agree, by_first_byte};
use integration_tests::parsed::Backend;
use libfuzzer_sys::fuzz_target;

static BACKENDS: LazyLock<Vec<Backend>> = LazyLock::new(Backend::all);

fuzz_target!(|input: &[u8]| {
    if let Some((source, reading)) = by_first_byte(input)
        && let Err(difference) = agree(source, &reading, &BACKENDS)
    {
        panic!("{difference}\n{}", source.escape_ascii());
    }
});
