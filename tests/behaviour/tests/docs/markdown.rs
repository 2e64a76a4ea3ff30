//! What is needed of Markdown as GitHub renders it: headings, links, code spans.

use std::collections::BTreeSet;

use regex_lite::Regex;

/// A line of a page, with its number from 1.
struct Line<'a> {
    number: usize,
    text: &'a str,
    is_code: bool,
}

/// The page's lines without the fences themselves; `is_code` is true between two fences.
fn lines(page: &str) -> Vec<Line<'_>> {
    let mut fence = None;
    let mut lines = Vec::new();
    for (index, text) in page.lines().enumerate() {
        let start = text.trim_start();
        match fence {
            Some(mark) if start.starts_with(mark) => fence = None,
            None if start.starts_with("```") => fence = Some("```"),
            None if start.starts_with("~~~") => fence = Some("~~~"),
            _ => lines.push(Line {
                number: index + 1,
                text,
                is_code: fence.is_some(),
            }),
        }
    }
    lines
}

/// The texts between fences, each with the number of its first line.
pub(crate) fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut before = 0;
    for line in lines(page).into_iter().filter(|line| line.is_code) {
        if blocks.is_empty() || line.number != before + 1 {
            blocks.push((line.number, String::new()));
        }
        before = line.number;
        let (_, text) = blocks.last_mut().expect("a block was begun");
        text.push_str(line.text);
        text.push('\n');
    }
    blocks
}

/// The lines outside of fenced code.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    lines(page)
        .into_iter()
        .filter(|line| !line.is_code)
        .map(|line| (line.number, line.text))
}

/// A list that is not inside another one.
pub(crate) struct List {
    /// Where it begins.
    pub(crate) line: usize,
    /// The paragraph or heading before it, on one line.
    pub(crate) lead: String,
    pub(crate) items: usize,
}

/// The lists of a page. Lines that continue an item are indented.
pub(crate) fn lists(page: &str) -> Vec<List> {
    let item = Regex::new(r"^(?:[-*]|\d+\.) ").expect("a valid expression");

    let mut lists: Vec<List> = Vec::new();
    let (mut lead, mut is_open, mut is_after_blank) = (String::new(), false, true);
    for (line, text) in prose(page) {
        if item.is_match(text) {
            if !is_open {
                let lead = std::mem::take(&mut lead);
                lists.push(List {
                    line,
                    lead,
                    items: 0,
                });
            }
            is_open = true;
            lists.last_mut().expect("an open list").items += 1;
        } else if !(text.is_empty() || is_open && text.starts_with(' ')) {
            is_open = false;
            if is_after_blank {
                lead.clear();
            } else {
                lead.push(' ');
            }
            lead += text.trim_end();
        }
        is_after_blank = text.is_empty();
    }
    lists
}

/// All code with its lines: the lines inside of fences, and what is between backticks.
pub(crate) fn code(page: &str) -> Vec<(usize, String)> {
    lines(page)
        .into_iter()
        .flat_map(|line| {
            let parts = if line.is_code {
                vec![line.text.to_owned()]
            } else {
                spans(line.text)
            };
            parts.into_iter().map(move |part| (line.number, part))
        })
        .collect()
}

/// The texts between backticks in a line.
fn spans(line: &str) -> Vec<String> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect()
}

/// The anchors of a page: those of its headings, numbered when they repeat, and explicit ones.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a valid expression");
    let name = Regex::new(r#"<a (?:name|id)="([^"]+)""#).expect("a valid expression");

    let mut anchors = BTreeSet::new();
    for (_, line) in prose(text) {
        anchors.extend(name.captures_iter(line).map(|found| found[1].to_owned()));
        let heading = line.trim_start_matches('#');
        let level = line.len() - heading.len();
        if !(1..=6).contains(&level) || !heading.starts_with(' ') {
            continue;
        }

        let slug = slug(&link.replace_all(heading.trim(), "$1"));
        let again = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone())
            .chain(again)
            .find(|anchor| !anchors.contains(anchor));
        anchors.extend(free);
    }
    anchors
}

/// A heading as GitHub makes an anchor of it.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The targets of links and images, with their lines.
pub(crate) fn links(text: &str) -> Vec<(usize, String)> {
    let span = Regex::new(r"`[^`]*`").expect("a valid expression");
    let link = Regex::new(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)").expect("a valid expression");

    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let line = span.replace_all(line, "");
        for found in link.captures_iter(&line) {
            links.push((number, found[1].to_owned()));
        }
    }
    links
}

/// A text as a cell of a table: on one line, and outside of code without what looks like HTML.
pub(crate) fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts: Vec<String> = line
        .replace('|', "\\|")
        .split('`')
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => part.replace('<', "&lt;"),
            _ => part.to_owned(),
        })
        .collect();
    parts.join("`")
}

/// A table.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];

    [head, rule]
        .iter()
        .chain(rows)
        .map(|cells| line(cells))
        .collect()
}
