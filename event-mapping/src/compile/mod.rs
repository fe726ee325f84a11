//! A definition → what lines are mapped by: a trie of places, and rules whose places are slots of it.

mod trie;

#[cfg(test)]
mod tests;

use event_parser::mapped::FieldId;
use event_schema::registry::{self, ENVELOPE, EventType, Field, JsonType, Rule as FieldRule};
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::definition::{
    Assignment, Condition, Constant, Conversion, DEFAULT_NAMESPACE, Definition, EpochUnit, Expression, Input,
    Period, Place, Rule, Test, Then, TimeUnit,
};
pub(crate) use trie::{NodeId, SlotId, Trie, index};

/// A mapping, ready for lines.
#[derive(Debug)]
pub(crate) struct Program {
    /// The places of all rules; the walk begins at node 0, the line's root.
    pub(crate) trie: Trie,
    /// The place of the array whose elements are the events.
    pub(crate) each: Option<Each>,
    pub(crate) skip_prefix: bool,
    pub(crate) namespace: Uuid,
    /// The nodes of an element's members whose names are those of the envelope.
    pub(crate) envelope_names: Vec<NodeId>,
    pub(crate) rules: Vec<CompiledRule>,
    /// Every place that a condition looks at, once.
    pub(crate) condition_places: Vec<Located>,
}

/// The array whose elements are the events.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) place: Place,
    pub(crate) slot: SlotId,
}

/// A place and its slot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Located {
    pub(crate) place: Place,
    pub(crate) slot: SlotId,
}

/// A rule, ready for lines.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) tests: Vec<(SlotId, Test)>,
    pub(crate) outcome: Outcome,
}

/// What becomes of a line that a rule takes.
#[derive(Debug)]
pub(crate) enum Outcome {
    Drop(String),
    Event(EventRule),
}

/// An event that a rule makes.
#[derive(Debug)]
pub(crate) struct EventRule {
    /// The event's type, where the mapping says which, and the contract has fields for it.
    pub(crate) event_type: Option<&'static EventType>,
    /// The fields of the envelope but for the payload, in the contract's order.
    pub(crate) envelope: Vec<FieldValue>,
    /// The payload's fields, in the contract's order.
    pub(crate) payload: Vec<FieldValue>,
    /// Where the payload stands, or what no field took of it.
    pub(crate) properties: Properties,
    /// The nodes of members of `properties` whose names are those of the payload's fields.
    pub(crate) payload_names: Vec<NodeId>,
}

/// Where the object `properties` comes from.
#[derive(Debug)]
pub(crate) enum Properties {
    /// The rule says where it stands.
    At(Located),
    /// The rule does not say: what no field took of the line's member of that name, if it is an object.
    Default(SlotId),
    /// The rule does not say, and the event's type has no fields: all that no field took.
    Rest,
}

/// A field and where its value comes from.
#[derive(Debug)]
pub(crate) struct FieldValue {
    pub(crate) field: &'static Field,
    /// The field as the parser knows it.
    pub(crate) id: FieldId,
    /// Its path in the contract, like `properties.amount`.
    pub(crate) path: String,
    pub(crate) in_payload: bool,
    pub(crate) value: Source,
}

/// Where a value comes from.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) at: Vec<Located>,
    pub(crate) how: How,
    pub(crate) otherwise: Option<Box<Source>>,
}

/// A conversion, ready for values.
#[derive(Debug)]
pub(crate) enum How {
    Verbatim,
    Text,
    Uuid,
    MadeId(Vec<Located>),
    Epoch(EpochUnit),
    LocalTime(TimeZone),
    Date(Option<Period>),
    Duration(Option<TimeUnit>),
    MinorUnits(u8),
    Share(Located, Located),
    /// Of a share, whether it is all.
    IsWhole(Located, Located),
    Lower,
    Upper,
    SnakeCase,
    LastSegment,
    OneOf(Vec<(String, Fixed)>),
    Value(Fixed),
}

/// A constant as contract lines have it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fixed {
    Text(String),
    Number(String),
    Boolean(bool),
}

impl From<&Constant> for Fixed {
    fn from(constant: &Constant) -> Fixed {
        match constant {
            Constant::Text(text) => Fixed::Text(text.clone()),
            Constant::Integer(number) => Fixed::Number(number.to_string()),
            Constant::Number(number) => Fixed::Number(number.to_string()),
            Constant::Boolean(value) => Fixed::Boolean(*value),
        }
    }
}

/// The fields of a rule: its own, and the defaults that its event's type has, in the contract's order.
pub(crate) struct Fields<'d> {
    /// The event's type, where it is a constant that the contract has fields for.
    pub(crate) event_type: Option<&'static EventType>,
    pub(crate) envelope: Vec<(&'static Field, &'d Assignment)>,
    pub(crate) payload: Vec<(&'static Field, &'d Assignment)>,
    /// Own fields that the event's type does not have.
    pub(crate) misplaced: Vec<&'d Assignment>,
}

