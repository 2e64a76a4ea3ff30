//! The samples of output in the documents and the picture of the demo are what the program prints.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// Shortens a line of a sample.
const LEFT_OUT: char = '…';

/// The lines that `cargo sandbox` prints.
static PRINTED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .output()
        .expect("the sandbox runs");
    assert!(output.status.success(), "{output:?}");

    let text = String::from_utf8(output.stdout).expect("the output is UTF-8");
    text.lines().map(words).collect()
});

/// A line with one space between its words: samples are indented as their page is.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines of the blocks that have a line with a time of the demo.
fn samples(text: &str) -> Vec<String> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks
        .filter(|block| block.lines().any(is_progress))
        .flat_map(str::lines)
        .map(words)
        .filter(|line| !line.is_empty())
        .collect()
}

/// Whether it begins with a time: `  09:32:57  fill …`.
fn is_progress(line: &str) -> bool {
    let time = line.trim_start().as_bytes();
    time.len() > 8 && time[2] == b':' && time[5] == b':' && time[0].is_ascii_digit()
}

/// The texts of a picture, a line each.
fn drawn(svg: &str) -> Vec<String> {
    let texts = svg.split("<text").skip(1);
    let without_tags = |text: &str| -> String {
        let text = text.split("</text>").next().unwrap_or_default();
        let parts = text.split('<').filter_map(|part| part.split_once('>'));
        parts.map(|(_, part)| part).collect()
    };
    texts
        .map(without_tags)
        .map(|text| {
            words(
                &text
                    .replace("&#160;", " ")
                    .replace("&lt;", "<")
                    .replace("&gt;", ">"),
            )
        })
        .filter(|line| !line.is_empty())
        .collect()
}

/// Whether the parts of a sample's line stand in this order in a printed one.
fn is_shortened(sample: &str, line: &str) -> bool {
    let mut rest = line;
    for part in sample.split(LEFT_OUT).map(str::trim) {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

/// The lines of a sample that are not printed, or not in this order.
fn missing(samples: &[String], printed: &[String]) -> Vec<String> {
    let mut lines = printed.iter();
    samples
        .iter()
        .filter(|sample| !lines.any(|line| is_shortened(sample, line)))
        .cloned()
        .collect()
}

#[test]
fn the_samples_of_the_documents_are_printed() {
    for name in ["README.md", "docs/sandbox.md"] {
        let samples = samples(&page(name));
        assert!(!samples.is_empty(), "{name} has no sample of the output");
        assert_eq!(missing(&samples, &PRINTED), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_picture_of_the_demo_is_printed() {
    let drawn = drawn(&page("docs/images/demo.svg"));
    let lines = drawn.get(1..).expect("the first line is the command");
    assert!(lines.len() > 5, "{drawn:?}");
    assert_eq!(missing(lines, &PRINTED), Vec::<String>::new());
}

#[test]
fn a_sample_that_is_not_printed_is_found() {
    let line = |text: &str| words(text);
    let printed = [
        line("10:00:01 begin-release done web runs web:3 [●●]"),
        line("deployed"),
    ];

    let right = [
        line("  10:00:01  begin-release  done  … [●●]"),
        line("deployed"),
    ];
    assert!(missing(&right, &printed).is_empty());

    let wrong = [line("deployed"), line("10:00:02 …")];
    assert_eq!(missing(&wrong, &printed), ["10:00:02 …"]);
    let reversed = [line("deployed"), line("10:00:01 …")];
    assert_eq!(missing(&reversed, &printed), ["10:00:01 …"]);
}
