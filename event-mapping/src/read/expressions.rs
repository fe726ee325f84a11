//! What gives a field its value: places, conversions, constants.

use toml::de::DeValue;

use super::table::{Table, did_you_mean, integer, list};
use super::{Reader, Value};
use crate::definition::parse_pointer;
use crate::definition::{Constant, Conversion, EpochUnit, Expression, Place, Selection, TimeUnit};

impl Reader<'_> {
    /// The value of `event_type`: a bare text is the type itself.
    pub(super) fn event_type(&mut self, value: &Value<'_>) -> Option<Expression> {
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() && !text.starts_with(['/', '^']) => {
                let span = self.span(&value.span());
                Some(Expression { span, ..Expression::constant(Constant::Text(text.to_owned())) })
            }
            _ => self.expression(value),
        }
    }

    /// The value of a field.
    pub(super) fn expression(&mut self, value: &Value<'_>) -> Option<Expression> {
        let span = self.span(&value.span());
        match value.get_ref() {
            DeValue::String(_) | DeValue::Array(_) => {
                Some(Expression { span, ..Expression::of(self.places(value)?, Conversion::Verbatim) })
            }
            DeValue::Table(entries) => {
                let table = Table::new(entries, value.span());
                Some(Expression { span, ..self.converted(table)? })
            }
            _ => {
                self.fault(
                    value.span(),
                    "expected a place (\"/userId\"), a list of places, or a table; a constant is { value = … }",
                );
                None
            }
        }
    }

    fn converted(&mut self, mut table: Table<'_, '_>) -> Option<Expression> {
        let constant = table.take("value").map(|value| self.constant(value));
        let name = table.take("as");
        let has_place = ["at", "where", "then"].iter().any(|key| table.take(key).is_some());
        let conversion = match (constant, name) {
            (Some(_), Some(name)) => {
                self.fault(name.span(), "a constant is not converted: leave out `as` or `value`");
                None
            }
            (Some(constant), None) => constant.map(Conversion::Value),
            (None, None) => Some(Conversion::Verbatim),
            (None, Some(name)) => self.conversion(name, &mut table),
        };
        // A table that is wrong is still read to its end.
        let needs_place = !matches!(
            conversion,
            None | Some(Conversion::MadeId { .. } | Conversion::Share { .. } | Conversion::Value(_))
        );
        let at = if has_place {
            if conversion.is_some() && !needs_place {
                let message = match conversion {
                    Some(Conversion::Value(_)) => "a constant has no place: leave out `at` or `value`",
                    _ => "this conversion has its places in `of`, not in `at`",
                };
                self.fault(table.span(), message);
            }
            self.selected_places(&mut table)
        } else {
            if needs_place {
                self.fault(table.span(), "the place is missing: `at = \"/…\"`");
            }
            Some(Vec::new())
        };
        let otherwise = match table.take("otherwise") {
            Some(value) => Some(Box::new(self.expression(value)?)),
            None => None,
        };
        if let (Some(_), Some(Conversion::Value(_))) = (&otherwise, &conversion) {
            self.fault(table.span_of("otherwise"), "a constant is never absent: leave out `otherwise`");
        }
        self.finish_conversion(&table, conversion.as_ref());
        Some(Expression { at: at?, otherwise, ..Expression::of(Vec::new(), conversion?) })
    }

    fn conversion(&mut self, name: &Value<'_>, table: &mut Table<'_, '_>) -> Option<Conversion> {
        let text = self.text(name, "the name of a conversion")?;
        let conversion = match &*text {
            "text" => Conversion::Text,
            "uuid" => Conversion::Uuid,
            "made_id" => {
                let of = match table.take("of") {
                    Some(value) => self.places(value)?,
                    None => Vec::new(),
                };
                Conversion::MadeId { of }
            }
            "epoch_seconds" => Conversion::Epoch(EpochUnit::Seconds),
            "epoch_milliseconds" => Conversion::Epoch(EpochUnit::Milliseconds),
            "epoch_microseconds" => Conversion::Epoch(EpochUnit::Microseconds),
            "local_time" => Conversion::LocalTime { zone: self.zone(name, table)? },
            "date" => {
                let plus = match table.take("plus") {
                    Some(value) => {
                        let text = self.text(value, "an ISO 8601 period, like P1M")?;
                        match text.parse() {
                            Ok(period) => Some(period),
                            Err(error) => {
                                self.fault(value.span(), format!("`{text}` is no period: {error}"));
                                None
                            }
                        }
                    }
                    None => None,
                };
                Conversion::Date { plus }
            }
            "duration" => {
                let unit = match table.take("unit") {
                    Some(value) => Some(self.unit(value)?),
                    None => None,
                };
                Conversion::Duration { unit }
            }
            "minor_units" => Conversion::MinorUnits { digits: self.digits(name, table)? },
            "share" => {
                let [of, out_of] = ["of", "out_of"].map(|key| match table.take(key) {
                    Some(value) => self.place(value).map(Box::new),
                    None => {
                        self.fault(
                            name.span(),
                            format!("`share` has two places, `of` and `out_of`: `{key}` is missing"),
                        );
                        None
                    }
                });
                Conversion::Share { of: of?, out_of: out_of? }
            }
            "lower" => Conversion::Lower,
            "upper" => Conversion::Upper,
            "snake_case" => Conversion::SnakeCase,
            "last_segment" => Conversion::LastSegment,
            "one_of" => match table.take("table") {
                Some(value) => {
                    let table =
                        self.constants_by_name(value, "texts with their values, like { right = true }")?;
                    Conversion::OneOf { table }
                }
                None => {
                    self.fault(
                        name.span(),
                        "`one_of` has a table: `table = { right = true, wrong = false }`",
                    );
                    return None;
                }
            },
            _ => {
                let message = format!(
                    "there is no conversion `{text}`{}: there are {}",
                    did_you_mean(&text, Conversion::NAMES.into_iter()),
                    list(Conversion::NAMES.into_iter().filter(|name| *name != "value"))
                );
                self.fault(name.span(), message);
                return None;
            }
        };
        Some(conversion)
    }

    fn zone(&mut self, name: &Value<'_>, table: &mut Table<'_, '_>) -> Option<String> {
        let Some(value) = table.take("zone") else {
            self.fault(name.span(), "`local_time` has a zone: `zone = \"Asia/Almaty\"`");
            return None;
        };
        let zone = self.text(value, "an IANA time zone")?;
        if jiff::tz::TimeZone::get(&zone).is_err() {
            self.fault(
                value.span(),
                format!("there is no time zone `{zone}`: IANA has names like Asia/Almaty, or UTC"),
            );
        }
        Some(zone)
    }

    fn unit(&mut self, value: &Value<'_>) -> Option<TimeUnit> {
        let name = self.text(value, "the unit of a number")?;
        let unit = TimeUnit::ALL.into_iter().find(|unit| unit.name() == name);
        if unit.is_none() {
            let units = list(TimeUnit::ALL.map(TimeUnit::name));
            self.fault(value.span(), format!("there is no unit `{name}`: one of {units}"));
        }
        unit
    }

    fn digits(&mut self, name: &Value<'_>, table: &mut Table<'_, '_>) -> Option<u8> {
        let value = table.take("digits");
        let digits = value.and_then(integer).and_then(|digits| u8::try_from(digits).ok());
        let good = digits.filter(|digits| *digits <= 4);
        if good.is_none() {
            let at = value.unwrap_or(name).span();
            self.fault(at, "`minor_units` has the digits after the point, from 0 to 4: `digits = 2`");
        }
        good
    }

    /// Notes keys that no conversion has, and those that another conversion has.
    fn finish_conversion(&mut self, table: &Table<'_, '_>, conversion: Option<&Conversion>) {
        const OWN: [(&str, &str); 8] = [
            ("of", "made_id and share"),
            ("out_of", "share"),
            ("zone", "local_time"),
            ("plus", "date"),
            ("unit", "duration"),
            ("digits", "minor_units"),
            ("table", "one_of"),
            ("value", "constants"),
        ];
        for (key, span, _) in table.rest() {
            let message = match OWN.iter().find(|(own, _)| *own == key) {
                // What is wrong has been said.
                Some(_) if conversion.is_none() => continue,
                Some((_, conversions)) => format!("`{key}` belongs to {conversions}"),
                None => {
                    let keys = ["at", "where", "then", "as", "otherwise"];
                    let all = || keys.into_iter().chain(OWN.map(|(own, _)| own));
                    format!(
                        "there is no `{key}` in a conversion{}: there are {}",
                        did_you_mean(key, all()),
                        list(all())
                    )
                }
            };
            self.fault(span, message);
        }
    }

    /// A place, or a list of them.
    fn places(&mut self, value: &Value<'_>) -> Option<Vec<Place>> {
        match value.get_ref() {
            DeValue::Array(places) if places.is_empty() => {
                self.fault(value.span(), "this list of places is empty");
                None
            }
            DeValue::Array(places) => {
                let places: Vec<_> = places.iter().map(|place| self.place(place)).collect();
                places.into_iter().collect()
            }
            _ => Some(vec![self.place(value)?]),
        }
    }

    /// A place: a JSON Pointer, or a table with `at`, `where` and `then`.
    pub(super) fn place(&mut self, value: &Value<'_>) -> Option<Place> {
        match value.get_ref() {
            DeValue::String(text) => match text.parse() {
                Ok(place) => Some(place),
                Err(error) => {
                    let error: crate::definition::PlaceError = error;
                    self.fault(value.span(), error.to_string());
                    None
                }
            },
            DeValue::Table(entries) => {
                let mut table = Table::new(entries, value.span());
                let place = self.selected_place(&mut table);
                self.finish(&table, "a place");
                place
            }
            _ => {
                self.fault(value.span(), "expected a place, like \"/userId\"");
                None
            }
        }
    }

    /// The one place of a table with `at`, and perhaps `where` and `then`.
    pub(super) fn selected_place(&mut self, table: &mut Table<'_, '_>) -> Option<Place> {
        let places = self.selected_places(table)?;
        match <[Place; 1]>::try_from(places) {
            Ok([place]) => Some(place),
            Err(_) => {
                self.fault(table.span_of("at"), "expected one place here");
                None
            }
        }
    }

    /// The places of a table with `at`, and perhaps `where` and `then`.
    fn selected_places(&mut self, table: &mut Table<'_, '_>) -> Option<Vec<Place>> {
        let (at, is, then) = (table.take("at"), table.take("where"), table.take("then"));
        let Some(at) = at else {
            self.fault(table.span(), "the place is missing: `at = \"/…\"`");
            return None;
        };
        let mut places = self.places(at)?;
        let (is, then) = match (is, then) {
            (None, None) => return Some(places),
            (Some(is), then) => (is, then),
            (None, Some(then)) => {
                self.fault(then.span(), "`then` is a place in the element that `where` selects");
                return None;
            }
        };
        let is = self.constants_by_name(is, "members of the element, like { key = \"page\" }")?;
        let then = match then {
            None => Vec::new(),
            Some(then) => {
                let text = self.text(then, "a place in the element")?;
                match parse_pointer(&text) {
                    Ok(steps) => steps,
                    Err(error) => {
                        self.fault(then.span(), error.to_string());
                        return None;
                    }
                }
            }
        };
        match &mut places[..] {
            [one] if one.selection.is_none() => one.selection = Some(Selection { is, then }),
            _ => {
                self.fault(at.span(), "`where` selects an element of the array at one place");
                return None;
            }
        }
        Some(places)
    }
}
