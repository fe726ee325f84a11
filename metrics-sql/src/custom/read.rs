//! TOML → checked definitions. Every definition is looked at, and everything wrong is told at once.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{
    Condition, Constant, CustomMetric, DefinitionError, Dimension, Entity, Field, Holds, LONGEST_WINDOW_DAYS,
    Measure, Part, Test, Value,
};

/// Columns that a metric may be cut by, where its entity has them.
const DIMENSIONS: [&str; 10] = [
    "platform",
    "app_version",
    "country",
    "event_type",
    "course_id",
    "lesson_id",
    "plan",
    "currency",
    "device",
    "os",
];
/// Columns that every such mart, or a ratio's, has.
const COLUMNS_OF_MARTS: [&str; 5] = ["activity_date", "segment", "segment_value", "numerator", "denominator"];
/// The longest name: `fct_` and what follows stay within what file systems and ClickHouse take.
const LONGEST_NAME: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    metric: Vec<Spanned<Definition>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    name: Spanned<String>,
    description: Spanned<String>,
    entity: Option<Spanned<String>>,
    measure: Option<Spanned<String>>,
    of: Option<Spanned<String>>,
    filter: Option<Spanned<Vec<Spanned<Filter>>>>,
    numerator: Option<Spanned<RawPart>>,
    denominator: Option<Spanned<RawPart>>,
    #[serde(default)]
    dimensions: Vec<Spanned<String>>,
    window_days: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    entity: Option<Spanned<String>>,
    measure: Option<Spanned<String>>,
    of: Option<Spanned<String>>,
    filter: Option<Spanned<Vec<Spanned<Filter>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    column: Option<Spanned<String>>,
    property: Option<Spanned<String>>,
    is: Option<Spanned<toml::Value>>,
    is_not: Option<Spanned<toml::Value>>,
    at_least: Option<Spanned<toml::Value>>,
    at_most: Option<Spanned<toml::Value>>,
}

/// Reads the definitions of a file; `file` is what errors call it.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn read(file: &str, text: &str) -> Result<Vec<CustomMetric>, Vec<DefinitionError>> {
    let mut reader = Reader { file, text, errors: Vec::new() };
    let definitions: File = match toml::from_str(text) {
        Ok(definitions) => definitions,
        Err(error) => {
            reader.wrong(error.span().unwrap_or_default(), error.message().to_owned());
            return Err(reader.errors);
        }
    };
    let mut metrics: Vec<CustomMetric> = Vec::new();
    for definition in definitions.metric {
        let name = definition.get_ref().name.clone();
        if metrics.iter().any(|metric| metric.name == *name.get_ref()) {
            reader.wrong(name.span(), format!("the metric `{}` is defined twice", name.get_ref()));
        } else if is_taken(name.get_ref()) {
            reader.wrong(
                name.span(),
                format!("Schoolbell has models of the name `{}` already", name.get_ref()),
            );
        }
        metrics.extend(reader.metric(definition));
    }
    if reader.errors.is_empty() { Ok(metrics) } else { Err(reader.errors) }
}

/// Whether one of Schoolbell's own models has a name that this metric's would have.
fn is_taken(name: &str) -> bool {
    let parts = ["", "_numerator", "_denominator"].map(|part| format!("int_{name}{part}_daily"));
    let mart = format!("fct_{name}");
    crate::models().iter().any(|model| {
        model.id.name.as_str() == mart || parts.iter().any(|part| part == model.id.name.as_str())
    })
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    errors: Vec<DefinitionError>,
}

