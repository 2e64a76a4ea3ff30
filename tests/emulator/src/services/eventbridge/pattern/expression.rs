//! Match expressions: `{"prefix": "…"}` and the others.

use super::Refusal;
use super::address::Block;
use super::json::{Reader, Token};
use super::number::{self, Bound};
use super::value::{Affix, Matcher, quoted};
use super::wildcard::Wildcard;

const IGNORE_CASE: &str = "equals-ignore-case";

/// Reads an expression, whose opening brace is read.
pub(super) fn read(reader: &mut Reader) -> Result<Matcher, Refusal> {
    let Some(Token::Name(name)) = reader.token()? else {
        return Err(reader.refusal("Match expression name not found"));
    };
    match name.as_str() {
        "exactly" => {
            let text = only_text(reader, "exact match pattern must be a string")?;
            Ok(Matcher::Exact(quoted(&text)))
        }
        "prefix" => affix(reader, "prefix", "Prefix", Affix::Start),
        "suffix" => affix(reader, "suffix", "Suffix", Affix::End),
        "numeric" => numeric(reader),
        "anything-but" => anything_but(reader),
        "exists" => exists(reader),
        "cidr" => {
            expect_text(reader, "prefix match pattern must be a string")?;
            let block = Block::parse(&reader.text()?)?;
            end(reader)?;
            Ok(Matcher::Address(block))
        }
        IGNORE_CASE => {
            let text = only_text(reader, "equals-ignore-case match pattern must be a string")?;
            Ok(Matcher::IgnoreCase(quoted(&text)))
        }
        "wildcard" => {
            expect_text(reader, "wildcard match pattern must be a string")?;
            let text = reader.text()?;
            let wildcard = wildcard(reader, &text)?;
            end(reader)?;
            Ok(Matcher::Wildcard(wildcard))
        }
        _ => Err(reader.refusal(format!("Unrecognized match type {name}"))),
    }
}

fn expect_text(reader: &mut Reader, otherwise: &str) -> Result<(), Refusal> {
    match reader.token()? {
        Some(Token::Text) => Ok(()),
        _ => Err(reader.refusal(otherwise)),
    }
}

/// A string and the end of the expression.
fn only_text(reader: &mut Reader, otherwise: &str) -> Result<String, Refusal> {
    expect_text(reader, otherwise)?;
    let text = reader.text()?;
    end(reader)?;
    Ok(text)
}

fn end(reader: &mut Reader) -> Result<(), Refusal> {
    end_or(reader, "Only one key allowed in match expression")
}

fn end_or(reader: &mut Reader, otherwise: &str) -> Result<(), Refusal> {
    match reader.token()? {
        Some(Token::EndObject) => Ok(()),
        _ => Err(reader.refusal(otherwise)),
    }
}

fn wildcard(reader: &Reader, text: &str) -> Result<Wildcard, Refusal> {
    Wildcard::parse(&quoted(text)).map_err(|Refusal(reason)| reader.refusal(reason))
}

/// `prefix` or `suffix`, of a string or of `{"equals-ignore-case": "…"}`.
fn affix(reader: &mut Reader, name: &str, title: &str, side: Affix) -> Result<Matcher, Refusal> {
    match reader.token()? {
        Some(Token::Text) => {
            let text = side.quoted(&reader.text()?);
            end(reader)?;
            Ok(Matcher::Affix(side, text))
        }
        Some(Token::StartObject) => {
            let Some(Token::Name(operator)) = reader.token()? else {
                return Err(reader.refusal(format!("{title} expression name not found")));
            };
            if operator != IGNORE_CASE {
                return Err(reader.refusal(format!("Unsupported {name} pattern: {operator}")));
            }
            let text = only_text(reader, "equals-ignore-case match pattern must be a string")?;
            end(reader)?;
            Ok(Matcher::AffixIgnoreCase(side, side.quoted(&text)))
        }
        _ => Err(reader.refusal(format!("{name} match pattern must be a string"))),
    }
}

fn exists(reader: &mut Reader) -> Result<Matcher, Refusal> {
    let matcher = match reader.token()? {
        Some(Token::Word("true")) => Matcher::Exists,
        Some(Token::Word("false")) => Matcher::Absent,
        _ => {
            let reason = "exists match pattern must be either true or false.";
            return Err(reader.refusal(reason));
        }
    };
    end(reader)?;
    Ok(matcher)
}