impl<'d> Fields<'d> {
    pub(crate) fn of(own: &'d [Assignment], defaults: &'d [Assignment]) -> Fields<'d> {
        let find = |name: &str| own.iter().chain(defaults).find(|assignment| assignment.field == name);
        let event_type = find("event_type").and_then(|assignment| match &assignment.value.conversion {
            Conversion::Value(Constant::Text(name)) => Some(registry::event_type(name)?.1),
            _ => None,
        });
        let fields = event_type.map_or(&[][..], |event_type| event_type.fields);
        let given = |fields: &'static [Field]| {
            fields.iter().filter_map(|field| Some((field, find(field.name)?))).collect::<Vec<_>>()
        };
        let has = |name: &str| ENVELOPE.iter().chain(fields).any(|field| field.name == name);
        Fields {
            event_type,
            envelope: given(&ENVELOPE),
            payload: given(fields),
            misplaced: own.iter().filter(|assignment| !has(&assignment.field)).collect(),
        }
    }
}

/// Compiles a definition that was checked.
pub(crate) fn compile(definition: &Definition) -> Program {
    let trie = trie_of(definition);
    let element = match &definition.input.each {
        Some(each) => trie.node(trie.slot(0, each)).any_element.expect("elements were put into the trie"),
        None => 0,
    };
    let compiler = Compiler { trie: &trie, element, defaults: &definition.defaults };
    let rules = definition.rules.iter().map(|rule| compiler.rule(rule)).collect();
    let mut condition_places: Vec<Located> = Vec::new();
    for condition in definition.rules.iter().flat_map(|rule| &rule.when) {
        let located = compiler.located(&condition.at);
        if !condition_places.contains(&located) {
            condition_places.push(located);
        }
    }
    let each =
        definition.input.each.as_ref().map(|place| Each { place: place.clone(), slot: trie.slot(0, place) });
    Program {
        each,
        envelope_names: ENVELOPE.iter().filter_map(|field| name_below(&trie, element, field)).collect(),
        skip_prefix: definition.input.skip_prefix,
        namespace: definition.namespace.unwrap_or(DEFAULT_NAMESPACE),
        rules,
        condition_places,
        trie,
    }
}

/// A trie of some places, for tests.
#[cfg(test)]
pub(crate) fn trie_of_places(places: &[Place]) -> Trie {
    trie_of_embedded(places, &[])
}

/// A trie of some places, and of some whose texts hold JSON, for tests.
#[cfg(test)]
pub(crate) fn trie_of_embedded(places: &[Place], embedded: &[Place]) -> Trie {
    let mut builder = trie::Builder::default();
    for place in places {
        builder.add(place);
    }
    for place in embedded {
        builder.embed(place);
    }
    builder.build()
}

/// The node of a member that has a field's name.
fn name_below(trie: &Trie, node: NodeId, field: &Field) -> Option<NodeId> {
    trie.child(node, field.name.as_bytes(), 0, field.name.len())
}

/// Every place of a definition.
fn trie_of(definition: &Definition) -> Trie {
    let Definition { input: Input { each, embedded, .. }, rules, defaults, .. } = definition;
    let (mut around, mut element) = (trie::Builder::default(), trie::Builder::default());
    let mut add = |place: &Place| {
        let root = if place.is_around { &mut around } else { &mut element };
        root.add(place);
    };
    let mut assignments: Vec<&Assignment> = defaults.iter().collect();
    for rule in rules {
        rule.when.iter().for_each(|condition| add(&condition.at));
        if let Then::Event(fields) = &rule.then {
            assignments.extend(fields);
        }
    }
    assignments.iter().flat_map(|assignment| assignment.value.places()).for_each(&mut add);
    // The contract's own names must be seen: what no field took may not stand under them.
    for field in &ENVELOPE {
        element.below(&[field.name.to_owned()]);
    }
    for Fields { event_type, envelope, .. } in rules.iter().filter_map(|rule| fields(rule, defaults)) {
        let Some(event_type) = event_type else { continue };
        let at = envelope.iter().find(|(field, _)| field.rule == FieldRule::Object);
        let steps = match at.map(|(_, assignment)| &assignment.value.at[..]) {
            Some([place]) if !place.is_around => place.steps.clone(),
            Some(_) => continue,
            None => vec![PROPERTIES.to_owned()],
        };
        let payload = element.below(&steps);
        for field in event_type.fields {
            payload.below(&[field.name.to_owned()]);
        }
    }
    for place in embedded {
        // A text of the line around is embedded where there is one; without `each` they are the same.
        if place.is_around { around.embed(place) } else { element.embed(place) }
    }
    match each {
        None => element.build(),
        Some(each) => {
            around.set_each(each, element);
            around.build()
        }
    }
}