impl Reader<'_> {
    fn wrong(&mut self, span: Range<usize>, message: String) {
        self.errors.push(DefinitionError::at(self.file, self.text, span.start, message));
    }

    fn metric(&mut self, definition: Spanned<Definition>) -> Option<CustomMetric> {
        let span = definition.span();
        let Definition {
            name,
            description,
            entity,
            measure,
            of,
            filter,
            numerator,
            denominator,
            dimensions,
            window_days,
        } = definition.into_inner();
        self.name(&name);
        if description.get_ref().trim().is_empty() {
            self.wrong(description.span(), "the description is empty: say what the metric means".to_owned());
        }
        let window_days = self.window(window_days);
        let is_measure = entity.is_some() || measure.is_some() || of.is_some() || filter.is_some();
        let value = match (numerator, denominator) {
            (None, None) => self.part(&span, RawPart { entity, measure, of, filter }).map(Value::Measure),
            (Some(numerator), Some(denominator)) if !is_measure => {
                let (of_numerator, of_denominator) = (numerator.span(), denominator.span());
                let numerator = self.part(&of_numerator, numerator.into_inner());
                let denominator = self.part(&of_denominator, denominator.into_inner());
                numerator
                    .zip(denominator)
                    .map(|(numerator, denominator)| Value::Ratio { numerator, denominator })
            }
            (Some(_), Some(_)) => {
                self.wrong(
                    span,
                    "a ratio has entity, measure and filter in its numerator and denominator only".to_owned(),
                );
                None
            }
            (Some(one), None) | (None, Some(one)) => {
                self.wrong(one.span(), "a ratio has both a numerator and a denominator".to_owned());
                None
            }
        };
        let dimensions = self.dimensions(&dimensions, value.as_ref());
        Some(CustomMetric {
            name: name.into_inner(),
            description: description.into_inner(),
            value: value?,
            dimensions,
            window_days: window_days?,
        })
    }

    fn name(&mut self, name: &Spanned<String>) {
        let text = name.get_ref();
        let good = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && text.len() <= LONGEST_NAME;
        if !good {
            self.wrong(name.span(), format!(
                "`{text}` is no name of a metric: a letter a-z, then letters, digits and `_`, at most {LONGEST_NAME}"
            ));
        } else if COLUMNS_OF_MARTS.contains(&text.as_str()) {
            self.wrong(
                name.span(),
                format!("the mart has a column `{text}` of its own: choose another name"),
            );
        }
    }

    fn window(&mut self, window: Option<Spanned<i64>>) -> Option<u32> {
        let Some(window) = window else { return Some(1) };
        match u32::try_from(*window.get_ref()) {
            Ok(days @ 1..=LONGEST_WINDOW_DAYS) => Some(days),
            _ => {
                self.wrong(window.span(), format!("window_days is from 1 to {LONGEST_WINDOW_DAYS}"));
                None
            }
        }
    }

    fn part(&mut self, span: &Range<usize>, part: RawPart) -> Option<Part> {
        let Some(entity) = part.entity else {
            self.wrong(
                span.clone(),
                format!("the entity is missing: one of {}", list(Entity::ALL.map(Entity::name))),
            );
            return None;
        };
        let Some(found) = Entity::ALL.into_iter().find(|known| known.name() == entity.get_ref()) else {
            self.wrong(
                entity.span(),
                format!(
                    "there is no entity `{}`: one of {}",
                    entity.get_ref(),
                    list(Entity::ALL.map(Entity::name))
                ),
            );
            return None;
        };
        let entity = found;
        let measure = self.measure(span, entity, part.measure, part.of);
        let filters = part.filter.map(Spanned::into_inner).unwrap_or_default();
        let filter: Vec<_> = filters.into_iter().map(|filter| self.condition(entity, filter)).collect();
        Some(Part { entity, measure: measure?, filter: filter.into_iter().collect::<Option<_>>()? })
    }

    fn measure(
        &mut self,
        span: &Range<usize>,
        entity: Entity,
        measure: Option<Spanned<String>>,
        of: Option<Spanned<String>>,
    ) -> Option<Measure> {
        const MEASURES: [&str; 4] = ["count", "users", "distinct", "sum"];
        let Some(measure) = measure else {
            self.wrong(span.clone(), format!("the measure is missing: one of {}", list(MEASURES)));
            return None;
        };
        let wants = |wanted: &'static [Holds]| move |holds: Holds| wanted.contains(&holds);
        match (measure.get_ref().as_str(), of) {
            ("count", None) => Some(Measure::Count),
            ("users", None) => Some(Measure::Users),
            ("count" | "users", Some(of)) => {
                self.wrong(of.span(), format!("`{}` is of no column: leave out `of`", measure.get_ref()));
                None
            }
            ("distinct", Some(of)) => {
                self.column(entity, &of, wants(&[Holds::Text])).map(|(name, _)| Measure::Distinct(name))
            }
            ("sum", Some(of)) => self
                .column(entity, &of, wants(&[Holds::WholeNumber, Holds::Number, Holds::Money]))
                .map(|(name, _)| Measure::Sum(name)),
            ("distinct" | "sum", None) => {
                self.wrong(measure.span(), format!("`{}` needs a column: of = \"…\"", measure.get_ref()));
                None
            }
            (other, _) => {
                self.wrong(
                    measure.span(),
                    format!("there is no measure `{other}`: one of {}", list(MEASURES)),
                );
                None
            }
        }
    }

    /// A column of the entity that holds what is wanted.
    fn column(
        &mut self,
        entity: Entity,
        name: &Spanned<String>,
        is_wanted: impl Fn(Holds) -> bool,
    ) -> Option<(&'static str, Holds)> {
        let columns = entity.columns();
        let found = columns.iter().find(|(known, holds)| known == name.get_ref() && is_wanted(*holds));
        if found.is_none() {
            let fitting = columns.iter().filter(|(_, holds)| is_wanted(*holds)).map(|(known, _)| *known);
            let fitting: Vec<&str> = fitting.collect();
            let allowed = if fitting.is_empty() {
                "it has none".to_owned()
            } else {
                format!("one of {}", list(fitting))
            };
            self.wrong(
                name.span(),
                format!(
                    "`{}` has no such column `{}` that fits here: {allowed}",
                    entity.name(),
                    name.get_ref()
                ),
            );
        }
        found.copied()
    }

    fn condition(&mut self, entity: Entity, filter: Spanned<Filter>) -> Option<Condition> {
        let span = filter.span();
        let Filter { column, property, is, is_not, at_least, at_most } = filter.into_inner();
        let (field, holds) = match (column, property) {
            (Some(column), None) => {
                let (name, holds) = self.column(entity, &column, |_| true)?;
                (Field::Column(name), holds)
            }
            (None, Some(property)) if entity == Entity::Events => {
                (Field::Property(property.into_inner()), Holds::Text)
            }
            (None, Some(property)) => {
                self.wrong(property.span(), "only `events` have properties".to_owned());
                return None;
            }
            _ => {
                self.wrong(span, "a filter has either a column or a property".to_owned());
                return None;
            }
        };
        let tests = [("is", is), ("is_not", is_not), ("at_least", at_least), ("at_most", at_most)];
        let mut given = tests.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let (Some((test, value)), None) = (given.next(), given.next()) else {
            self.wrong(span, "a filter has one of is, is_not, at_least, at_most".to_owned());
            return None;
        };
        let is_bound = matches!(test, "at_least" | "at_most");
        if is_bound && !matches!(holds, Holds::WholeNumber | Holds::Number | Holds::Money) {
            self.wrong(value.span(), format!("`{test}` is for columns of numbers"));
            return None;
        }
        let span = value.span();
        let constants = match value.into_inner() {
            toml::Value::Array(values) if !is_bound => values,
            value => vec![value],
        };
        let constants: Option<Vec<Constant>> =
            constants.into_iter().map(|value| constant(value, holds)).collect();
        let Some(constants) = constants.filter(|constants| !constants.is_empty()) else {
            self.wrong(
                span,
                format!(
                    "expected {} here",
                    match holds {
                        Holds::Text => "text, or a list of texts",
                        Holds::Bool => "true or false",
                        Holds::WholeNumber | Holds::Number | Holds::Money => "a whole number",
                    }
                ),
            );
            return None;
        };
        let first = || constants[0].clone();
        let test = match test {
            "is" => Test::In(constants),
            "is_not" => Test::NotIn(constants),
            "at_least" => Test::AtLeast(first()),
            _ => Test::AtMost(first()),
        };
        Some(Condition { field, test })
    }

    /// Dimensions that every part has.
    fn dimensions(&mut self, names: &[Spanned<String>], value: Option<&Value>) -> Vec<Dimension> {
        let parts: Vec<&Part> = match value {
            None => return Vec::new(),
            Some(Value::Measure(part)) => vec![part],
            Some(Value::Ratio { numerator, denominator }) => vec![numerator, denominator],
        };
        let has = |part: &Part, name: &str| part.entity.columns().iter().any(|(known, _)| *known == name);
        let allowed: Vec<&'static str> =
            DIMENSIONS.into_iter().filter(|name| parts.iter().all(|part| has(part, name))).collect();
        let mut dimensions = Vec::new();
        for name in names {
            match allowed.iter().find(|known| *known == name.get_ref()) {
                Some(known) if dimensions.contains(&Dimension(known)) => {
                    self.wrong(name.span(), format!("the dimension `{known}` is named twice"));
                }
                Some(known) => dimensions.push(Dimension(known)),
                None => self.wrong(
                    name.span(),
                    format!(
                        "there is no dimension `{}` here: any of {}",
                        name.get_ref(),
                        list(allowed.iter().copied())
                    ),
                ),
            }
        }
        dimensions
    }
}

fn constant(value: toml::Value, holds: Holds) -> Option<Constant> {
    match (value, holds) {
        (toml::Value::String(text), Holds::Text) => Some(Constant::Text(text)),
        (toml::Value::Boolean(value), Holds::Bool) => Some(Constant::Bool(value)),
        (toml::Value::Integer(value), Holds::WholeNumber | Holds::Number | Holds::Money) => {
            Some(Constant::Integer(value))
        }
        _ => None,
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
