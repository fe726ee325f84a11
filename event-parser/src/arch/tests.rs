//! Every instruction set against plain code.

use event_schema::value::parse_uuid;
use proptest::prelude::*;

use super::*;

/// The results of all operations on some bytes.
struct Answers<'a> {
    block: &'a [u8; 64],
    mask: u64,
    uuid: &'a [u8; 36],
}

impl Task for Answers<'_> {
    type Output = (Masks, RareMasks, Vec<u32>, Option<u128>);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let mut positions = [0; 64];
        simd.positions(self.mask, 1000, &mut positions);
        (
            simd.masks(self.block),
            simd.rare_masks(self.block),
            positions[..self.mask.count_ones() as usize].to_vec(),
            simd.uuid(self.uuid),
        )
    }
}

fn bits<const N: usize>(wanted: impl Fn(usize) -> bool) -> u64 {
    (0..N).map(|at| u64::from(wanted(at)) << at).sum()
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        Just(b'"'),
        Just(b'\\'),
        Just(b'\n'),
        Just(b'\r'),
        Just(0x7f),
        Just(0x1f),
        Just(b' '),
        any::<u8>()
    ]
}

fn uuid() -> impl Strategy<Value = [u8; 36]> {
    let id = any::<u128>().prop_map(|id| {
        let hex = format!("{id:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    });
    // Either case, and a byte or two changed.
    let near_hex =
        prop_oneof![Just(b'-'), Just(b'g'), Just(b'`'), Just(b'@'), Just(b'/'), Just(b':'), any::<u8>()];
    (id, any::<bool>(), prop::collection::vec((0..36_usize, near_hex), 0..3)).prop_map(
        |(id, upper, changes)| {
            let id = if upper { id.to_uppercase() } else { id };
            let mut text: [u8; 36] = id.as_bytes().try_into().expect("a UUID has 36 characters");
            for (at, byte) in changes {
                text[at] = byte;
            }
            text
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn every_backend_has_the_results_of_plain_code(
        block in prop::collection::vec(byte(), 64),
        mask in prop_oneof![any::<u64>(), any::<u64>().prop_map(|mask| mask & mask >> 7 & mask << 9)],
        uuid in uuid(),
    ) {
        let block: [u8; 64] = block.try_into().expect("it has 64 bytes");
        let rare = |byte: u8| byte != b'\n' && (byte < 0x20 || byte == b'\\' || byte >= 0x7f);
        let expected = (
            Masks {
                quotes: bits::<64>(|at| block[at] == b'"'),
                newlines: bits::<64>(|at| block[at] == b'\n'),
                rare: bits::<64>(|at| rare(block[at])),
            },
            RareMasks {
                backslashes: bits::<64>(|at| block[at] == b'\\'),
                beyond_ascii: bits::<64>(|at| block[at] >= 0x80),
            },
            (0..64).filter(|at| mask >> at & 1 == 1).map(|at| 1000 + at).collect::<Vec<u32>>(),
            parse_uuid(&uuid).ok(),
        );
        for backend in Backend::available() {
            let answers = backend.run(Answers { block: &block, mask, uuid: &uuid });
            prop_assert_eq!(&answers, &expected, "{:?}", backend);
        }
    }
}

#[test]
fn says_which_backends_ran() {
    println!("instructions tested on this machine: {:?}", Backend::available());
    assert_eq!(Backend::available()[0].name(), "portable");
}
