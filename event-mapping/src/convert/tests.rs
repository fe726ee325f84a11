//! Each conversion: what it reads, what it writes, what it refuses.

use event_schema::value::{parse_amount, parse_rfc3339, rfc3339};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::definition::{EpochUnit, Period, TimeUnit};

fn written(write: impl FnOnce(&mut String) -> Result<(), Failed>) -> Option<String> {
    let mut out = String::new();
    write(&mut out).ok().map(|()| out)
}

fn epoch(input: Input<'_>, unit: EpochUnit) -> Option<String> {
    written(|out| write_epoch(input, unit, out))
}

#[test]
fn epochs_are_numbers_or_digits_of_a_unit() {
    use EpochUnit::{Microseconds, Milliseconds, Seconds};
    let time = Some("2026-03-01T09:30:00.123Z".to_owned());
    assert_eq!(epoch(Input::Number("1772357400.123"), Seconds), time);
    assert_eq!(epoch(Input::Number("1772357400.1239999"), Seconds), time);
    assert_eq!(epoch(Input::Number("1.772357400123e9"), Seconds), time);
    assert_eq!(epoch(Input::Number("1772357400123"), Milliseconds), time);
    assert_eq!(epoch(Input::Text("1772357400123456"), Microseconds), time);
    assert_eq!(epoch(Input::Number("0"), Seconds).as_deref(), Some("1970-01-01T00:00:00.000Z"));
    assert_eq!(epoch(Input::Number("-0.0001"), Seconds).as_deref(), Some("1969-12-31T23:59:59.999Z"));
    for wrong in ["", "2026-03-01T09:30:00Z", "1e99", "inf", "0x10", "1772357400 ", "+1", "1.", ".5", "9e18"]
    {
        assert_eq!(epoch(Input::Text(wrong), Seconds), None, "{wrong}");
    }
    assert_eq!(epoch(Input::Boolean(true), Seconds), None);
}

#[test]
fn local_times_are_those_of_their_zone() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let local = |text: &str| written(|out| write_local_time(Input::Text(text), &berlin, out));
    assert_eq!(local("2026-03-01T09:30:00").as_deref(), Some("2026-03-01T08:30:00.000Z"));
    assert_eq!(local("2026-07-01 09:30:00.1239").as_deref(), Some("2026-07-01T07:30:00.123Z"));
    assert_eq!(local("2026-07-01 09:30").as_deref(), Some("2026-07-01T07:30:00.000Z"));
    // Clocks show 02:30 twice on that day: the earlier is in summer time.
    assert_eq!(local("2026-10-25T02:30:00").as_deref(), Some("2026-10-25T00:30:00.000Z"));
    // They skip it on this one.
    assert_eq!(local("2026-03-29T02:30:00"), None);
    for wrong in
        ["2026-03-01T09:30:00Z", "2026-03-01T09:30:00+01:00", "2026-03-01", "", "2026-02-30T00:00:00"]
    {
        assert_eq!(local(wrong), None, "{wrong}");
    }
}

#[test]
fn dates_are_of_dates_and_times_with_periods_added() {
    let date = |text: &str, plus: Option<&str>| {
        let plus = plus.map(|period| period.parse::<Period>().unwrap());
        written(|out| write_date(Input::Text(text), plus, out))
    };
    assert_eq!(date("2026-03-01", None).as_deref(), Some("2026-03-01"));
    assert_eq!(date("2026-03-01T23:30:00-05:00", None).as_deref(), Some("2026-03-02"));
    assert_eq!(date("2026-03-01 23:30:00", None).as_deref(), Some("2026-03-01"));
    assert_eq!(date("2026-01-31", Some("P1M")).as_deref(), Some("2026-02-28"));
    assert_eq!(date("2028-02-29T00:00:00Z", Some("P1Y")).as_deref(), Some("2029-02-28"));
    assert_eq!(date("2026-12-15", Some("P1M")).as_deref(), Some("2027-01-15"));
    assert_eq!(date("2026-12-31", Some("P1Y2M10D")).as_deref(), Some("2028-03-10"));
    assert_eq!(date("2026-03-01", Some("P2W")).as_deref(), Some("2026-03-15"));
    // Which dates there may be is the contract's to say.
    assert_eq!(date("1969-12-31", None).as_deref(), Some("1969-12-31"));
    for wrong in ["1969-12-31", "2026-02-30", "20260301", "2026-03-01Tx", "now", ""] {
        assert_eq!(date(wrong, Some("P1M")), None, "{wrong}");
    }
    for wrong in ["P", "1M", "PT1M", "P1M1Y", "P1.5M", "P-1M", "P1X", "P999999999M", ""] {
        assert!(wrong.parse::<Period>().is_err(), "{wrong}");
    }
}

