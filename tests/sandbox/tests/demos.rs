//! `cargo sandbox --list` and the documents name every demo of `--pipeline`.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::demo::DEMOS;

/// What the command prints with an option.
fn printed(option: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .arg(option)
        .output()
        .expect("the sandbox runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

#[test]
fn a_list_explains_what_each_name_plays() {
    let listed = printed("--list");
    assert_eq!(listed.lines().count(), DEMOS.len(), "{listed}");
    for (line, demo) in listed.lines().zip(&DEMOS) {
        let (name, about) = line.split_once(' ').expect("a name and a text");
        assert_eq!((name, about.trim_start()), (demo.name, demo.about));
    }
}

#[test]
fn the_documents_have_a_row_for_each_name() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sandbox.md");
    let text = fs::read_to_string(path).expect("a page");
    for demo in &DEMOS {
        let row = format!("| `--pipeline {}` |", demo.name);
        assert!(text.contains(&row), "no {row}");
    }
}
