//! JSON as EventBridge reads patterns and events: token by token, so that a refusal names the
//! place it stopped at.
//!
//! EventBridge's matcher is <https://github.com/aws/event-ruler>, which reads with Jackson. Its
//! messages end with `at [Source: (String)"…"; line: 1, column: 11]`: how far the reader had come,
//! which is past the value of a name, and in a string that nothing has looked at past its quote.

use super::Refusal;

/// The most characters of the text that a message quotes.
const QUOTED: usize = 500;

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Name(String),
    Text,
    Number(String),
    /// `true`, `false` or `null`.
    Word(&'static str),
}

impl Token {
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    /// As it is written; a string only begins.
    pub(super) fn written(&self) -> &str {
        match self {
            Self::StartObject => "{",
            Self::EndObject => "}",
            Self::StartArray => "[",
            Self::EndArray => "]",
            Self::Text => "\"",
            Self::Name(text) | Self::Number(text) => text,
            Self::Word(word) => word,
        }
    }
}

/// An object or array that is not closed yet.
struct Open {
    object: bool,
    /// Where it began.
    at: usize,
    /// Whether it has an entry.
    entries: bool,
}

pub(super) struct Reader {
    letters: Vec<char>,
    /// The first letter that is not read yet.
    next: usize,
    open: Vec<Open>,
    /// The value of the name that was read last.
    value: Option<Token>,
    /// Whether the last token is a string of which only the quote is read.
    in_text: bool,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        Self {
            letters: text.chars().collect(),
            next: 0,
            open: Vec::new(),
            value: None,
            in_text: false,
        }
    }

    /// The next token; nothing after the end of the outermost value.
    pub(super) fn token(&mut self) -> Result<Option<Token>, Refusal> {
        if let Some(value) = self.value.take() {
            self.enter(&value);
            return Ok(Some(value));
        }
        if self.in_text {
            self.text()?;
        }

        let Some(letter) = self.letter() else {
            return self.open.last().map_or(Ok(None), |open| {
                let kind = if open.object { "Object" } else { "Array" };
                let start = self.source(open.at);
                Err(self.refusal(format!(
                    "Unexpected end-of-input: expected close marker for {kind} \
                     (start marker at {start})"
                )))
            });
        };
        if matches!(letter, '}' | ']') {
            return self.close(letter).map(Some);
        }
        let letter = self.separator(letter)?;
        if self.open.last().is_some_and(|open| open.object) {
            return self.name(letter).map(Some);
        }

        let value = self.read_value(letter)?;
        self.enter(&value);
        Ok(Some(value))
    }

    /// The rest of the string that the last token begins.
    pub(super) fn text(&mut self) -> Result<String, Refusal> {
        self.in_text = false;
        self.string("string value")
    }

    /// A refusal at the place that was read last.
    pub(super) fn refusal(&self, reason: impl AsRef<str>) -> Refusal {
        self.refusal_at(reason.as_ref(), self.next)
    }

    fn refusal_at(&self, reason: &str, at: usize) -> Refusal {
        Refusal(format!("{reason}\n at {}", self.source(at)))
    }

    fn unexpected(&self, letter: char, expected: &str) -> Refusal {
        let code = u32::from(letter);
        let reason = format!("Unexpected character ('{letter}' (code {code})): {expected}");
        self.refusal_at(&reason, self.next - 1)
    }

    fn source(&self, at: usize) -> String {
        let line_start = self.letters[..at]
            .iter()
            .rposition(|letter| *letter == '\n')
            .map_or(0, |newline| newline + 1);
        let lines = self.letters[..at].iter().filter(|letter| **letter == '\n');
        // Java counts in UTF-16.
        let column = self.letters[line_start..at]
            .iter()
            .map(|letter| letter.len_utf16());

        let quoted: String = self.letters.iter().take(QUOTED).collect();
        let rest = match self.letters.len().saturating_sub(QUOTED) {
            0 => String::new(),
            truncated => format!("[truncated {truncated} chars]"),
        };
        format!(
            "[Source: (String)\"{quoted}\"{rest}; line: {}, column: {}]",
            lines.count() + 1,
            column.sum::<usize>() + 1
        )
    }

    fn enter(&mut self, value: &Token) {
        if matches!(value, Token::StartObject | Token::StartArray) {
            self.open.push(Open {
                object: *value == Token::StartObject,
                at: self.next - 1,
                entries: false,
            });
        }
    }

    /// The next letter that is not white space.
    fn letter(&mut self) -> Option<char> {
        while let Some(letter) = self.letters.get(self.next).copied() {
            self.next += 1;
            if !matches!(letter, ' ' | '\t' | '\n' | '\r') {
                return Some(letter);
            }
        }
        None
    }

    fn close(&mut self, letter: char) -> Result<Token, Refusal> {
        let (object, token) = match letter {
            '}' => (true, Token::EndObject),
            _ => (false, Token::EndArray),
        };
        match self.open.last() {
            Some(open) if open.object == object => {
                self.open.pop();
                Ok(token)
            }
            Some(open) => {
                let (kind, expected) = if open.object {
                    ("Object", '}')
                } else {
                    ("Array", ']')
                };
                let start = self.source(open.at);
                let reason = format!(
                    "Unexpected close marker '{letter}': expected '{expected}' \
                     (for {kind} starting at {start})"
                );
                Err(self.refusal(reason))
            }
            None => Err(self.unexpected(letter, &format!("expected a valid value {VALUES}"))),
        }
    }

    /// The first letter of the next entry: after a comma, unless it is the first entry.
    fn separator(&mut self, letter: char) -> Result<char, Refusal> {
        let Some(open) = self.open.last_mut() else {
            return Ok(letter);
        };
        if !std::mem::replace(&mut open.entries, true) {
            return Ok(letter);
        }

        let kind = if open.object { "Object" } else { "Array" };
        if letter != ',' {
            let expected = format!("was expecting comma to separate {kind} entries");
            return Err(self.unexpected(letter, &expected));
        }
        self.letter().ok_or_else(|| {
            self.refusal(format!(
                "Unexpected end-of-input within/between {kind} entries"
            ))
        })
    }

    /// A name; its value is read with it.
    fn name(&mut self, letter: char) -> Result<Token, Refusal> {
        if letter != '"' {
            return Err(self.unexpected(letter, "was expecting double-quote to start field name"));
        }
        let name = self.string("field name")?;

        let colon = self.required("within/between Object entries")?;
        if colon != ':' {
            let expected = "was expecting a colon to separate field name and value";
            return Err(self.unexpected(colon, expected));
        }
        let letter = self.required("within/between Object entries")?;
        self.value = Some(self.read_value(letter)?);
        Ok(Token::Name(name))
    }

    fn required(&mut self, place: &str) -> Result<char, Refusal> {
        self.letter()
            .ok_or_else(|| self.refusal(format!("Unexpected end-of-input {place}")))
    }

    fn read_value(&mut self, letter: char) -> Result<Token, Refusal> {
        match letter {
            '{' => Ok(Token::StartObject),
            '[' => Ok(Token::StartArray),
            '"' => {
                self.in_text = true;
                Ok(Token::Text)
            }
            '}' => Err(self.unexpected(letter, "expected a value")),
            '-' | '0'..='9' => self.number(letter).map(Token::Number),
            letter if letter.is_alphabetic() || matches!(letter, '_' | '$') => self.read_word(),
            letter => Err(self.unexpected(letter, &format!("expected a valid value {VALUES}"))),
        }
    }

    fn read_word(&mut self) -> Result<Token, Refusal> {
        let start = self.next - 1;
        while self
            .peek()
            .is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$'))
        {
            self.next += 1;
        }
        let word: String = self.letters[start..self.next].iter().collect();
        ["true", "false", "null"]
            .into_iter()
            .find(|known| *known == word)
            .map(Token::Word)
            .ok_or_else(|| {
                self.refusal(format!(
                    "Unrecognized token '{word}': was expecting {VALUES}"
                ))
            })
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.next).copied()
    }

    fn number(&mut self, first: char) -> Result<String, Refusal> {
        let start = self.next - 1;
        if first == '-' {
            self.digits("following minus sign")?;
        } else {
            self.next = start;
            self.digits("")?;
        }
        let whole = &self.letters[start..self.next];
        let whole = if first == '-' { &whole[1..] } else { whole };
        if whole.len() > 1 && whole[0] == '0' {
            let zero = self.next - whole.len();
            return Err(self.refusal_at(
                "Invalid numeric value: Leading zeroes not allowed",
                zero + 1,
            ));
        }

        if self.peek() == Some('.') {
            self.next += 1;
            self.digits("Decimal point not followed by a digit")?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.next += 1;
            }
            self.digits("Exponent indicator not followed by a digit")?;
        }
        Ok(self.letters[start..self.next].iter().collect())
    }

    fn digits(&mut self, complaint: &str) -> Result<(), Refusal> {
        let start = self.next;
        while self.peek().is_some_and(|letter| letter.is_ascii_digit()) {
            self.next += 1;
        }
        if self.next > start {
            return Ok(());
        }
        self.next += 1;
        Err(match self.peek_back() {
            Some(letter) => self.unexpected(letter, complaint),
            None => self.refusal("Unexpected end-of-input in VALUE_NUMBER"),
        })
    }

    fn peek_back(&mut self) -> Option<char> {
        let letter = self.letters.get(self.next - 1).copied();
        self.next = self.next.min(self.letters.len());
        letter
    }

    /// A string from behind its opening quote to its closing quote.
    fn string(&mut self, what: &str) -> Result<String, Refusal> {
        let mut text = Vec::new();
        loop {
            let Some(letter) = self.peek() else {
                return Err(self.refusal(if what == "field name" {
                    "Unexpected end-of-input in field name"
                } else {
                    "Unexpected end-of-input: was expecting closing quote for a string value"
                }));
            };
            self.next += 1;
            match letter {
                '"' => return Ok(String::from_utf16_lossy(&text)),
                '\\' => text.push(self.escaped()?),
                '\0'..='\u{1f}' => {
                    return Err(self.refusal(format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped \
                         using backslash to be included in {what}",
                        u32::from(letter)
                    )));
                }
                letter => text.extend_from_slice(letter.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn escaped(&mut self) -> Result<u16, Refusal> {
        let letter = self.peek();
        self.next = (self.next + 1).min(self.letters.len());
        Ok(match letter {
            Some('b') => 8,
            Some('t') => 9,
            Some('n') => 10,
            Some('f') => 12,
            Some('r') => 13,
            Some(letter @ ('"' | '/' | '\\')) => letter as u16,
            Some('u') => {
                let digits: String = self.letters.iter().skip(self.next).take(4).collect();
                let code = u16::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4 && !digits.starts_with('+'))
                    .ok_or_else(|| self.refusal("Unexpected character in a Unicode escape"))?;
                self.next += 4;
                code
            }
            Some(letter) => {
                return Err(self.refusal(format!(
                    "Unrecognized character escape '{letter}' (code {})",
                    u32::from(letter)
                )));
            }
            None => {
                return Err(self.refusal("Unexpected end-of-input in character escape sequence"));
            }
        })
    }
}