const TOO_MANY: &str = "Too many elements in numeric expression";

/// `["=", 3]`, `["<", 5]` or `[">", 0, "<=", 5]`.
fn numeric(reader: &mut Reader) -> Result<Matcher, Refusal> {
    if reader.token()? != Some(Token::StartArray) {
        return Err(reader.refusal("Value of numeric must be an array."));
    }
    match reader.token()? {
        Some(Token::Text) => {}
        other => {
            let member = other.as_ref().map_or("", Token::written);
            return Err(reader.refusal(format!("Invalid member in numeric match: {member}")));
        }
    }
    let operator = reader.text()?;

    let token = reader.token()?;
    let range = match operator.as_str() {
        "=" => {
            let number = operand(reader, token, "equals")?;
            end_of_list(reader, TOO_MANY)?;
            Matcher::Number(comparable(reader, &number)?)
        }
        ">" | ">=" => from_bottom(reader, token, &operator)?,
        "<" | "<=" => {
            let number = operand(reader, token, &operator)?;
            end_of_list(reader, TOO_MANY)?;
            let top = bound(reader, &number, operator == "<=")?;
            Matcher::Range(None, Some(top))
        }
        _ => {
            let reason = format!("Unrecognized numeric range operator: {operator}");
            return Err(reader.refusal(reason));
        }
    };
    end_or(reader, TOO_MANY)?;
    Ok(range)
}

/// A range from a number on, perhaps up to another.
fn from_bottom(
    reader: &mut Reader,
    token: Option<Token>,
    operator: &str,
) -> Result<Matcher, Refusal> {
    let bottom = operand(reader, token, operator)?;
    let included = operator == ">=";
    match reader.token()? {
        Some(Token::EndArray) => {
            let bottom = bound(reader, &bottom, included)?;
            return Ok(Matcher::Range(Some(bottom), None));
        }
        Some(Token::Text) => {}
        other => {
            let value = other.as_ref().map_or("", Token::written);
            return Err(reader.refusal(format!("Bad value in numeric range: {value}")));
        }
    }

    let operator = reader.text()?;
    if !matches!(operator.as_str(), "<" | "<=") {
        return Err(reader.refusal(format!("Bad numeric range operator: {operator}")));
    }
    let token = reader.token()?;
    let top = operand(reader, token, &operator)?;
    end_of_list(reader, "Too many terms in numeric range expression")?;

    let bottom = bound(reader, &bottom, included)?;
    let top = bound(reader, &top, operator == "<=")?;
    if bottom.at >= top.at {
        return Err(reader.refusal("Bottom must be less than top"));
    }
    Ok(Matcher::Range(Some(bottom), Some(top)))
}

fn operand(reader: &Reader, token: Option<Token>, operator: &str) -> Result<String, Refusal> {
    match token {
        Some(Token::Number(number)) => Ok(number),
        _ => Err(reader.refusal(format!("Value of {operator} must be numeric"))),
    }
}

fn end_of_list(reader: &mut Reader, otherwise: &str) -> Result<(), Refusal> {
    match reader.token()? {
        Some(Token::EndArray) => Ok(()),
        _ => Err(reader.refusal(otherwise)),
    }
}

fn comparable(reader: &Reader, number: &str) -> Result<f64, Refusal> {
    number::comparable(number).map_err(|Refusal(reason)| reader.refusal(reason))
}

fn bound(reader: &Reader, number: &str, included: bool) -> Result<Bound, Refusal> {
    let at = comparable(reader, number)?;
    Ok(Bound { at, included })
}

/// What `anything-but` excludes, when it is not a plain value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excluded {
    IgnoreCase,
    Affix(Affix),
    Wildcard,
}

impl Excluded {
    fn named(operator: &str) -> Option<Self> {
        Some(match operator {
            IGNORE_CASE => Self::IgnoreCase,
            "prefix" => Self::Affix(Affix::Start),
            "suffix" => Self::Affix(Affix::End),
            "wildcard" => Self::Wildcard,
            _ => return None,
        })
    }

    fn matcher(self, reader: &Reader, text: &str) -> Result<Matcher, Refusal> {
        Ok(match self {
            Self::IgnoreCase => Matcher::IgnoreCase(quoted(text)),
            Self::Affix(side) => Matcher::Affix(side, side.quoted(text)),
            Self::Wildcard => Matcher::Wildcard(wildcard(reader, text)?),
        })
    }

