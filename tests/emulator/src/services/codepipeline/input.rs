//! Reading an operation's input the way AWS does: every broken constraint is found before one error
//! names them all.

use serde_json::{Value, json};

use crate::input::{typed, wrong_type};
use crate::page::Tokens;
use crate::validation::{self, Quoted, Violations};
use crate::{ApiError, Aws};

/// A pattern as the API model writes it, and what it accepts.
pub(super) struct Pattern {
    pub text: &'static str,
    pub accepts: fn(&str) -> bool,
}

/// The constraints of a string member.
pub(super) struct Text {
    pub min: usize,
    pub max: usize,
    pub pattern: Option<&'static Pattern>,
}

fn name_letters(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || ".@-_".contains(letter))
}

fn key_letters(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "@-_".contains(letter))
}

fn token_letters(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

fn reason_letters(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "!@ ().*?-".contains(letter))
}

fn uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let hex = |part: &&str| {
        part.chars()
            .all(|letter| matches!(letter, '0'..='9' | 'a'..='f'))
    };
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(hex)
}

fn word_letters(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
}

const WORD_PATTERN: Pattern = Pattern {
    text: "[0-9A-Za-z_-]+",
    accepts: word_letters,
};
const QUERY_PATTERN: Pattern = Pattern {
    text: "[a-zA-Z0-9_-]+",
    accepts: word_letters,
};
const NAME_PATTERN: Pattern = Pattern {
    text: "[A-Za-z0-9.@\\-_]+",
    accepts: name_letters,
};
const KEY_PATTERN: Pattern = Pattern {
    text: "[A-Za-z0-9@\\-_]+",
    accepts: key_letters,
};
const TOKEN_PATTERN: Pattern = Pattern {
    text: "^[a-zA-Z0-9-]+$",
    accepts: token_letters,
};
const REASON_PATTERN: Pattern = Pattern {
    text: "[a-zA-Z0-9!@ \\(\\)\\.\\*\\?\\-]+",
    accepts: reason_letters,
};
const UUID_PATTERN: Pattern = Pattern {
    text: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    accepts: uuid,
};

pub(super) const NAME: Text = Text {
    min: 1,
    max: 100,
    pattern: Some(&NAME_PATTERN),
};
pub(super) const NAMESPACE: Text = Text {
    min: 1,
    max: 100,
    pattern: Some(&KEY_PATTERN),
};
pub(super) const VARIABLE_NAME: Text = Text {
    min: 1,
    max: 128,
    pattern: Some(&KEY_PATTERN),
};
pub(super) const VARIABLE_VALUE: Text = Text {
    min: 1,
    max: 1000,
    pattern: None,
};
pub(super) const OUTPUT_KEY: Text = Text {
    min: 1,
    max: usize::MAX,
    pattern: Some(&KEY_PATTERN),
};
pub(super) const CLIENT_REQUEST_TOKEN: Text = Text {
    min: 1,
    max: 128,
    pattern: Some(&TOKEN_PATTERN),
};
pub(super) const DISABLED_REASON: Text = Text {
    min: 1,
    max: 300,
    pattern: Some(&REASON_PATTERN),
};
pub(super) const ID: Text = Text {
    min: 0,
    max: usize::MAX,
    pattern: Some(&UUID_PATTERN),
};
pub(super) const PROVIDER: Text = Text {
    min: 1,
    max: 35,
    pattern: Some(&WORD_PATTERN),
};
pub(super) const VERSION: Text = Text {
    min: 1,
    max: 9,
    pattern: Some(&WORD_PATTERN),
};
/// The name of a property of an action's configuration.
pub(super) const KEY: Text = between(1, 50);
pub(super) const QUERY_VALUE: Text = Text {
    min: 1,
    max: 50,
    pattern: Some(&QUERY_PATTERN),
};
pub(super) const URL_TEMPLATE: Text = between(1, 2048);
pub(super) const OWNERS: [&str; 3] = ["AWS", "ThirdParty", "Custom"];
pub(super) const ANY: Text = Text {
    min: 0,
    max: usize::MAX,
    pattern: None,
};

pub(super) const fn between(min: usize, max: usize) -> Text {
    Text {
        min,
        max,
        pattern: None,
    }
}

/// What names an action type.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActionTypeName<'a> {
    pub(super) category: &'a str,
    pub(super) owner: &'a str,
    pub(super) provider: &'a str,
    pub(super) version: &'a str,
}

