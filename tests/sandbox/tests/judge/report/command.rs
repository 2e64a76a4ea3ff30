//! `--report` and `--replay` of the command: files that are written and read, and what is refused.

use std::path::PathBuf;

use harness::markup::assert_well_formed;
use serde_json::Value;

use super::page::assert_harmless;
use super::{CASES, line};
use crate::cli::{judge, text};

/// A folder of one test's own, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("report-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Runs the command and expects it to fail, with nothing printed but the error.
fn refused(arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let output = judge(arguments, input);
    assert_eq!(text(output.stdout), "");
    (output.status.code(), text(output.stderr))
}

#[test]
fn a_report_is_written_beside_its_judgement_and_replays() {
    let folder = Folder::new("written");
    for case in CASES {
        let (page, stored) = (
            folder.path(&format!("{case}.html")),
            folder.path(&format!("{case}.json")),
        );
        let with = judge(&["--report", &page], &line(case));
        assert_eq!(
            (with.status.code(), text(with.stderr)),
            (Some(0), String::new())
        );
        let with = text(with.stdout);
        assert_eq!(
            with,
            text(judge(&[], &line(case)).stdout),
            "the lines are those without a report"
        );
        assert_well_formed(&folder.read(&format!("{case}.html")));

        let again = judge(&["--replay", &stored], "");
        assert_eq!(
            (again.status.code(), text(again.stderr)),
            (Some(0), String::new())
        );
        assert_eq!(
            text(again.stdout).trim_end(),
            with.lines().last().unwrap(),
            "the verdict is the last line"
        );
    }

    assert_eq!(folder.names().len(), 2 * CASES.len());
}

#[test]
fn a_hostile_scenario_makes_a_harmless_page() {
    let folder = Folder::new("hostile");
    let id = r#"\"><script>alert(1)</script><img src=x onerror=alert(1)>"#;
    let output = judge(
        &["--report", &folder.path("a.html")],
        &line("promoted").replacen("promoted", id, 1),
    );

    assert_eq!(output.status.code(), Some(0));

    let page = folder.read("a.html");
    assert_well_formed(&page);
    assert_harmless(&page);
    assert!(
        page.contains("&#60;script&#62;alert(1)"),
        "the name is shown as it is"
    );
}

#[test]
fn a_report_is_of_one_scenario() {
    let folder = Folder::new("one");
    let page = folder.path("a.html");
    let (code, error) = refused(&["--report", &page], "\n  \n");

    assert_eq!(
        (code, &*error),
        (
            Some(1),
            "error: standard input holds no scenario; a report covers one\n"
        )
    );

    let two = format!("\n{}\n{}", line("promoted"), line("exam"));
    let (code, error) = refused(&["--report", &page], &two);
    assert_eq!(code, Some(1));
    assert_eq!(
        error,
        "error: line 4: a second scenario after that of line 2; a report covers one\n"
    );

    let (code, error) = refused(&["--report", &page], "\n{\"v\":3}\n");
    assert_eq!(code, Some(1));
    assert_eq!(
        error,
        "error: line 2: failed to read the scenario: v: found 3; expected 2\n"
    );
    assert_eq!(
        folder.names(),
        [""; 0],
        "nothing is written where nothing is judged"
    );

    // Empty lines around the one scenario are none of its business.
    assert_eq!(
        judge(&["--report", &page], &format!("\n{}\n\n", line("promoted")))
            .status
            .code(),
        Some(0)
    );
    assert_eq!(folder.names(), ["a.html", "a.json"]);
}

#[test]
fn a_file_that_cannot_be_written_or_read_is_named() {
    let folder = Folder::new("files");
    let (code, error) = refused(
        &["--report", &folder.path("no/such.html")],
        &line("promoted"),
    );

    assert_eq!(code, Some(1));
    assert!(
        error.starts_with(&format!(
            "error: failed to write {}: ",
            folder.path("no/such.json")
        )),
        "{error}"
    );

    std::fs::create_dir(folder.path("folder.html")).unwrap();
    let (code, error) = refused(
        &["--report", &folder.path("folder.html")],
        &line("promoted"),
    );
    assert_eq!(code, Some(1));
    assert!(
        error.starts_with(&format!(
            "error: failed to write {}: ",
            folder.path("folder.html")
        )),
        "{error}"
    );

    let (code, error) = refused(&["--replay", &folder.path("none.json")], "");
    assert_eq!(code, Some(1));
    assert!(
        error.starts_with(&format!(
            "error: failed to read {}: ",
            folder.path("none.json")
        )),
        "{error}"
    );
}

