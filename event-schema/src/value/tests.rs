//! Spellings, ranges and round trips of the scalar rules.

use proptest::prelude::*;

use super::*;
use crate::Reason::{InvalidValue, OutOfRange};

#[test]
fn times_are_read_with_every_separator_offset_and_fraction() {
    let at = |text: &str| parse_rfc3339(text.as_bytes());
    assert_eq!(at("1970-01-01T00:00:00Z"), Ok(0));
    assert_eq!(at("2026-03-01T09:30:00Z"), Ok(1_772_357_400_000));
    for same in ["2026-03-01t14:30:00.000+05:00", "2026-03-01 09:30:00z", "2026-02-28T22:00:00.0-11:30"] {
        assert_eq!(at(same), Ok(1_772_357_400_000), "{same}");
    }
    assert_eq!(at("1970-01-01T00:00:00.1239999999999Z"), Ok(123));
    assert_eq!(at("1970-01-01T00:00:00.1Z"), Ok(100));
    assert_eq!(at("1969-12-31T23:59:59.9999Z"), Ok(-1));
    assert_eq!(at("0000-01-01T00:00:00-23:59"), Ok(-62_167_219_200_000 + 86_340_000));
    assert_eq!(at("2024-02-29T23:59:59Z"), Ok(1_709_251_199_000));
}

#[test]
fn times_of_another_spelling_are_refused() {
    for wrong in [
        "",
        "2026-03-01",
        "2026-03-01T09:30:00",
        "2026-03-01T09:30:00.Z",
        "2026-03-01T09:30:60Z",
        "2026-03-01T24:00:00Z",
        "2026-02-29T09:30:00Z",
        "2026-13-01T09:30:00Z",
        "2026-03-01T09:30:00+24:00",
        "2026-03-01T09:30:00+05:60",
        "2026-03-01T09:30:00+0500",
        "2026-03-01  09:30:00Z",
        "2026-03-01_09:30:00Z",
        "2026-03-01T09:30:00Zz",
        "2026-03-01T09:30Z",
        "2026-3-01T09:30:00Z",
        "2026-03-01T09:30:00,5Z",
        "+026-03-01T09:30:00Z",
        "2026-03-00T09:30:00Z",
    ] {
        assert_eq!(parse_rfc3339(wrong.as_bytes()), Err(InvalidValue), "{wrong:?}");
    }
}

#[test]
fn amounts_are_read_exactly() {
    let amount = |text: &str| parse_amount(text.as_bytes());
    assert_eq!(amount("9.99"), Ok(99_900));
    assert_eq!(amount("0"), Ok(0));
    assert_eq!(amount("00012.0001"), Ok(120_001));
    assert_eq!(amount("99999999999999.9999"), Ok(999_999_999_999_999_999));
    for wrong in ["", ".5", "5.", "1.00001", "100000000000000", "1e2", "+1", " 1", "1,5", "1.2.3", "١"] {
        assert_eq!(amount(wrong), Err(InvalidValue), "{wrong:?}");
    }
    for negative in ["-1", "-", "-x", "-1e5"] {
        assert_eq!(amount(negative), Err(OutOfRange), "{negative:?}");
    }
}

#[test]
fn dates_have_the_range_of_clickhouse() {
    assert_eq!(parse_date(b"1970-01-01"), Ok(0));
    assert_eq!(parse_date(b"2149-06-06"), Ok(65_535));
    assert_eq!(parse_date(b"2149-06-07"), Err(OutOfRange));
    assert_eq!(parse_date(b"1969-12-31"), Err(OutOfRange));
    for wrong in ["2026-02-30", "2026-3-1", "2026-03-01 ", "", "20260301"] {
        assert_eq!(parse_date(wrong.as_bytes()), Err(InvalidValue), "{wrong:?}");
    }
}

#[test]
fn uuids_are_hyphenated_in_any_case() {
    let id = 0x018f_2c6e_7b1a_7c3d_9e4f_0123_4567_89ab;
    assert_eq!(parse_uuid(b"018f2c6e-7b1a-7c3d-9e4f-0123456789ab"), Ok(id));
    assert_eq!(parse_uuid(b"018F2C6E-7B1A-7C3D-9E4F-0123456789AB"), Ok(id));
    for wrong in [
        "018f2c6e7b1a7c3d9e4f0123456789ab",
        "{018f2c6e-7b1a-7c3d-9e4f-0123456789ab}",
        "018f2c6e-7b1a-7c3d-9e4f-0123456789ag",
        "018f2c6e-7b1a-7c3d-9e4f0-123456789ab",
        "018f2c6e7-b1a-7c3d-9e4f-0123456789ab",
        "",
    ] {
        assert_eq!(parse_uuid(wrong.as_bytes()), Err(InvalidValue), "{wrong:?}");
    }
}

#[test]
fn texts_count_bytes_and_refuse_controls() {
    assert!(Text::<1, 4>::new("ключ").is_err());
    assert!(Text::<1, 8>::new("ключ").is_ok());
    assert_eq!(Text::<1, 8>::new("a\u{7f}"), Err(TextError::ControlCharacter { found: 0x7f, at: 1 }));
    assert_eq!(check_text("a\u{80}".as_bytes(), 3), Ok(()));
    assert!("Kz".parse::<Country>().is_err());
    assert_eq!("KZT".parse::<Currency>().unwrap().as_str(), "KZT");
}

#[test]
fn characters_that_cannot_be_seen_are_spelt_out() {
    for (text, shown) in [
        ("a\u{feff}b", "a<U+FEFF>b"),
        ("\u{200b}\u{a0}\u{202e}\u{2028}", "<U+200B><U+00A0><U+202E><U+2028>"),
        ("a\tb\0", "a<U+0009>b<U+0000>"),
        ("ключ, 鍵, \"clé\" \\ e\u{301} 🙂", "ключ, 鍵, \"clé\" \\ e\u{301} 🙂"),
    ] {
        assert_eq!(visible(text), shown);
    }
}

proptest! {
    #[test]
    fn dates_round_trip(days: u16) {
        let date = Date::from_days(days);
        prop_assert_eq!(parse_date(date.to_string().as_bytes()), Ok(days));
        let (year, month, day) = date.ymd();
        prop_assert_eq!(Date::new(year, month, day).unwrap(), date);
    }

    #[test]
    fn timestamps_round_trip(millis in Timestamp::MIN_MILLIS..Timestamp::END_MILLIS) {
        let time = Timestamp::from_millis(millis).unwrap();
        prop_assert_eq!(parse_rfc3339(time.to_string().as_bytes()), Ok(millis));
    }

    #[test]
    fn amounts_round_trip(parts in 0..1_000_000_000_000_000_000_u64) {
        let amount = Amount::from_ten_thousandths(parts).unwrap();
        prop_assert_eq!(parse_amount(amount.to_string().as_bytes()), Ok(parts as i64));
    }
}
