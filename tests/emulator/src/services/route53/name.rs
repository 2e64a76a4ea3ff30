//! Names of record sets: how they are written, and in which order they are listed.
//!
//! Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>

/// A name as Route 53 keeps it: in small letters, with a dot at the end, and with every character
/// but letters, digits, `-`, `_` and `.` as a backslash and three octal digits.
pub(crate) fn normalized(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut written = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => written.push(char::from(*byte)),
            b'A'..=b'Z' => written.push(char::from(byte.to_ascii_lowercase())),
            b'\\' if is_octal(bytes.get(at + 1..at + 4)) => written.push('\\'),
            other => written.push_str(&format!("\\{other:03o}")),
        }
    }

    if !written.ends_with('.') {
        written.push('.');
    }
    written
}

fn is_octal(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)))
}

/// Where a record set stands in a list: by the labels of its name from the last to the first, by
/// its type, and by its identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    reversed: String,
    kind: String,
    identifier: Option<String>,
}

impl Key {
    /// The key of a normalized name.
    pub(super) fn new(name: &str, kind: &str, identifier: Option<&str>) -> Self {
        let labels: Vec<&str> = name.trim_end_matches('.').rsplit('.').collect();
        Self {
            reversed: format!("{}.", labels.join(".")),
            kind: kind.to_owned(),
            identifier: identifier.map(str::to_owned),
        }
    }
}
