//! Places found in the trie.

use proptest::prelude::*;

use super::*;

#[test]
fn keys_are_found_by_their_text_alone() {
    let places: Vec<Place> =
        ["/a", "/ab", "/abcdefgh", "/abcdefghi", "/abcdefghj", "/~1~0", "/", "/0/x", "/\u{e9}"]
            .map(|text| text.parse().unwrap())
            .into();
    let trie = trie_of_places(&places);
    for place in &places {
        let first = &place.steps[0];
        for padding in ["", "\":1,\"x\":2", "~"] {
            let text = format!("\"{first}{padding}");
            let found = trie.child(0, text.as_bytes(), 1, 1 + first.len());
            assert!(found.is_some(), "{place}");
        }
        assert_eq!(trie.child(0, b"abc", 0, 3), None);
    }
    let array = trie.child(0, b"0", 0, 1).unwrap();
    assert_eq!(trie.element(0, 0), Some(array));
    assert_eq!(trie.element(0, 1), None);
    assert_eq!(index("01"), None);
    assert_eq!(index("-"), None);
    assert_eq!(index("10"), Some(10));
}

proptest! {
    #[test]
    fn every_place_has_a_slot_and_no_other_key(
        keys in prop::collection::hash_set("[a-e]{0,12}", 1..40),
        other in "[a-e]{0,12}",
    ) {
        let places: Vec<Place> =
            keys.iter().map(|key| Place { steps: vec![key.clone()], ..Place::default() }).collect();
        let trie = trie_of_places(&places);
        let mut slots: Vec<_> = places.iter().map(|place| trie.slot(0, place)).collect();
        slots.sort_unstable();
        slots.dedup();
        prop_assert_eq!(slots.len(), places.len());
        prop_assert_eq!(trie.child(0, other.as_bytes(), 0, other.len()).is_some(), keys.contains(&other));
    }
}
