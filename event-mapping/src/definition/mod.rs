//! A mapping as data: rules, and where each field of the contract stands in the source.
//!
//! [`Mapping::from_toml`](crate::Mapping::from_toml) reads one from TOML, [`Definition::to_toml`] writes it back; it can also be built in code.
//! [`crate::Mapping::new`] checks and compiles it.

mod conversion;
mod place;
mod write;

#[cfg(test)]
pub(crate) mod tests;

pub use conversion::{Constant, Conversion, EpochUnit, Period, PeriodError, TimeUnit};
pub(crate) use place::parse_pointer;
pub use place::{Place, PlaceError, Selection};

use uuid::Uuid;

/// Where something stands in a mapping's files. All spans are equal: two definitions that say the same are the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// The file's number among those that were read.
    pub(crate) file: u16,
    /// The byte in it.
    pub(crate) byte: u32,
}

impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

/// A mapping, as it is written down.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definition {
    /// Its name, for messages and `raw.loads`.
    pub name: String,
    /// The namespace of made ids; [`DEFAULT_NAMESPACE`] where there is none.
    pub namespace: Option<Uuid>,
    /// How a line is read.
    pub input: Input,
    /// Fields of every rule that has no value of its own for them.
    pub defaults: Vec<Assignment>,
    /// The rules; the first that fits takes the line.
    pub rules: Vec<Rule>,
}

/// The namespace of made ids where a mapping names none.
pub const DEFAULT_NAMESPACE: Uuid = Uuid::from_u128(0x5c40_01be_11e0_5d1a_8f0e_6a1d_9b3c_27f4);

/// How a line is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Input {
    /// Whether what stands before a line's first `{` is skipped; else it is an error.
    pub skip_prefix: bool,
    /// An array whose elements are the events.
    pub each: Option<Place>,
    /// Texts that hold JSON. One that holds no object or array is left a text.
    pub embedded: Vec<Place>,
}

/// What becomes of the lines that meet some conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// All of them must hold.
    pub when: Vec<Condition>,
    /// What becomes of the line.
    pub then: Then,
    /// Where it stands.
    pub span: Span,
}

impl Rule {
    /// The rule in a few words: what it gives, and of which lines.
    pub fn summary(&self) -> String {
        let gives = match &self.then {
            Then::Drop(word) => format!("dropped as {word}"),
            Then::Event(fields) => {
                match fields
                    .iter()
                    .find(|field| field.field == "event_type")
                    .map(|field| &field.value.conversion)
                {
                    Some(Conversion::Value(Constant::Text(event_type))) => event_type.clone(),
                    _ => "events".to_owned(),
                }
            }
        };
        let places: Vec<String> = self.when.iter().map(ToString::to_string).collect();
        if places.is_empty() { gives } else { format!("{gives}, where {}", places.join(" and ")) }
    }
}

/// What becomes of a line that a rule takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Then {
    /// It is no event: it is counted under this word.
    Drop(String),
    /// It is an event with these fields, and the defaults.
    Event(Vec<Assignment>),
}

/// A field of the contract and what gives its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The field's name in the contract.
    pub field: String,
    /// What gives its value.
    pub value: Expression,
    /// Where it stands.
    pub span: Span,
}

/// What gives a field its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Places: the first where something other than `null` and `""` stands is converted.
    pub at: Vec<Place>,
    /// How the value there becomes the field's.
    pub conversion: Conversion,
    /// What stands for a value that is absent, or cannot be converted.
    pub otherwise: Option<Box<Expression>>,
    /// Where it stands.
    pub span: Span,
}

impl Expression {
    /// The values at some places, converted.
    pub fn of(at: Vec<Place>, conversion: Conversion) -> Expression {
        Expression { at, conversion, otherwise: None, span: Span::default() }
    }

    /// A constant.
    pub fn constant(value: Constant) -> Expression {
        Expression::of(Vec::new(), Conversion::Value(value))
    }

    /// An expression that could not be read: a fault was noted.
    pub(crate) fn unreadable(span: Span) -> Expression {
        Expression { span, ..Expression::of(Vec::new(), Conversion::Verbatim) }
    }

    /// Whether it could not be read.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.at.is_empty() && self.conversion == Conversion::Verbatim
    }

    /// The expression, and those that stand for its value where that is absent.
    pub fn alternatives(&self) -> impl Iterator<Item = &Expression> {
        std::iter::successors(Some(self), |expression| expression.otherwise.as_deref())
    }

    /// Every place that it looks at.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.alternatives().flat_map(|one| {
            let (several, share): (&[Place], _) = match &one.conversion {
                Conversion::MadeId { of } => (of, None),
                Conversion::Share { of, out_of } => (&[], Some([&**of, &**out_of])),
                _ => (&[], None),
            };
            one.at.iter().chain(several).chain(share.into_iter().flatten())
        })
    }
}

/// A condition on what stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The place.
    pub at: Place,
    /// What is to stand there.
    pub test: Test,
    /// Where it stands.
    pub span: Span,
}

/// What is to stand at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One of these.
    Is(Vec<Constant>),
    /// None of these, or nothing.
    IsNot(Vec<Constant>),
    /// Something other than `null` and `""`; or, where false, nothing or one of these.
    Exists(bool),
    /// A text that starts with this.
    StartsWith(String),
    /// A text that ends with this.
    EndsWith(String),
}