#[test]
fn a_scenario_beside_the_page_is_not_overwritten() {
    let folder = Folder::new("beside");
    std::fs::write(folder.path("a.json"), line("promoted")).unwrap();
    let (code, error) = refused(&["--report", &folder.path("a.html")], &line("promoted"));

    assert_eq!(code, Some(1));
    assert!(
        error.ends_with(
            "a.json: it exists and is not a judgement; choose another name for the page\n"
        ),
        "{error}"
    );
    assert_eq!(
        (folder.read("a.json"), folder.names()),
        (line("promoted"), vec!["a.json".to_owned()])
    );

    // An earlier judgement is replaced.
    for case in ["promoted", "exam"] {
        assert_eq!(
            judge(&["--report", &folder.path("b.html")], &line(case))
                .status
                .code(),
            Some(0)
        );
        assert!(
            folder
                .read("b.json")
                .contains(&format!("\"name\":\"{case}\""))
        );
    }
}

#[test]
fn a_file_that_is_not_a_judgement_is_refused_by_its_path() {
    let folder = Folder::new("foreign");
    let path = folder.path("a.json");

    for (content, expected) in [
        (
            String::new(),
            "failed to parse the judgement: EOF while parsing",
        ),
        (
            line("promoted"),
            "failed to parse the judgement: unknown field `id`",
        ),
        (
            "7".to_owned(),
            "failed to parse the judgement: invalid type",
        ),
    ] {
        std::fs::write(&path, content).unwrap();
        let (code, error) = refused(&["--replay", &path], "");
        assert_eq!(code, Some(1));
        assert!(
            error.starts_with(&format!("error: {path}: {expected}")),
            "{error}"
        );
    }
}

#[test]
fn a_replay_that_finds_another_verdict_names_what_differs() {
    let folder = Folder::new("changed");
    let page = folder.path("a.html");
    assert_eq!(
        judge(&["--report", &page], &line("rolled-back-by-errors"))
            .status
            .code(),
        Some(0)
    );

    let mut stored: Value = serde_json::from_str(&folder.read("a.json")).unwrap();
    stored["verdict"]["decision"] = "promote".into();
    stored["verdict"]["usable_minutes"] = 3.into();
    std::fs::write(folder.path("a.json"), stored.to_string()).unwrap();
    let (code, error) = refused(&["--replay", &folder.path("a.json")], "");

    assert_eq!(code, Some(1));

    let lines: Vec<&str> = error.lines().collect();
    assert!(lines[0].ends_with(
        "a.json: the replay found a different verdict; the file or the judge was changed"
    ));
    assert_eq!(
        lines[1],
        "  decision: recorded promote, judged again rollback"
    );
    assert!(
        lines[2].starts_with("  usable_minutes: recorded 3, judged again "),
        "{error}"
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_read() {
    for arguments in [
        &["--report"][..],
        &["--replay"],
        &["--report", "a.json"],
        &["--report", "a"],
        &["--report", "a.html", "--replay", "a.json"],
        &[
            "--report",
            "a.html",
            "--kayenta",
            "examples/judge/canary-config.json",
        ],
        &[
            "--replay",
            "a.json",
            "--kayenta",
            "examples/judge/canary-config.json",
        ],
    ] {
        let (code, error) = refused(arguments, "");
        assert_eq!(code, Some(2), "{arguments:?}: {error}");
    }

    let (_, error) = refused(&["--report", "a.json"], "");
    assert!(
        error.contains(
            "expected a file name that ends in .html; the judgement is written beside it"
        ),
        "{error}"
    );
}
