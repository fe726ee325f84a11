//! Makes a source that shows a difference as short as it goes.

/// Sources tried at most.
const TRIES: usize = 20_000;

/// Takes pieces out of the source, large ones first, as long as `differs` still says so.
pub(super) fn minimise(source: &[u8], mut differs: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut source = source.to_vec();
    let mut tries = 0;
    let mut length = source.len() / 2;
    while length > 0 {
        let mut at = 0;
        let mut is_shorter = false;
        while at < source.len() {
            tries += 1;
            if tries > TRIES {
                return source;
            }
            let mut shorter = source.clone();
            shorter.drain(at..(at + length).min(source.len()));
            if differs(&shorter) {
                source = shorter;
                is_shorter = true;
            } else {
                at += length;
            }
        }
        // What could not go before may go now.
        length = if is_shorter && length == 1 { 1 } else { length / 2 };
    }
    source
}