fn fields<'d>(rule: &'d Rule, defaults: &'d [Assignment]) -> Option<Fields<'d>> {
    match &rule.then {
        Then::Event(own) => Some(Fields::of(own, defaults)),
        Then::Drop(_) => None,
    }
}

/// The payload's name.
pub(crate) const PROPERTIES: &str = "properties";

struct Compiler<'a> {
    trie: &'a Trie,
    element: NodeId,
    defaults: &'a [Assignment],
}

impl Compiler<'_> {
    fn rule(&self, rule: &Rule) -> CompiledRule {
        let tests =
            rule.when.iter().map(|Condition { at, test, .. }| (self.slot(at), test.clone())).collect();
        let outcome = match (&rule.then, fields(rule, self.defaults)) {
            (Then::Drop(word), _) => Outcome::Drop(word.clone()),
            (_, Some(fields)) => Outcome::Event(self.event(&fields)),
            (Then::Event(_), None) => unreachable!("an event has fields"),
        };
        CompiledRule { tests, outcome }
    }

    fn event(&self, fields: &Fields<'_>) -> EventRule {
        let id = |in_payload: bool, field: &Field| {
            match fields.event_type.filter(|_| in_payload) {
                Some(event_type) => FieldId::payload(event_type.name, field.name),
                None => FieldId::envelope(field.name),
            }
            .expect("the parser knows the contract's fields")
        };
        let value = |in_payload: bool, field: &'static Field, assignment: &Assignment| FieldValue {
            field,
            id: id(in_payload, field),
            path: if in_payload { format!("{PROPERTIES}.{}", field.name) } else { field.name.to_owned() },
            in_payload,
            value: self.source(&assignment.value, field),
        };
        let is_payload = |field: &Field| field.rule.json_type() == JsonType::Object;
        let properties = fields.envelope.iter().find(|(field, _)| is_payload(field));
        let properties = match properties {
            Some((_, assignment)) => Properties::At(self.located(&assignment.value.at[0])),
            None if fields.event_type.is_some() => {
                let steps = vec![PROPERTIES.to_owned()];
                Properties::Default(self.slot(&Place { steps, ..Place::default() }))
            }
            None => Properties::Rest,
        };
        let payload_fields = fields.event_type.map_or(&[][..], |event_type| event_type.fields);
        let payload_names = match &properties {
            Properties::At(Located { slot, .. }) | Properties::Default(slot) => {
                payload_fields.iter().filter_map(|field| name_below(self.trie, *slot, field)).collect()
            }
            Properties::Rest => Vec::new(),
        };
        EventRule {
            properties,
            payload_names,
            event_type: fields.event_type,
            envelope: fields
                .envelope
                .iter()
                .filter(|(field, _)| !is_payload(field))
                .map(|(field, assignment)| value(false, field, assignment))
                .collect(),
            payload: fields
                .payload
                .iter()
                .map(|(field, assignment)| value(true, field, assignment))
                .collect(),
        }
    }

    fn slot(&self, place: &Place) -> SlotId {
        self.trie.slot(if place.is_around { 0 } else { self.element }, place)
    }

    fn located(&self, place: &Place) -> Located {
        Located { place: place.clone(), slot: self.slot(place) }
    }

    fn source(&self, expression: &Expression, field: &Field) -> Source {
        Source {
            at: expression.at.iter().map(|place| self.located(place)).collect(),
            how: self.how(&expression.conversion, field),
            otherwise: expression.otherwise.as_ref().map(|other| Box::new(self.source(other, field))),
        }
    }

    fn how(&self, conversion: &Conversion, field: &Field) -> How {
        match conversion {
            Conversion::Verbatim => How::Verbatim,
            Conversion::Text => How::Text,
            Conversion::Uuid => How::Uuid,
            Conversion::MadeId { of } => How::MadeId(of.iter().map(|place| self.located(place)).collect()),
            Conversion::Epoch(unit) => How::Epoch(*unit),
            Conversion::LocalTime { zone } => {
                How::LocalTime(TimeZone::get(zone).expect("checked when the mapping was read"))
            }
            Conversion::Date { plus } => How::Date(*plus),
            Conversion::Duration { unit } => How::Duration(*unit),
            Conversion::MinorUnits { digits } => How::MinorUnits(*digits),
            Conversion::Share { of, out_of } if field.rule == FieldRule::Boolean => {
                How::IsWhole(self.located(of), self.located(out_of))
            }
            Conversion::Share { of, out_of } => How::Share(self.located(of), self.located(out_of)),
            Conversion::Lower => How::Lower,
            Conversion::Upper => How::Upper,
            Conversion::SnakeCase => How::SnakeCase,
            Conversion::LastSegment => How::LastSegment,
            Conversion::OneOf { table } => {
                How::OneOf(table.iter().map(|(text, value)| (text.clone(), value.into())).collect())
            }
            Conversion::Value(value) => How::Value(value.into()),
        }
    }
}
