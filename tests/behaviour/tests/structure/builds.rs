//! One build of each crate for `cargo sandbox` and `cargo test`: a feature that only one of them
//! turns on would have the crate, and all that depend on it, compiled twice.

use std::collections::BTreeSet;
use std::process::Command;

use harness::demo::root;

/// The packages that cargo builds, each with its version and features.
fn built(args: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(["--format", "{p} [{f}]"])
        .args(args)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree {args:?}: {stderr}");

    let stdout = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    // A package whose dependencies are listed further up is marked: without the mark they would be
    // listed again, which makes millions of lines.
    let packages = stdout.lines();
    packages
        .map(|line| line.strip_suffix(" (*)").unwrap_or(line).to_owned())
        .collect()
}

#[test]
fn the_sandbox_and_the_tests_share_one_build_of_each_crate() {
    let sandbox = built(&["--package", "sandbox", "--edges", "normal,build"]);
    let tests = built(&["--workspace", "--edges", "normal,build,dev"]);
    assert!(sandbox.len() > 100, "{} packages", sandbox.len());

    let twice: Vec<_> = sandbox.difference(&tests).collect();
    assert!(twice.is_empty(), "built twice: {twice:#?}");
}
