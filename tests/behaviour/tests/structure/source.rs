//! Source files as text and as tokens, without comments and literals.

use std::path::{Path, PathBuf};

pub(crate) struct Source {
    /// Path below the project's root.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The text with spaces in place of comments and literals.
    pub(crate) code: String,
}

/// The Rust sources below a folder.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let source = |(name, text): (String, String)| {
        let code = without_literals(&text);
        Source { name, text, code }
    };
    files(folder, "rs").into_iter().map(source).collect()
}

/// The names and texts of the files below a folder with this ending.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];

    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project") {
            let path: PathBuf = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                let name = path.strip_prefix(&root).expect("below the root").display();
                let text = std::fs::read_to_string(&path).expect("a text file");
                found.push((name.to_string(), text));
            }
        }
    }

    assert!(!found.is_empty(), "no file .{ending} below {folder}");
    found.sort();
    found
}

/// Replaces comments, strings and characters by spaces; line breaks stay.
fn without_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;

    while at < chars.len() {
        let end = literal_end(&chars, at).unwrap_or(at);
        for &letter in &chars[at..end] {
            code.push(if letter == '\n' { '\n' } else { ' ' });
        }
        if end == at {
            code.push(chars[at]);
        }
        at = end.max(at + 1);
    }
    code
}

/// The end of a comment or literal that begins at `at`.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    let starts = |from: usize, text: &str| {
        text.chars()
            .enumerate()
            .all(|(n, letter)| chars.get(from + n) == Some(&letter))
    };
    let find = |from: usize, text: &str| {
        (from..chars.len())
            .find(|&n| starts(n, text))
            .map_or(chars.len(), |n| n + text.len())
    };
    let is_word = |letter: &char| letter.is_alphanumeric() || *letter == '_';

    match chars[at] {
        '/' if starts(at, "//") => Some(find(at, "\n") - 1),
        '/' if starts(at, "/*") => Some(find(at + 2, "*/")),
        '"' => Some(quoted_end(chars, at, '"')),
        '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => {
            Some(quoted_end(chars, at, '\''))
        }
        'r' if at == 0 || !is_word(&chars[at - 1]) || chars[at - 1] == 'b' => {
            let hashes = chars[at + 1..]
                .iter()
                .take_while(|letter| **letter == '#')
                .count();
            let quote = at + 1 + hashes;
            (chars.get(quote) == Some(&'"'))
                .then(|| find(quote + 1, &format!("\"{}", "#".repeat(hashes))))
        }
        _ => None,
    }
}

fn quoted_end(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// A function: its name, and its first and last line.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

pub(crate) fn functions_of(code: &str) -> Vec<Function> {
    let tokens = tokens(code);
    let mut found = Vec::new();

    for (at, (token, line)) in tokens.iter().enumerate() {
        // The type `fn(…)` is not a function.
        let named = tokens
            .get(at + 1)
            .filter(|(next, _)| *token == "fn" && *next != "(");
        let Some((name, _)) = named else {
            continue;
        };
        if let Some(end) = item_end(&tokens, at).filter(|end| tokens[*end].0 == "}") {
            found.push(Function {
                name: (*name).to_owned(),
                first: *line,
                last: tokens[end].1,
            });
        }
    }
    found
}

/// The token that ends the item which begins at `start`: its `;`, or the `}` of its block.
pub(crate) fn item_end(tokens: &[(&str, usize)], start: usize) -> Option<usize> {
    let mut inside = 0_i32;
    for (at, (token, _)) in tokens.iter().enumerate().skip(start) {
        match *token {
            "(" | "[" | "{" => inside += 1,
            ")" | "]" => inside -= 1,
            "}" => {
                inside -= 1;
                if inside == 0 && tokens.get(at + 1).is_none_or(|(next, _)| *next != ";") {
                    return Some(at);
                }
            }
            ";" if inside == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Identifiers and punctuation with their lines; `::` is one token.
pub(crate) fn tokens(code: &str) -> Vec<(&str, usize)> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    let (mut rest, mut line) = (code, 1);

    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        if !first.is_whitespace() {
            found.push((&rest[..length], line));
        }
        line += usize::from(first == '\n');
        rest = &rest[length..];
    }
    found
}
