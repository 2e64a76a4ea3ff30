//! Counts in words: of the functions, and of the items of the list that a sentence announces.

use regex_lite::Regex;

use crate::markdown;
use crate::project::{self, root};

const NUMBERS: [&str; 16] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen",
];

/// A list of one item is announced by no count: "one of these".
const LEAST: usize = 2;

fn number(word: &str) -> Option<usize> {
    let word = word.to_lowercase();
    NUMBERS.iter().position(|number| *number == word)
}

#[test]
fn counts_of_functions_agree_with_the_folders() {
    let folders = std::fs::read_dir(root().join("functions"))
        .expect("functions/")
        .count();
    let counted = Regex::new(r"(?i)\b(?:the|all|its) ([a-z]+) (?:lambda )?functions\b")
        .expect("a valid expression");

    for page in project::markdown() {
        for (line, text) in page.text.lines().enumerate() {
            for found in counted.captures_iter(text) {
                if let Some(count) = number(&found[1]) {
                    assert_eq!(count, folders, "{}:{}: {text}", page.name, line + 1);
                }
            }
        }
    }
}

#[test]
fn counts_before_lists_agree_with_their_items() {
    let counted = format!(r"(?i)\b({}) [^.:;]+:$", NUMBERS[LEAST..].join("|"));
    let counted = Regex::new(&counted).expect("a valid expression");

    let (mut compared, mut wrong) = (0, Vec::new());
    for page in project::markdown() {
        for list in markdown::lists(&page.text) {
            let found = counted.captures(&list.lead);
            if let Some(count) = found.and_then(|found| number(&found[1])) {
                compared += 1;
                if count != list.items {
                    let (name, lead) = (&page.name, &list.lead);
                    wrong.push(format!(
                        "{name}:{}: {} items, and the text before them is: {lead}",
                        list.line, list.items
                    ));
                }
            }
        }
    }

    assert!(compared > 0, "no count before a list was found");
    assert!(wrong.is_empty(), "wrong counts:\n{}", wrong.join("\n"));
}
