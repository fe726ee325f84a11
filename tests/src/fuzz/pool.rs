//! Where the fuzzer's lines come from: generated days in every spelling, lines of the property tests, the corpus.

use event_generator::{Generator, Plan, Spelling};
use fastrand::Rng;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::edit::Values;
use crate::corpus;
use crate::lines::{SHORT_LINE_LIMIT, any_line};

/// Users of a generated day; about 2,000 lines.
const USERS: u64 = 600;
/// Lines kept of each generated day.
const DAY_LINES: usize = 2000;
/// Lines of the property tests: they cost the most to make.
const ANY_LINES: usize = 3000;
/// Lines of the corpus, which are the same in every pool.
const SPELLINGS: [Spelling; 4] = [Spelling::Mixed, Spelling::Script, Spelling::Shuffled, Spelling::Prose];

/// Lines to change, and values to put into them.
#[derive(Debug)]
pub(super) struct Pool {
    /// Lines of one kind each: a producer's lines look like each other, and parsers learn from that.
    pub(super) families: Vec<Vec<Vec<u8>>>,
    pub(super) values: Values,
}

impl Pool {
    /// The pool of that number. The same number always gives the same lines.
    pub(super) fn new(seed: u64) -> Pool {
        let mut families: Vec<_> = SPELLINGS.into_iter().map(|spelling| day(seed, spelling)).collect();
        families.push(any_lines(seed));
        families.push(corpus_lines());
        let mut values = Values::default();
        for family in &families {
            family.iter().take(300).for_each(|line| values.gather(line));
        }
        Pool { families, values }
    }

    /// One of the families, the generated days twice as often as the others.
    pub(super) fn family(&self, rng: &mut Rng) -> &[Vec<u8>] {
        let at = rng.usize(..SPELLINGS.len() + self.families.len());
        &self.families[at % self.families.len()]
    }
}

fn day(seed: u64, spelling: Spelling) -> Vec<Vec<u8>> {
    let date = "2026-01-01".parse().expect("a date");
    let plan = Plan { seed, spelling, reject_share: 0.05, ..Plan::new(date, 1, USERS) };
    let mut bytes = Vec::new();
    let generator = Generator::new(plan).expect("the plan is sound");
    generator.write_day(date, 0, 1, &mut bytes).expect("memory takes any bytes");
    bytes.split(|byte| *byte == b'\n').filter(|line| fits(line)).take(DAY_LINES).map(<[u8]>::to_vec).collect()
}

fn any_lines(seed: u64) -> Vec<Vec<u8>> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &key);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let line = any_line();
    let mut draw = || line.new_tree(&mut runner).expect("the strategy yields a line").current();
    (0..ANY_LINES).map(|_| draw()).collect()
}

fn corpus_lines() -> Vec<Vec<u8>> {
    let sources = corpus::cases().into_iter().map(|case| case.input);
    sources
        .flat_map(|source| source.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .filter(|line| fits(line))
        .collect()
}

/// Lines are longer than the limit now and then, but not by much: they would take the time.
fn fits(line: &[u8]) -> bool {
    !line.is_empty() && line.len() < SHORT_LINE_LIMIT + 100
}
