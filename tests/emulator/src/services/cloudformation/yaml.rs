//! Template text to JSON: YAML as CloudFormation reads it, with its short-form functions written
//! out.
//!
//! Where YAML 1.1 (which CloudFormation reads) and YAML 1.2 (which the parser reads) disagree on a
//! plain scalar, the scalar is refused, so that a template means the same thing here and there.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::error::{At, Problem};

/// The functions that have a short form beside `!Ref` and `!Condition`.
pub(super) const FUNCTIONS: [&str; 14] = [
    "And",
    "Base64",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
];

/// Reads the one document of a template.
pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
    };
    reader.expect_document_start()?;
    let (event, span) = reader.next()?;
    let value = reader.node(event, span)?;

    reader.expect_end()?;
    Ok(value)
}

/// Where a text stops being YAML, by line and column, if it does.
pub(super) fn malformed_at(text: &str) -> Option<(usize, usize)> {
    let error = Parser::new_from_str(text).find_map(Result::err)?;
    Some((error.marker().line(), error.marker().col() + 1))
}

struct Reader<'input> {
    parser: Parser<'input, StrInput<'input>>,
    anchors: BTreeMap<usize, Value>,
}

fn at_line(span: Span, what: impl AsRef<str>) -> Problem {
    Problem::new(format!("line {}: {}", span.start.line(), what.as_ref()))
}

impl<'input> Reader<'input> {
    fn next(&mut self) -> Result<(Event<'input>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(Problem::new(format!("not YAML: {error}"))),
            None => Err(Problem::new("not YAML: the text ends too early")),
        }
    }

    fn expect_document_start(&mut self) -> Result<(), Problem> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::Nothing, _) => {}
                (Event::DocumentStart(_), _) => return Ok(()),
                _ => return Err(Problem::new("the template is empty")),
            }
        }
    }

    fn expect_end(&mut self) -> Result<(), Problem> {
        loop {
            match self.next()? {
                (Event::DocumentEnd | Event::Nothing, _) => {}
                (Event::StreamEnd, _) => return Ok(()),
                (_, span) => {
                    return Err(at_line(
                        span,
                        "a template is one YAML document, found another",
                    ));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'input>, span: Span) -> Result<Value, Problem> {
        let (value, anchor, tag) = match event {
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                return value.ok_or_else(|| at_line(span, "an alias inside its own anchor"));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let forced = tag
                    .as_ref()
                    .is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let value = if forced {
                    Value::String(text.into_owned())
                } else {
                    scalar(&text, style, span)?
                };
                (value, anchor, tag.filter(|_| !forced))
            }
            Event::SequenceStart(anchor, tag) => (self.sequence()?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.mapping()?, anchor, tag),
            other => return Err(at_line(span, format!("not YAML: unexpected {other:?}"))),
        };
        let value = match tag {
            Some(tag) => written_out(&tag, value, span)?,
            None => value,
        };

        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn sequence(&mut self) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => {
                    let item = self.node(event, span).at(items.len())?;
                    items.push(item);
                }
            }
        }
    }

    fn mapping(&mut self) -> Result<Value, Problem> {
        let mut entries = Map::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Object(entries)),
                (Event::Scalar(text, style, _, None), span) => {
                    if style == ScalarStyle::Plain && text == "<<" {
                        return Err(at_line(span, "CloudFormation has no YAML merge keys (<<)"));
                    }
                    (text.into_owned(), span)
                }
                (_, span) => return Err(at_line(span, "keys are plain text")),
            };
            let (key, span) = key;
            let (event, of_value) = self.next()?;
            let value = self.node(event, of_value).at(&key)?;
            if entries.insert(key.clone(), value).is_some() {
                return Err(at_line(span, format!("the key {key} appears twice")));
            }
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, span: Span) -> Result<Value, Problem> {
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.to_owned()));
    }

    let ambiguous = || {
        Err(at_line(
            span,
            format!("{text} means different things to different YAML readers: quote it"),
        ))
    };
    match text {
        "" | "~" | "null" | "Null" | "NULL" => {
            let what = "null values are not allowed in templates";
            return Err(at_line(span, what).null());
        }
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }

    let lower = text.to_ascii_lowercase();
    if ["y", "n", "yes", "no", "on", "off"].contains(&lower.as_str()) {
        return ambiguous();
    }
    let digits = text.trim_start_matches(['-', '+']);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(Value::String(text.to_owned()));
    }

    let all = |text: &str, allowed: &str| {
        text.chars()
            .all(|one| one.is_ascii_digit() || allowed.contains(one))
    };
    let leading_zero = digits.len() > 1
        && digits.starts_with('0')
        && (all(digits, "_") || digits[1..].starts_with(['x', 'o', 'b']));
    let sexagesimal = digits.contains(':') && all(digits, ":");
    let underscored = digits.contains('_') && all(digits, "_");
    if leading_zero || sexagesimal || underscored || text.starts_with('+') {
        return ambiguous();
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(Value::from(integer));
    }
    let float = text.parse::<f64>().ok().filter(|number| number.is_finite());

    Ok(float.map_or_else(|| Value::String(text.to_owned()), Value::from))
}

