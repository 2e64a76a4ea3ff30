//! Parameters: their types and constraints, and the values that a deployment gives them.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::error::{At, Problem, found, takes};
use super::parameter_store;

/// A parameter as its template declares it.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) kind: String,
    default: Option<String>,
    allowed: Option<Vec<String>>,
    /// The pattern as it is declared, and for the whole value.
    pattern: Option<(String, Regex)>,
    constraint: Option<String>,
    chars: (Option<f64>, Option<f64>),
    range: (Option<f64>, Option<f64>),
}

const ATTRIBUTES: [&str; 11] = [
    "Type",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "ConstraintDescription",
    "Description",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
    "NoEcho",
];

/// Types whose values are identifiers of existing things, and how those begin. CloudFormation also
/// looks whether they exist; here there is no VPC to look into.
const IDENTIFIERS: [(&str, &str); 5] = [
    ("AWS::EC2::Instance::Id", "i-"),
    ("AWS::EC2::SecurityGroup::Id", "sg-"),
    ("AWS::EC2::Subnet::Id", "subnet-"),
    ("AWS::EC2::VPC::Id", "vpc-"),
    ("AWS::Route53::HostedZone::Id", "Z"),
];

/// Text of a scalar, as parameters carry it.
pub(super) fn text(value: &Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(Problem::new(format!("takes text, found {}", found(value)))),
    }
}

fn texts(values: &Value) -> Result<Vec<String>, Problem> {
    let values = values.as_array().ok_or_else(|| takes("a list", values))?;
    values.iter().map(text).collect()
}

fn parsed_number(text: &str) -> Result<f64, Problem> {
    text.parse()
        .map_err(|_| Problem::new(format!("takes a number, found {text}")))
}

/// A pattern that must match the whole value.
fn whole_pattern(pattern: String) -> Result<(String, Regex), Problem> {
    let whole = Regex::new(&format!("^(?:{pattern})$"));
    let whole = whole.map_err(|error| Problem::new(error.to_string()))?;
    Ok((pattern, whole))
}

impl Parameter {
    /// Reads one entry of the section `Parameters`, its default included.
    pub(super) fn read(name: &str, entry: &Value) -> Result<Self, Problem> {
        let attributes = entry
            .as_object()
            .ok_or_else(|| Problem::new("a parameter is a map"))?;
        if let Some(unknown) = attributes
            .keys()
            .find(|key| !ATTRIBUTES.contains(&key.as_str()))
        {
            return Err(Problem::new(format!(
                "unknown attribute; known are {}",
                ATTRIBUTES.join(", ")
            )))
            .at(unknown);
        }

        let optional = |key: &str| attributes.get(key).map(text).transpose().at(key);
        let number = |key: &str| {
            let number = optional(key)?.map(|text| parsed_number(&text));
            number.transpose().at(key)
        };
        let pattern = optional("AllowedPattern")?
            .map(whole_pattern)
            .transpose()
            .at("AllowedPattern")?;
        let allowed = attributes
            .get("AllowedValues")
            .map(texts)
            .transpose()
            .at("AllowedValues")?;
        let parameter = Self {
            name: name.to_owned(),
            kind: optional("Type")?
                .ok_or_else(|| Problem::new("every parameter must have a Type"))?,
            default: optional("Default")?,
            allowed,
            pattern,
            constraint: optional("ConstraintDescription")?,
            chars: (number("MinLength")?, number("MaxLength")?),
            range: (number("MinValue")?, number("MaxValue")?),
        };
        parameter.check_attributes()?;

        if let Some(default) = &parameter.default {
            parameter.value(default).at("Default")?;
        }
        Ok(parameter)
    }