/// Collects what is wrong with an input.
#[derive(Default)]
pub(super) struct Checks {
    violations: Violations,
}

impl Checks {
    pub(super) fn done(self) -> Result<(), ApiError> {
        match self.violations.message() {
            Some(message) => Err(invalid(message)),
            None => Ok(()),
        }
    }

    /// A required string.
    pub(super) fn text<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
        limits: &Text,
    ) -> Result<&'a str, ApiError> {
        let found = self.optional(value, path, limits)?;
        if found.is_none() {
            self.violations
                .add(Quoted::Null, path, "Member must not be null");
        }
        Ok(found.unwrap_or_default())
    }

    pub(super) fn optional<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
        limits: &Text,
    ) -> Result<Option<&'a str>, ApiError> {
        let Some(text) = typed(value, path, Value::as_str, "a string")? else {
            return Ok(None);
        };

        let mut violate = |constraint: String| {
            let constraint = format!("Member must {constraint}");
            self.violations.add(Quoted::Text(text), path, &constraint);
        };
        let length = text.chars().count();
        if length > limits.max {
            violate(format!("have length less than or equal to {}", limits.max));
        }
        if length < limits.min {
            let min = limits.min;
            violate(format!("have length greater than or equal to {min}"));
        }
        if let Some(pattern) = limits.pattern.filter(|pattern| !(pattern.accepts)(text)) {
            let pattern = pattern.text;
            violate(format!("satisfy regular expression pattern: {pattern}"));
        }
        Ok(Some(text))
    }

    pub(super) fn one_of<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
        words: &[&str],
    ) -> Result<&'a str, ApiError> {
        let text = self.text(value, path, &ANY)?;
        if !value.is_null() && !words.contains(&text) {
            let constraint = validation::enum_constraint(words);
            self.violations.add(Quoted::Text(text), path, &constraint);
        }
        Ok(text)
    }

    pub(super) fn number(
        &mut self,
        value: &Value,
        path: &str,
        min: i64,
        max: i64,
    ) -> Result<Option<i64>, ApiError> {
        let Some(number) = typed(value, path, Value::as_i64, "an integer")? else {
            return Ok(None);
        };

        let constraint = if number < min {
            format!("Member must have value greater than or equal to {min}")
        } else if number > max {
            format!("Member must have value less than or equal to {max}")
        } else {
            return Ok(Some(number));
        };
        let quoted = number.to_string();
        self.violations
            .add(Quoted::Text(&quoted), path, &constraint);
        Ok(Some(number))
    }
}

/// Refuses input members that the operation does not have: a real SDK cannot even send them.
pub(super) fn only(input: &Value, members: &[&str]) -> Result<(), ApiError> {
    let object = typed(input, "input", Value::as_object, "a structure")?;
    let Some(object) = object else {
        return Err(wrong_type("input", "a structure"));
    };

    match object
        .keys()
        .find(|member| !members.contains(&member.as_str()))
    {
        Some(unknown) => {
            let message = format!("unknown member {unknown}; known are {}", members.join(", "));
            Err(ApiError::client("SerializationException", message))
        }
        None => Ok(()),
    }
}

pub(super) fn list<'a>(value: &'a Value, path: &str) -> Result<&'a [Value], ApiError> {
    let list = typed(value, path, Value::as_array, "a list")?;
    Ok(list.map_or(&[], Vec::as_slice))
}

pub(super) fn flag(value: &Value, path: &str) -> Result<bool, ApiError> {
    let flag = typed(value, path, Value::as_bool, "a boolean")?;
    Ok(flag.unwrap_or(false))
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

/// One page of a list by `maxResults` and `nextToken`, as `{member: […], nextToken?}`.
pub(super) fn page(
    aws: &Aws,
    input: &Value,
    member: &str,
    items: Vec<Value>,
    most: i64,
) -> Result<Value, ApiError> {
    let mut checks = Checks::default();
    let size = checks
        .number(&input["maxResults"], "maxResults", 1, most)?
        .unwrap_or(most) as usize;
    let token = checks.optional(&input["nextToken"], "nextToken", &between(1, 2048))?;
    checks.done()?;

    let page = Tokens::Decimal.page(items, token, aws.page_size(size));
    let page = page.ok_or_else(|| {
        ApiError::client(
            "InvalidNextTokenException",
            "The next token was specified in an invalid format.",
        )
    })?;

    let mut output = json!({ member: page.items });
    if let Some(next) = page.next {
        output["nextToken"] = next.into();
    }
    Ok(output)
}
