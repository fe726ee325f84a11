//! The reasons for which a line is rejected.

use std::fmt;

/// The reason of a violation. The first ones are about the line as a whole, which is then not checked further; the others
/// are about one field each.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The line is not UTF-8.
    InvalidUtf8,
    /// The line is longer than the limit.
    LineTooLong,
    /// The line is not RFC 8259 JSON, or an escape is a lone surrogate.
    InvalidJson,
    /// Objects and arrays nest deeper than the limit.
    NestingTooDeep,
    /// The line is JSON, but not an object.
    NotAnObject,
    /// The line was read with a mapping, and no rule of it takes the line.
    Unmapped,
    /// An object has a known key more than once.
    DuplicateField,
    /// A required field is absent or `null`.
    MissingField,
    /// The field has another JSON type than the contract's.
    WrongType,
    /// The type is right, but the value is not in the field's form.
    InvalidValue,
    /// The form is right, but the value is outside the field's range.
    OutOfRange,
}

impl Reason {
    /// Every reason, in the order of the contract.
    pub const ALL: [Reason; 11] = [
        Reason::InvalidUtf8,
        Reason::LineTooLong,
        Reason::InvalidJson,
        Reason::NestingTooDeep,
        Reason::NotAnObject,
        Reason::Unmapped,
        Reason::DuplicateField,
        Reason::MissingField,
        Reason::WrongType,
        Reason::InvalidValue,
        Reason::OutOfRange,
    ];

    /// The reason's name in tables and reports, like `missing_field`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::InvalidUtf8 => "invalid_utf8",
            Reason::LineTooLong => "line_too_long",
            Reason::InvalidJson => "invalid_json",
            Reason::NestingTooDeep => "nesting_too_deep",
            Reason::NotAnObject => "not_an_object",
            Reason::Unmapped => "unmapped",
            Reason::DuplicateField => "duplicate_field",
            Reason::MissingField => "missing_field",
            Reason::WrongType => "wrong_type",
            Reason::InvalidValue => "invalid_value",
            Reason::OutOfRange => "out_of_range",
        }
    }

    /// One sentence for the reference page.
    pub const fn doc(self) -> &'static str {
        match self {
            Reason::InvalidUtf8 => "The line is not UTF-8. Nothing else is checked.",
            Reason::LineTooLong => {
                "The line is longer than the limit (1 MiB by default); its first 64 KiB are kept."
            }
            Reason::InvalidJson => "The line is not RFC 8259 JSON, or a `\\u` escape is a lone surrogate.",
            Reason::NestingTooDeep => "Objects and arrays nest more than 128 deep.",
            Reason::NotAnObject => "The line is valid JSON, but not an object.",
            Reason::Unmapped => "The line was read with a mapping, and no rule of it takes the line.",
            Reason::DuplicateField => {
                "An object has a known key more than once (keys are compared after unescaping)."
            }
            Reason::MissingField => "A required field is absent or `null`.",
            Reason::WrongType => "The value has another JSON type than the field.",
            Reason::InvalidValue => {
                "The type is right, but the value is not in the form that the field requires."
            }
            Reason::OutOfRange => "The form is right, but the value is outside the field's range.",
        }
    }

    /// Whether the reason is about the line as a whole.
    pub const fn is_about_the_line(self) -> bool {
        (self as u8) <= (Reason::Unmapped as u8)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