    fn check_attributes(&self) -> Result<(), Problem> {
        let (of, list) = self.element();
        let identifier = IDENTIFIERS.iter().any(|(kind, _)| *kind == of);
        let known = if list {
            of == "Number" || identifier
        } else {
            let plain = ["String", "Number", "CommaDelimitedList"];
            plain.contains(&of) || of == parameter_store::KIND || identifier
        };
        if !known {
            return Err(Problem::new(format!(
                "unknown parameter type {}",
                self.kind
            )))
            .at("Type");
        }
        if (self.range.0.is_some() || self.range.1.is_some()) && of != "Number" {
            return Err(Problem::new(format!(
                "MinValue and MaxValue are for Number, found {}",
                self.kind
            )));
        }
        if (self.chars.0.is_some() || self.chars.1.is_some()) && of != "String" {
            return Err(Problem::new(format!(
                "MinLength and MaxLength are for String, found {}",
                self.kind
            )));
        }
        Ok(())
    }

    /// The type of one value, and whether the parameter is a `List<…>` of them.
    fn element(&self) -> (&str, bool) {
        match self
            .kind
            .strip_prefix("List<")
            .and_then(|rest| rest.strip_suffix('>'))
        {
            Some(of) => (of, true),
            None => (&self.kind, false),
        }
    }

    /// What `Ref` gives for a text: itself, or a list of trimmed texts for the list types.
    fn value(&self, given: &str) -> Result<Value, Problem> {
        let (_, list) = self.element();
        if !list && self.kind != "CommaDelimitedList" {
            self.check(given)?;
            return Ok(Value::String(given.to_owned()));
        }

        let parts = given
            .split(',')
            .map(str::trim)
            .filter(|_| !given.is_empty());
        parts
            .map(|part| self.check(part).map(|()| Value::from(part)))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array)
    }

    fn check(&self, value: &str) -> Result<(), Problem> {
        let Some(broken) = self.broken(value) else {
            return Ok(());
        };
        Err(Problem::new(match &self.constraint {
            Some(constraint) => format!(
                "Parameter {} failed to satisfy constraint: {constraint}",
                self.name
            ),
            None => format!("Parameter '{}' {broken}", self.name),
        }))
    }

    /// What a value must be and is not.
    fn broken(&self, value: &str) -> Option<String> {
        let (of, _) = self.element();
        let allowed = self.allowed.as_ref();
        if !allowed.is_none_or(|allowed| allowed.iter().any(|one| one == value)) {
            return Some("must be one of AllowedValues".to_owned());
        }
        if let Some((pattern, whole)) = &self.pattern
            && !whole.is_match(value)
        {
            return Some(format!("must match pattern {pattern}"));
        }
        let within = |(low, high): (Option<f64>, Option<f64>), number: f64| {
            low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high)
        };
        if !within(self.chars, value.chars().count() as f64) {
            return Some("must contain the allowed number of characters".to_owned());
        }

        if of == "Number" {
            match value.parse::<f64>() {
                Ok(number) if within(self.range, number) => {}
                Ok(_) => return Some("must be in the allowed range".to_owned()),
                Err(_) => return Some("must be a number.".to_owned()),
            }
        }
        let (_, prefix) = IDENTIFIERS.iter().find(|(kind, _)| *kind == of)?;
        (!value.starts_with(*prefix)).then(|| format!("must begin with {prefix}"))
    }
}

/// The value of every parameter, from what is given and the defaults.
pub(super) fn bind(
    parameters: &[Parameter],
    given: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, Problem> {
    let declared = |name: &String| parameters.iter().any(|parameter| parameter.name == *name);
    let unknown: Vec<&str> = given
        .keys()
        .filter(|name| !declared(name))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(Problem::new(format!(
            "Parameters: [{}] do not exist in the template",
            unknown.join(", ")
        )));
    }

    check_values(parameters, given)?;
    let value = |parameter: &Parameter| {
        let text = given
            .get(&parameter.name)
            .or(parameter.default.as_ref())
            .expect("looked for before");
        Ok((
            parameter.name.clone(),
            parameter.value(text).at(&parameter.name)?,
        ))
    };
    parameters.iter().map(value).collect()
}

