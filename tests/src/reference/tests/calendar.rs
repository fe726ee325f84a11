//! Days and milliseconds against known instants.

use crate::reference::calendar::{date, days_since_epoch, event_time_range, period_range, timestamp};

#[test]
fn days_of_known_dates() {
    assert_eq!(days_since_epoch(1970, 1, 1), 0);
    assert_eq!(days_since_epoch(1969, 12, 31), -1);
    assert_eq!(days_since_epoch(1968, 2, 29), -672);
    assert_eq!(days_since_epoch(2000, 1, 1), 10_957);
    assert_eq!(days_since_epoch(2000, 3, 1), 11_017);
    assert_eq!(days_since_epoch(2149, 6, 6), 65_535);
    assert_eq!(days_since_epoch(0, 1, 1), -719_528);
    assert_eq!(days_since_epoch(9999, 12, 31), 2_932_896);
}

#[test]
fn every_day_follows_the_one_before() {
    // A Gregorian cycle and more: 1890 to 2310.
    let mut expected = days_since_epoch(1889, 12, 31);
    let mut leap_days = 0;
    for year in 1890..=2310 {
        for (month, day) in (1..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
            if let Some(days) = date(format!("{year:04}-{month:02}-{day:02}").as_bytes()) {
                expected += 1;
                assert_eq!(days, expected, "{year}-{month}-{day}");
                leap_days += i32::from(month == 2 && day == 29);
            }
        }
    }
    // Of 421 years, every fourth from 1892 to 2308 is a leap year, but 1900, 2100, 2200 and 2300.
    assert_eq!(leap_days, 105 - 4);
    assert_eq!(expected - days_since_epoch(1889, 12, 31), 421 * 365 + 101);
}

#[test]
fn known_instants() {
    let instant = |text: &str| timestamp(text.as_bytes());
    assert_eq!(instant("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(instant("2001-09-09T01:46:40Z"), Some(1_000_000_000_000));
    assert_eq!(instant("2033-05-18T03:33:20Z"), Some(2_000_000_000_000));
    assert_eq!(instant("1969-12-31T23:59:59.9999Z"), Some(-1));
    assert_eq!(instant("1985-04-12t23:20:50.52z"), Some(482_196_050_520));
    assert_eq!(instant("1996-12-19 16:39:57-08:00"), Some(851_042_397_000));
    assert_eq!(instant("1937-01-01T12:00:27.87+00:20"), Some(-1_041_337_172_130));
    for refused in ["", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z"]
    {
        assert_eq!(instant(refused), None, "{refused}");
    }
}

#[test]
fn letters_of_several_bytes_are_no_digits_and_do_no_harm() {
    assert_eq!(timestamp("2026-01-0é:00:00:00Z".as_bytes()), None);
    assert_eq!(timestamp("２０２６-01-01T00:00:00Z".as_bytes()), None);
    assert_eq!(date("2026-0é-1".as_bytes()), None);
}

#[test]
fn ranges() {
    assert_eq!(event_time_range((2026, 1, 1)), 946_684_800_000..1_767_398_400_000);
    assert_eq!(event_time_range((2024, 2, 28)).end, 1_709_251_200_000);
    assert_eq!(period_range(), 0..=65_535);
}
