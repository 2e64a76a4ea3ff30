//! What ARCHITECTURE.md promises of the tree, held by looking at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use harness::demo::deployed;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the project's root")
}

/// All files with an ending below a folder of the project, with their text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                let name = path
                    .strip_prefix(root())
                    .expect("below the root")
                    .display()
                    .to_string();
                found.push((name, std::fs::read_to_string(&path).expect("a text file")));
            }
        }
    }

    assert!(!found.is_empty(), "no .{ending} file below {folder}");

    found
}

#[test]
fn only_the_aws_folder_imports_the_sdk_or_reads_the_time() {
    let sources = [files("functions", "rs"), files("shared/src", "rs")].concat();
    for (name, text) in sources
        .iter()
        .filter(|(name, _)| !name.starts_with("shared/src/aws/"))
    {
        for forbidden in [
            "aws_sdk_",
            "aws_config::",
            "aws_smithy_",
            "SystemTime::now",
            "Instant::now",
        ] {
            assert!(
                !text.contains(forbidden),
                "{name} has {forbidden}, which belongs to shared/src/aws"
            );
        }
    }
}

#[test]
fn functions_and_domain_never_sleep_draw_or_know_the_sandbox() {
    for (name, text) in [files("functions", "rs"), files("shared/src", "rs")].concat() {
        // The one timer is that of the time budget, which ends a step and never waits.
        let text = match name.as_str() {
            "shared/src/aws/sdk.rs" => {
                text.replacen("Timeout::new(work, timer.sleep(limit))", "", 1)
            }
            _ => text,
        };
        for forbidden in ["sleep(", "fastrand", "rand::", "sandbox", "emulator"] {
            assert!(!text.contains(forbidden), "{name} has `{forbidden}`");
        }
    }
}

#[test]
fn the_judge_is_a_function_of_its_arguments() {
    for (name, text) in files("shared/src/judge", "rs") {
        // What could make two judgements of the same minutes differ: clocks, threads, hash order,
        // the process, files.
        for forbidden in [
            "std::time",
            "crate::aws",
            "async ",
            "thread",
            "Hash",
            "std::env",
            "std::fs",
            "std::io",
        ] {
            assert!(!text.contains(forbidden), "{name} has `{forbidden}`");
        }
        for import in text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("use crate::"))
        {
            let inside = import.starts_with("use crate::judge::")
                || import.starts_with("use crate::limits::");
            assert!(inside, "{name} has `{import}`; the judge stands alone");
        }
    }
}

#[test]
fn a_main_only_wires() {
    for (name, text) in files("functions", "rs")
        .iter()
        .filter(|(name, _)| name.ends_with("main.rs"))
    {
        let lines = text.lines().count();
        assert!(lines <= 25, "{name} has {lines} lines");
        assert!(
            !text.contains("if ") && !text.contains("match "),
            "{name} decides"
        );
    }
}

#[test]
fn every_module_states_its_purpose() {
    for (name, text) in [
        files("cli", "rs"),
        files("functions", "rs"),
        files("shared", "rs"),
        files("tests", "rs"),
    ]
    .concat()
    {
        let is_tests = name.contains("/tests/") || name.ends_with("/tests.rs");
        assert!(
            is_tests || text.starts_with("//!"),
            "{name} does not begin with its purpose"
        );
    }
}

#[test]
fn directory_package_binary_and_template_agree() {
    let folders = std::fs::read_dir(root().join("functions")).expect("functions/");
    let folders: BTreeSet<String> = folders
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let aws = deployed(1).expect("the stacks deploy");
    let binaries: BTreeSet<String> = aws
        .lambda
        .functions
        .values()
        .map(|function| function.code.clone())
        .collect();

    assert_eq!(folders, binaries);

    for function in aws.lambda.functions.values() {
        assert_eq!(function.name, format!("slipway-{}", function.code));

        let manifest =
            std::fs::read_to_string(root().join(format!("functions/{}/Cargo.toml", function.code)))
                .expect("a manifest");
        assert!(
            manifest.contains(&format!("name = \"{}\"", function.code)),
            "{manifest}"
        );
    }
}

/// The packages of this workspace that a package is built from, as `cargo tree` shows them.
fn own_packages_in<'a>(package: &'a str, lock: &'a str) -> BTreeSet<&'a str> {
    let mut entries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in lock.split("[[package]]\n") {
        let rest = entry.strip_prefix("name = \"");
        if let Some((name, _)) = rest.and_then(|rest| rest.split_once('"')) {
            entries.entry(name).or_default().push(entry);
        }
    }

    let (mut open, mut met) = (vec![package], BTreeSet::new());
    while let Some(name) = open.pop() {
        if met.insert(name) {
            let lines = entries[name].iter().flat_map(|entry| entry.lines());
            let dependencies = lines.filter_map(|line| line.strip_prefix(" \""));
            open.extend(dependencies.filter_map(|named| named.split(['"', ' ']).next()));
        }
    }

    // Packages of a registry have a source.
    let is_own = |name: &str| entries[name].iter().any(|it| !it.contains("\nsource = "));
    met.into_iter().filter(|name| is_own(name)).collect()
}

/// What checks the product must not share its mistakes.
#[test]
fn the_emulator_and_the_invariants_do_not_know_the_product() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let own = |package| Vec::from_iter(own_packages_in(package, &lock));

    assert_eq!(own("emulator"), ["emulator"]);
    assert_eq!(own("invariants"), ["emulator", "invariants"]);
    assert!(own("harness").contains(&"slipway"));
}