#[test]
fn durations_are_iso_8601_or_a_number_of_units() {
    let of = |input, unit| written(|out| write_duration(input, unit, out));
    let text = |text| of(Input::Text(text), None);
    assert_eq!(text("PT1M30S").as_deref(), Some("90000"));
    assert_eq!(text("PT0.0019S").as_deref(), Some("1"));
    assert_eq!(text("P1DT2H").as_deref(), Some("93600000"));
    assert_eq!(text("P1W").as_deref(), Some("604800000"));
    assert_eq!(text("PT1.5H").as_deref(), Some("5400000"));
    for wrong in
        ["P", "PT", "P1M", "P1Y", "1M", "PT1", "PTS", "PT1S1M", "PT-1S", "-PT1S", "P1DT", "PT1e3S", "90"]
    {
        assert_eq!(text(wrong), None, "{wrong}");
    }
    assert_eq!(of(Input::Number("12.5"), Some(TimeUnit::Seconds)).as_deref(), Some("12500"));
    assert_eq!(of(Input::Text("1999"), Some(TimeUnit::Microseconds)).as_deref(), Some("1"));
    assert_eq!(of(Input::Text("PT2S"), Some(TimeUnit::Minutes)).as_deref(), Some("2000"));
    assert_eq!(of(Input::Number("2"), Some(TimeUnit::Hours)).as_deref(), Some("7200000"));
    assert_eq!(of(Input::Number("2"), None), None);
    assert_eq!(of(Input::Number("-0.001"), Some(TimeUnit::Seconds)).as_deref(), Some("-1"));
    assert_eq!(of(Input::Number("1e300"), Some(TimeUnit::Seconds)), None);
}

#[test]
fn minor_units_are_exact_or_refused() {
    let of = |text: &str, digits| written(|out| write_minor_units(Input::Text(text), digits, out));
    assert_eq!(of("1999", 2).as_deref(), Some("19.99"));
    assert_eq!(of("500", 2).as_deref(), Some("5.00"));
    assert_eq!(of("5", 0).as_deref(), Some("5"));
    assert_eq!(of("5", 3).as_deref(), Some("0.005"));
    assert_eq!(of("1999.5", 2).as_deref(), Some("19.995"));
    assert_eq!(of("1.5e3", 2).as_deref(), Some("15.00"));
    assert_eq!(of("-7", 2).as_deref(), Some("-0.07"));
    assert_eq!(of("0.10", 0).as_deref(), Some("0.1"));
    for wrong in ["1999.555", "", "1,999", "$5", "1e-9"] {
        assert_eq!(of(wrong, 2), None, "{wrong}");
    }
}

#[test]
fn shares_are_of_two_numbers() {
    let of =
        |a, b| share(Input::Number(a), Input::Number(b)).map(|share| share.map(|share| share.to_string()));
    assert_eq!(of("1", "3"), Ok(Some((1.0_f64 / 3.0).to_string())));
    assert_eq!(of("0", "2"), Ok(Some("0".to_owned())));
    assert_eq!(of("-0", "2"), Ok(Some("0".to_owned())));
    assert_eq!(of("1", "0"), Ok(None));
    assert_eq!(of("1", "0.0"), Ok(None));
    assert_eq!(of("1e308", "1e-308"), Err(Failed));
    assert_eq!(share(Input::Text("1"), Input::Text("4")), Ok(Some(0.25)));
    assert_eq!(share(Input::Text("inf"), Input::Number("1")), Err(Failed));
    assert_eq!(share(Input::Boolean(true), Input::Number("1")), Err(Failed));
}

