//! The transcript of a scene and its file.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use emulator::Aws;
use harness::driver::{Driver, Fault, run};

use crate::transcript::{recorded, sections, written};
use behaviour::pass;

/// Longest that a file may be, so that it is read.
const LINES_MAX: usize = 450;

/// How long a scene goes on after its act.
const AFTER: Duration = Duration::from_secs(100);

/// A file and the sections of the transcript that it has, by the beginnings of their titles.
pub(crate) type GoldenPart = (&'static str, &'static [&'static str]);

/// Every section.
pub(crate) const ALL: &[&str] = &[""];

/// Every file of `tests/golden/calls/`, so that none stays behind when its scene goes.
const FILES: [&str; 22] = [
    "blue-green-failing-bake",
    "blue-green-fill",
    "blue-green-steps",
    "blue-green-stopped",
    "canary-bad",
    "canary-bad-roll-back",
    "canary-good-end",
    "canary-good-first",
    "canary-good-second",
    "canary-hold",
    "dns-begin",
    "dns-failing",
    "dns-steps",
    "in-place-broken",
    "in-place-first",
    "in-place-guarded",
    "in-place-make-room",
    "in-place-next",
    "in-place-stopped",
    "in-place-unchanged",
    "start-pipeline",
    "start-pipeline-refused",
];

/// Plays a scene and compares the calls that functions made in it with their files in
/// `tests/golden/calls/`.
///
/// Chance begins afresh, so that what was drawn while the account was made does not matter.
#[track_caller]
pub(crate) fn check(parts: &[GoldenPart], mut aws: Aws, act: impl AsyncFnOnce(&Driver)) {
    aws.rng = fastrand::Rng::with_seed(1);
    let sections = run(aws, Fault::None, async |driver| {
        let record = recorded(&driver);
        act(&driver).await;
        // What the end of an execution wakes is part of it too.
        pass(&driver, AFTER).await;
        sections(&driver.world.snapshot(), &record)
    });

    for (file, titles) in parts {
        same(file, &written(&sections, titles));
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/calls")
}

#[track_caller]
fn same(scene: &str, text: &str) {
    assert!(FILES.contains(&scene), "{scene} is not among FILES");

    let path = folder().join(format!("{scene}.txt"));
    assert!(
        text.lines().count() <= LINES_MAX,
        "{scene} has {} lines: make it smaller",
        text.lines().count()
    );

    if std::env::var_os("SLIPWAY_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder()).expect("tests/golden/ can be written");
        std::fs::write(&path, text).expect("tests/golden/calls/ can be written");
    }

    let Ok(golden) = std::fs::read_to_string(&path) else {
        panic!("tests/golden/calls/{scene}.txt is missing; {REMEDY}");
    };
    assert!(
        golden == text,
        "tests/golden/calls/{scene}.txt differs:\n{}\n{REMEDY}",
        difference(&golden, text)
    );
}

const REMEDY: &str =
    "if that is intended, write it: SLIPWAY_WRITE_GOLDEN=1 cargo test -p behaviour --test calls";

/// How many lines of each side are shown, from the first that differs on, and how many of both
/// before.
const SHOWN: usize = 12;
const BEFORE: usize = 4;

/// The first lines that differ, with what is before them.
fn difference(golden: &str, text: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (golden.lines().collect(), text.lines().collect());
    let first = old
        .iter()
        .zip(&new)
        .take_while(|(old, new)| old == new)
        .count();
    let last = old[first..]
        .iter()
        .rev()
        .zip(new[first..].iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let shown = |sign: char, lines: &[&str]| {
        let changed = &lines[first..lines.len() - last];
        let more = changed.len().saturating_sub(SHOWN);

        let mut text: String = changed
            .iter()
            .take(SHOWN)
            .map(|line| format!("{sign} {line}\n"))
            .collect();
        if more > 0 {
            writeln!(text, "{sign} … and {more} more lines").expect("a text takes text");
        }
        text
    };
    let before: String = old[first.saturating_sub(BEFORE)..first]
        .iter()
        .map(|line| format!("  {line}\n"))
        .collect();
    let section = old[..first]
        .iter()
        .rev()
        .find(|line| line.starts_with("=="))
        .copied()
        .unwrap_or_default();

    format!(
        "line {}, {section}\n{before}{}{}",
        first + 1,
        shown('-', &old),
        shown('+', &new)
    )
}

#[test]
fn the_first_lines_that_differ_are_shown() {
    let shown = difference("== a ==\nb\nc\nd\ne", "== a ==\nb\nx\ny\ne");
    assert_eq!(
        shown,
        "line 3, == a ==\n  == a ==\n  b\n- c\n- d\n+ x\n+ y\n"
    );
    assert_eq!(difference("a\nb", "a"), "line 2, \n  a\n- b\n");
}

/// Those that are missing fail in their scenes.
#[test]
fn every_file_belongs_to_a_scene() {
    for file in std::fs::read_dir(folder()).expect("tests/golden/calls/ is there") {
        let name = file
            .expect("readable")
            .file_name()
            .into_string()
            .expect("a plain name");
        assert!(
            name.strip_suffix(".txt")
                .is_some_and(|name| FILES.contains(&name)),
            "{name} is of no scene"
        );
    }
}
