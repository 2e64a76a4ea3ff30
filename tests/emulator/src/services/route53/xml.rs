//! Documents of the REST protocol, as values with the names of their elements.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value};

use crate::protocol::escape;

pub(super) const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Lists, and what their items are called.
const LISTS: [(&str, &str); 4] = [
    ("Changes", "Change"),
    ("NameServers", "NameServer"),
    ("ResourceRecordSets", "ResourceRecordSet"),
    ("ResourceRecords", "ResourceRecord"),
];

fn item_of(list: &str) -> Option<&'static str> {
    let found = LISTS.iter().find(|(name, _)| *name == list);
    found.map(|(_, item)| *item)
}

/// An element that is being read.
#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<(String, Value)>,
}

impl Element {
    fn new(start: &BytesStart<'_>) -> Self {
        Self {
            name: start.local_name().into_inner().to_owned(),
            ..Self::default()
        }
    }

    fn value(self) -> Value {
        if item_of(&self.name).is_some() {
            return self.children.into_iter().map(|(_, item)| item).collect();
        }
        if self.children.is_empty() {
            return Value::String(self.text);
        }
        Value::Object(self.children.into_iter().collect::<Map<_, _>>())
    }

    fn take(&mut self, child: Self) {
        let name = child.name.clone();
        self.children.push((name, child.value()));
    }
}

/// The members of a document's element, each text or a structure; nothing if it is not XML.
pub(super) fn read(body: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => open.push(Element::new(&start)),
            Event::Empty(start) => open.last_mut()?.take(Element::new(&start)),
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.take(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => open.last_mut()?.text.push_str(&meant(&reference)?),
            Event::Eof => break,
            _ => {}
        }
    }

    let document = open.pop()?;
    let (_, value) = document.children.into_iter().next()?;
    open.is_empty().then_some(value)
}

/// What a reference stands for.
fn meant(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    resolve_predefined_entity(reference).map(str::to_owned)
}

/// A document.
pub(super) fn write(name: &str, value: &Value) -> String {
    let mut body = format!("<?xml version=\"1.0\"?>\n<{name} xmlns=\"{NAMESPACE}\">");
    content(&mut body, name, value);
    body.push_str(&format!("</{name}>"));
    body
}

fn content(body: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, value) in members {
                element(body, name, value);
            }
        }
        Value::Array(items) => {
            let item_name = item_of(name).unwrap_or("member");
            for item in items {
                element(body, item_name, item);
            }
        }
        Value::String(text) => body.push_str(&escape(text)),
        Value::Bool(_) | Value::Number(_) => body.push_str(&value.to_string()),
    }
}

fn element(body: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    body.push_str(&format!("<{name}>"));
    content(body, name, value);
    body.push_str(&format!("</{name}>"));
}