#[test]
fn uuids_of_other_spellings_and_made_ones() {
    let of = |text| written(|out| write_uuid(Input::Text(text), out));
    let id = Some("018f2c6e-7b1a-7c3d-9e4f-0123456789ab".to_owned());
    for text in [
        "018f2c6e-7b1a-7c3d-9e4f-0123456789ab",
        "018F2C6E-7B1A-7C3D-9E4F-0123456789AB",
        "018f2c6e7b1a7c3d9e4f0123456789ab",
        "{018f2c6e-7b1a-7c3d-9e4f-0123456789ab}",
        "urn:uuid:018f2c6e-7b1a-7c3d-9e4f-0123456789ab",
    ] {
        assert_eq!(of(text), id, "{text}");
    }
    assert_eq!(of("api-1jokSbwmm0WrKuCOsLCUBW5AZ1X"), None);
    // RFC 9562, appendix A.4.
    let mut made = String::new();
    write_made_id(&uuid::Uuid::NAMESPACE_DNS, b"www.example.com", &mut made);
    assert_eq!(made, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

#[test]
fn words_and_segments() {
    let snake = |text: &str| {
        let mut out = String::new();
        write_snake_case(text, &mut out);
        out
    };
    for (text, expected) in [
        ("Order Completed", "order_completed"),
        ("orderCompleted", "order_completed"),
        ("HTTPServer 2Go", "http_server_2_go"),
        ("$pageview", "pageview"),
        ("  a--b  ", "a_b"),
        ("already_snake_9", "already_snake_9"),
        ("Урок Открыт", "урок_открыт"),
        ("[Amplitude] Page Viewed", "amplitude_page_viewed"),
        ("$$", ""),
    ] {
        assert_eq!(snake(text), expected, "{text}");
    }
    assert_eq!(last_segment("http://adlnet.gov/expapi/verbs/answered"), "answered");
    assert_eq!(last_segment("http://example.org/a#b"), "b");
    assert_eq!(last_segment("http://example.org/a/"), "a");
    assert_eq!(last_segment("plain"), "plain");
}

proptest! {
    #[test]
    fn minor_units_read_back_as_the_amount(units: u32, digits in 0_u8..=4) {
        let text = written(|out| write_minor_units(Input::Text(&units.to_string()), digits, out)).unwrap();
        let parts = i64::from(units) * 10_i64.pow(4 - u32::from(digits));
        prop_assert_eq!(parse_amount(text.as_bytes()), Ok(parts), "{}", text);
    }

    #[test]
    fn milliseconds_read_back_as_the_time(millis in -62_167_219_200_000_i64..253_402_300_800_000) {
        let text = epoch(Input::Number(&millis.to_string()), EpochUnit::Milliseconds).unwrap();
        prop_assert_eq!(parse_rfc3339(text.as_bytes()), Ok(millis));
        prop_assert_eq!(text.as_bytes(), rfc3339(millis).unwrap());
    }

    #[test]
    fn periods_are_added_as_calendars_do(days: u16, months in 0_u32..600, plus_days in 0_u32..1000) {
        let date = event_schema::value::Date::from_days(days);
        let (year, month, day) = date.ymd();
        let expected = jiff::civil::date(year as i16, month as i8, day as i8)
            .checked_add(jiff::Span::new().months(months).days(plus_days))
            .ok()
            .map(|date| date.to_string())
            .filter(|date| event_schema::value::parse_date(date.as_bytes()).is_ok());
        let period = Period { months, days: plus_days };
        let made = written(|out| write_date(Input::Text(&date.to_string()), Some(period), out));
        prop_assert_eq!(made, expected);
    }

    #[test]
    fn snake_case_stays_as_it_is(text in "\\PC{0,24}") {
        let (mut once, mut twice) = (String::new(), String::new());
        write_snake_case(&text, &mut once);
        write_snake_case(&once, &mut twice);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,24}", digits in 0_u8..=4) {
        let mut out = String::new();
        let input = Input::Text(&text);
        let _ = write_epoch(input, EpochUnit::Seconds, &mut out);
        let _ = write_local_time(input, &TimeZone::UTC, &mut out);
        let _ = write_date(input, Some(Period { months: 1, days: 1 }), &mut out);
        let _ = write_duration(input, Some(TimeUnit::Hours), &mut out);
        let _ = write_minor_units(input, digits, &mut out);
        let _ = share(input, input);
        let _ = write_uuid(input, &mut out);
        last_segment(&text);
    }
}
