//! Randomness: pure functions of keys, the same on every machine and with every compiler.
//!
//! The finaliser is that of `SplitMix64` (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
//! Generators", 2014; constants of Stafford's variant 13). Only integer arithmetic and the four float
//! operations that IEEE 754 rounds exactly are used, so a plan gives the same bytes everywhere.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection of 64 bits in which every input bit moves every output bit.
pub(crate) const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What a key is for: two topics never share their draws.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Topic {
    Person = 1,
    Pause,
    Activity,
    Delivery,
    Visits,
    Conversion,
    Paywall,
    Money,
    PurchaseId,
    Enrolment,
    Crossing,
    Difficulty,
    EventId,
    Details,
    Copy,
    Mistake,
    LongLine,
    Rate,
    Habits,
    Spelling,
}

/// The key of `number` under `parent`, for one topic.
pub(crate) const fn key(parent: u64, topic: Topic, number: u64) -> u64 {
    mix(mix(parent ^ (topic as u64).wrapping_mul(GOLDEN)).wrapping_add(mix(number.wrapping_add(GOLDEN))))
}

/// A stream of draws from a key.
#[derive(Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) const fn new(key: u64) -> Draw {
        Draw(key)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// An integer from 0 to below `n`; the bias of the multiplication is below n ÷ 2³².
    pub(crate) const fn below(&mut self, n: u32) -> u32 {
        (((self.next() >> 32) * n as u64) >> 32) as u32
    }

    /// True in `per_mille` of 1000 cases.
    pub(crate) const fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// A number from 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// An index, each as likely as its weight.
    pub(crate) fn weighted(&mut self, weights: impl IntoIterator<Item = u32, IntoIter: Clone>) -> usize {
        let weights = weights.into_iter();
        let mut left = self.below(weights.clone().sum());
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        unreachable!("a draw below the sum of the weights falls on one of them")
    }
}
