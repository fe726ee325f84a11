//! A definition as TOML that can be read again.

use std::fmt::{self, Write};

use super::{
    Assignment, Condition, Constant, Conversion, Definition, Expression, Input, Place, Rule, Test, Then,
    place::write_pointer,
};

impl Definition {
    /// The mapping as TOML: what [`Mapping::from_toml`](crate::Mapping::from_toml) reads this definition from. It extends nothing.
    pub fn to_toml(&self) -> String {
        let mut out = format!("version = 1\nname = {}\n", text(&self.name));
        if let Some(namespace) = self.namespace {
            let _ = writeln!(out, "namespace = \"{namespace}\"");
        }
        input(&self.input, &mut out);
        if !self.defaults.is_empty() {
            out.push_str("\n[defaults]\n");
            assignments(&self.defaults, &mut out);
        }
        for rule in &self.rules {
            write_rule(rule, &mut out);
        }
        out
    }
}

fn input(input: &Input, out: &mut String) {
    if *input == Input::default() {
        return;
    }
    out.push_str("\n[input]\n");
    if input.skip_prefix {
        out.push_str("prefix = \"skip\"\n");
    }
    if let Some(each) = &input.each {
        let _ = writeln!(out, "each = {}", place(each));
    }
    if !input.embedded.is_empty() {
        let _ = writeln!(out, "embedded = [{}]", list(&input.embedded, place));
    }
}

fn write_rule(rule: &Rule, out: &mut String) {
    out.push_str("\n[[rule]]\n");
    if !rule.when.is_empty() {
        let _ = writeln!(out, "when = [{}]", list(&rule.when, condition));
    }
    match &rule.then {
        Then::Drop(word) => {
            let _ = writeln!(out, "drop = {}", text(word));
        }
        Then::Event(fields) => assignments(fields, out),
    }
}

fn assignments(fields: &[Assignment], out: &mut String) {
    for Assignment { field, value, .. } in fields {
        // The bare text is a constant there, not a place.
        let value = match &value.conversion {
            Conversion::Value(Constant::Text(constant))
                if field == "event_type" && !constant.starts_with(['/', '^']) && !constant.is_empty() =>
            {
                text(constant)
            }
            _ => expression(value),
        };
        let _ = writeln!(out, "{field} = {value}");
    }
}

impl fmt::Display for Condition {
    /// As it is written in a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&condition(self))
    }
}

fn condition(condition: &Condition) -> String {
    let test = match &condition.test {
        Test::Is(values) => format!("is = {}", constants(values)),
        Test::IsNot(values) => format!("is_not = {}", constants(values)),
        Test::Exists(exists) => format!("exists = {exists}"),
        Test::StartsWith(start) => format!("starts_with = {}", text(start)),
        Test::EndsWith(end) => format!("ends_with = {}", text(end)),
    };
    format!("{{ {}, {test} }}", members_of_place(&condition.at).join(", "))
}

fn constants(values: &[Constant]) -> String {
    match values {
        [value] => constant(value),
        values => format!("[{}]", list(values, constant)),
    }
}

fn expression(expression: &Expression) -> String {
    if expression.conversion == Conversion::Verbatim && expression.otherwise.is_none() {
        return places(&expression.at);
    }
    let mut members = Vec::new();
    match &expression.at[..] {
        [] => {}
        [one] => members.extend(members_of_place(one)),
        several => members.push(format!("at = {}", places(several))),
    }
    if let (Some(name), false) =
        (expression.conversion.name(), matches!(expression.conversion, Conversion::Value(_)))
    {
        members.push(format!("as = \"{name}\""));
    }
    match &expression.conversion {
        Conversion::MadeId { of } if !of.is_empty() => members.push(format!("of = [{}]", list(of, place))),
        Conversion::LocalTime { zone } => members.push(format!("zone = {}", text(zone))),
        Conversion::Date { plus: Some(period) } => members.push(format!("plus = \"{period}\"")),
        Conversion::Duration { unit: Some(unit) } => members.push(format!("unit = \"{}\"", unit.name())),
        Conversion::MinorUnits { digits } => members.push(format!("digits = {digits}")),
        Conversion::Share { of, out_of } => {
            members.push(format!("of = {}, out_of = {}", place(of), place(out_of)));
        }
        Conversion::OneOf { table } => {
            let pairs = list(table, |(key, value)| format!("{} = {}", text(key), constant(value)));
            members.push(format!("table = {{ {pairs} }}"));
        }
        Conversion::Value(value) => members.push(format!("value = {}", constant(value))),
        _ => {}
    }
    if let Some(otherwise) = &expression.otherwise {
        members.push(format!("otherwise = {}", self::expression(otherwise)));
    }
    format!("{{ {} }}", members.join(", "))
}

fn places(at: &[Place]) -> String {
    match at {
        [one] => place(one),
        several => format!("[{}]", list(several, place)),
    }
}

fn place(at: &Place) -> String {
    match &at.selection {
        None => text(&at.to_string()),
        Some(_) => format!("{{ {} }}", members_of_place(at).join(", ")),
    }
}

fn members_of_place(at: &Place) -> Vec<String> {
    let whole = Place { selection: None, ..at.clone() };
    let mut members = vec![format!("at = {}", text(&whole.to_string()))];
    if let Some(selection) = &at.selection {
        let is = list(&selection.is, |(member, value)| format!("{} = {}", text(member), constant(value)));
        members.push(format!("where = {{ {is} }}"));
        let mut then = String::new();
        let _ = write_pointer(&selection.then, &mut then);
        members.push(format!("then = {}", text(&then)));
    }
    members
}

fn constant(value: &Constant) -> String {
    match value {
        Constant::Text(value) => text(value),
        other => other.to_string(),
    }
}

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    items.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}