/// `!Sub x` as `{"Fn::Sub": x}`.
fn written_out(tag: &Tag, value: Value, span: Span) -> Result<Value, Problem> {
    let name = tag.suffix.as_str();
    let key = match name {
        _ if tag.handle != "!" => return Err(at_line(span, format!("unknown tag {tag}"))),
        "Ref" | "Condition" => name.to_owned(),
        _ if FUNCTIONS.contains(&name) => format!("Fn::{name}"),
        _ => {
            return Err(at_line(
                span,
                format!(
                    "unknown tag {tag}; known are !Ref, !Condition, !{}",
                    FUNCTIONS.join(", !")
                ),
            ));
        }
    };
    let value = match (name, value) {
        ("GetAtt", Value::String(text)) => {
            let Some((id, attribute)) = text.split_once('.') else {
                return Err(at_line(
                    span,
                    format!("!GetAtt takes LogicalId.Attribute, found {text}"),
                ));
            };
            Value::from(vec![id, attribute])
        }
        (_, value) => value,
    };

    Ok(Value::Object(Map::from_iter([(key, value)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_forms_are_written_out() {
        let text = "a: !Ref X
b: !GetAtt T.Outputs.Url
c: !If [Yes1, !Sub 'a-${B}', !Ref AWS::NoValue]
d: !Join ['', [1, true]]
";
        let expected = json!({
            "a": {"Ref": "X"}, "b": {"Fn::GetAtt": ["T", "Outputs.Url"]},
            "c": {"Fn::If": ["Yes1", {"Fn::Sub": "a-${B}"}, {"Ref": "AWS::NoValue"}]},
            "d": {"Fn::Join": ["", [1, true]]},
        });

        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn anchors_are_fine_and_order_is_kept() {
        let value = parse("z: &one [1, 2]\na: *one\nVersion: 2012-10-17\nn: 1.5").unwrap();
        assert_eq!(
            value,
            json!({"z": [1, 2], "a": [1, 2], "Version": "2012-10-17", "n": 1.5})
        );
        assert_eq!(
            value.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["z", "a", "Version", "n"]
        );
    }

    #[test]
    fn what_cloudformation_would_refuse_or_read_otherwise_is_refused() {
        for (text, expected) in [
            ("a: 1\n\"a\": 2", "line 2: the key a appears twice"),
            ("a: !Nope x", "unknown tag !Nope"),
            ("a: yes", "quote it"),
            ("a: 012345678901", "quote it"),
            ("a:", "null values are not allowed"),
            ("a: 1\n---\nb: 2", "one YAML document"),
            ("a: {<<: {b: 1}}", "merge keys"),
            ("", "empty"),
        ] {
            let error = parse(text).unwrap_err().in_template("t".as_ref());
            assert!(error.problem.contains(expected), "{text:?}: {error}");
        }
    }
}