    fn not_a_string(self) -> &'static str {
        match self {
            Self::IgnoreCase => {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not \
                 supported."
            }
            Self::Affix(_) => "prefix/suffix match pattern must be a string",
            Self::Wildcard => "wildcard match pattern must be a string",
        }
    }
}

fn anything_but(reader: &mut Reader) -> Result<Matcher, Refusal> {
    let mut token = reader.token()?;
    let mut operator = None;
    if token == Some(Token::StartObject) {
        let Some(Token::Name(name)) = reader.token()? else {
            return Err(reader.refusal("Anything-But expression name not found"));
        };
        let named = Excluded::named(&name);
        let unsupported = format!("Unsupported anything-but pattern: {name}");
        operator = Some(named.ok_or_else(|| reader.refusal(unsupported))?);
        token = reader.token()?;
    }

    let excluded = match token {
        Some(Token::StartArray) => list(reader, operator)?,
        Some(token) if token == Token::Text || token.is_number() => match operator {
            Some(operator) => {
                let text = excluded_text(reader, operator, Some(token))?;
                vec![operator.matcher(reader, &text)?]
            }
            None => vec![plain(reader, token)?],
        },
        _ => {
            let reason = "Value of anything-but must be an array or single string/number value.";
            return Err(reader.refusal(reason));
        }
    };

    end_or(reader, TOO_MANY)?;
    if operator.is_some() {
        end_or(reader, TOO_MANY)?;
    }
    Ok(Matcher::AnythingBut(excluded))
}

fn list(reader: &mut Reader, operator: Option<Excluded>) -> Result<Vec<Matcher>, Refusal> {
    // What is refused inside a list is refused once more for the whole list, with its place.
    let Some(operator) = operator else {
        let values = values(reader).map_err(|Refusal(reason)| reader.refusal(reason))?;
        check_one_type(reader, &values)?;
        return Ok(values);
    };
    let texts = texts(reader, operator).map_err(|Refusal(reason)| reader.refusal(reason))?;
    texts
        .iter()
        .map(|text| operator.matcher(reader, text))
        .collect()
}

fn plain(reader: &mut Reader, token: Token) -> Result<Matcher, Refusal> {
    match token {
        Token::Number(number) => number::comparable(&number).map(Matcher::Number),
        _ => Ok(Matcher::Exact(quoted(&reader.text()?))),
    }
}

/// A string that `anything-but` excludes, or part of one.
fn excluded_text(
    reader: &mut Reader,
    operator: Excluded,
    token: Option<Token>,
) -> Result<String, Refusal> {
    if token != Some(Token::Text) {
        return Err(reader.refusal(operator.not_a_string()));
    }
    let text = reader.text()?;
    if text.is_empty() && matches!(operator, Excluded::Affix(_)) {
        return Err(reader.refusal("Null prefix/suffix not allowed"));
    }
    Ok(text)
}

fn texts(reader: &mut Reader, operator: Excluded) -> Result<Vec<String>, Refusal> {
    let mut texts = Vec::new();
    loop {
        match reader.token()? {
            Some(Token::EndArray) => return Ok(texts),
            token => texts.push(excluded_text(reader, operator, token)?),
        }
    }
}

/// A list of strings or of numbers.
fn values(reader: &mut Reader) -> Result<Vec<Matcher>, Refusal> {
    let mut values = Vec::new();
    loop {
        match reader.token()? {
            Some(Token::EndArray) => return Ok(values),
            Some(token) if token == Token::Text || token.is_number() => {
                values.push(plain(reader, token)?);
            }
            _ => {
                let reason = "Inside anything but list, start|null|boolean is not supported.";
                return Err(reader.refusal(reason));
            }
        }
    }
}

fn check_one_type(reader: &Reader, values: &[Matcher]) -> Result<(), Refusal> {
    let is_number = |value: &Matcher| matches!(value, Matcher::Number(_));
    let one_type = values.first().is_some_and(|first| {
        values
            .iter()
            .all(|value| is_number(value) == is_number(first))
    });
    if one_type {
        Ok(())
    } else {
        Err(reader.refusal(
            "Inside anything but list, either all values are number or string, mixed type is not \
             supported",
        ))
    }
}