/// Refuses parameters without a value; one of the parameter store has words of its own.
fn check_values(parameters: &[Parameter], given: &BTreeMap<String, String>) -> Result<(), Problem> {
    let has_value =
        |parameter: &Parameter| given.contains_key(&parameter.name) || parameter.default.is_some();
    let all = parameters.iter();
    let lacking: Vec<&Parameter> = all.filter(|parameter| !has_value(parameter)).collect();
    let mut stored = lacking.iter();
    if let Some(stored) = stored.find(|parameter| parameter.kind == parameter_store::KIND) {
        return Err(Problem::new(format!(
            "Parameter {} should either have input value or default value",
            stored.name
        )));
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = lacking
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect();
    Err(Problem::new(format!(
        "Parameters: [{}] must have values",
        names.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bound(entry: Value, given: &str) -> Result<Value, String> {
        let parameter = Parameter::read("P", &entry)
            .map_err(|problem| problem.in_template("t".as_ref()).to_string())?;
        let given = BTreeMap::from([("P".to_owned(), given.to_owned())]);
        let values = bind(&[parameter], &given)
            .map_err(|problem| problem.in_template("t".as_ref()).to_string())?;
        Ok(values["P"].clone())
    }

    #[test]
    fn lists_are_split_and_trimmed() {
        assert_eq!(
            bound(json!({"Type": "CommaDelimitedList"}), "a, b,c"),
            Ok(json!(["a", "b", "c"]))
        );
        assert_eq!(
            bound(
                json!({"Type": "List<AWS::EC2::Subnet::Id>"}),
                "subnet-1,subnet-2"
            ),
            Ok(json!(["subnet-1", "subnet-2"]))
        );
        assert!(
            bound(
                json!({"Type": "List<AWS::EC2::Subnet::Id>"}),
                "subnet-1,vpc-2"
            )
            .unwrap_err()
            .contains("must begin with subnet-")
        );
    }

    #[test]
    fn constraints_are_kept() {
        let pattern = json!({"Type": "String", "AllowedPattern": "[a-z]+"});
        assert_eq!(bound(pattern.clone(), "web"), Ok(json!("web")));
        assert!(
            bound(pattern, "web1")
                .unwrap_err()
                .contains("Parameter 'P' must match pattern [a-z]+"),
            "the whole value must match"
        );
        assert!(
            bound(json!({"Type": "Number", "MaxValue": 3}), "4")
                .unwrap_err()
                .contains("range")
        );
        assert!(
            bound(json!({"Type": "String", "AllowedValues": ["a", "b"]}), "c")
                .unwrap_err()
                .contains("Parameter 'P' must be one of AllowedValues")
        );
        assert!(
            bound(json!({"Type": "String", "MinLength": 2}), "c")
                .unwrap_err()
                .contains("characters")
        );
        let described = json!({"Type": "Number", "ConstraintDescription": "a count"});
        assert!(
            bound(described, "x")
                .unwrap_err()
                .ends_with("Parameter P failed to satisfy constraint: a count")
        );
    }

    #[test]
    fn a_default_must_keep_the_constraints_and_attributes_must_be_known() {
        assert!(
            bound(json!({"Type": "Number", "Default": "x"}), "1")
                .unwrap_err()
                .contains("must be a number")
        );
        assert!(
            bound(json!({"Type": "String", "Defualt": "x"}), "1")
                .unwrap_err()
                .contains("Defualt: unknown attribute")
        );
        assert!(
            bound(json!({"Type": "Text"}), "1")
                .unwrap_err()
                .contains("unknown parameter type Text")
        );
    }

    #[test]
    fn unknown_and_missing_values_are_refused() {
        let parameter = Parameter::read("P", &json!({"Type": "String"})).unwrap();
        let refusal = |given| {
            bind(std::slice::from_ref(&parameter), &given)
                .unwrap_err()
                .in_template("t".as_ref())
                .problem
        };

        assert_eq!(refusal(BTreeMap::new()), "Parameters: [P] must have values");
        assert_eq!(
            refusal(BTreeMap::from([("Q".to_owned(), String::new())])),
            "Parameters: [Q] do not exist in the template"
        );
    }
}
