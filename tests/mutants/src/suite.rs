//! The tests and simulations that the mutations are run against.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;
use wait_timeout::ChildExt;

/// Read the tree instead of running it: the copy is not the tree that they describe.
const LEFT_OUT: [&str; 2] = ["architecture", "structure"];

/// Packages whose tests run nothing of Slipway.
const WITHOUT_SLIPWAY: [&str; 3] = ["emulator", "invariants", "mutants"];

/// Targets whose tests take seconds each, in their order: for what the others let through.
const LAST: [&str; 15] = [
    "custom_actions",
    "freeze",
    "promotion",
    "accounts",
    "adoption",
    "calls",
    "dns",
    "blue_green",
    "canary",
    "rollback_points",
    "permissions",
    "faults",
    "simulation",
    "many_pushes",
    "demo",
];

/// Longest time that a check may take beyond ten times what it takes without a mutation.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the checks cannot be run.
#[derive(Debug, Error)]
pub enum SuiteError {
    #[error("failed to run {program}")]
    Run { program: String, source: io::Error },
    #[error("the copy does not build:\n{0}")]
    Build(String),
    #[error("{0} did not list its tests")]
    List(String),
}

/// Something that passes without a mutation and should fail with it.
#[derive(Clone, Debug)]
pub struct Check {
    /// Package, target and test, or the simulation.
    pub name: String,
    program: PathBuf,
    arguments: Vec<String>,
    directory: PathBuf,
    /// How long it took without a mutation, and which mutations it reached.
    pub took: Duration,
    pub reached: BTreeSet<usize>,
}

/// The result of running a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteResult {
    Passed,
    Failed,
    TimedOut,
}

/// Checks that the copy compiles, without building it.
///
/// # Errors
/// What does not compile.
pub fn check(tree: &Path, target: &Path) -> Result<(), SuiteError> {
    let mut cargo = cargo(tree, target);
    cargo.args(["check", "--workspace", "--message-format", "json"]);
    cargo.args(WITHOUT_SLIPWAY.map(|package| format!("--exclude={package}")));
    build_with(&mut cargo).map(|_| ())
}

/// Builds all tests of the copy, and lists them by target, in the order in which they are run.
///
/// # Errors
/// What does not build.
pub fn build(tree: &Path, target: &Path) -> Result<Vec<(String, Vec<Check>)>, SuiteError> {
    let built = build_with(
        cargo(tree, target)
            .args([
                "test",
                "--workspace",
                "--no-run",
                "--message-format",
                "json",
            ])
            .args(WITHOUT_SLIPWAY.map(|package| format!("--exclude={package}"))),
    )?;

    let mut targets = Vec::new();
    for line in String::from_utf8_lossy(&built).lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        let target = &message["target"];
        if message["profile"]["test"] == true
            && let Some(program) = message["executable"].as_str()
            && let Some(name) = target["name"].as_str()
            && !LEFT_OUT.contains(&name)
        {
            let is_unit_test = target["kind"][0] != "test";
            let last = LAST.iter().position(|late| *late == name);
            let checks = tests_of(name, &message, Path::new(program))?;
            targets.push(((last, !is_unit_test), name.to_owned(), checks));
        }
    }

    targets.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    targets.retain(|(_, _, checks)| !checks.is_empty());
    Ok(targets
        .into_iter()
        .map(|(_, name, checks)| (name, checks))
        .collect())
}

/// Runs cargo, and gives what it wrote to its standard output.
fn build_with(cargo: &mut Command) -> Result<Vec<u8>, SuiteError> {
    let built = cargo.output().map_err(|source| SuiteError::Run {
        program: "cargo".to_owned(),
        source,
    })?;
    if !built.status.success() {
        return Err(SuiteError::Build(complaints(&built.stdout, &built.stderr)));
    }
    Ok(built.stdout)
}

fn tests_of(target: &str, message: &Value, program: &Path) -> Result<Vec<Check>, SuiteError> {
    let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
    let directory = manifest.parent().unwrap_or(Path::new(".")).to_owned();
    let listed = Command::new(program)
        .args(["--list", "--format", "terse"])
        .current_dir(&directory)
        .output()
        .map_err(|source| SuiteError::Run {
            program: program.display().to_string(),
            source,
        })?;
    if !listed.status.success() {
        return Err(SuiteError::List(program.display().to_string()));
    }

    let names = String::from_utf8_lossy(&listed.stdout);
    let tests = names.lines().filter_map(|line| line.strip_suffix(": test"));

    Ok(tests
        .map(|test| Check {
            name: format!("{target} {test}"),
            program: program.to_owned(),
            arguments: vec!["--exact".to_owned(), test.to_owned()],
            directory: directory.clone(),
            took: Duration::ZERO,
            reached: BTreeSet::new(),
        })
        .collect())
}

/// The simulations, each with its further arguments: of releases, of pushes, and of releases by
/// canary.
pub const SIMULATIONS: [(&str, &[&str]); 3] = [
    ("releases", &[]),
    ("pushes", &["--scenario", "pushes"]),
    ("canaries", &["--canaries"]),
];

/// The simulations of these names, or all of them, with this many seeds. They are built in the
/// profile for long simulations, in which they run several times faster than the tests.
///
/// # Errors
/// What does not build.
pub fn simulations(
    tree: &Path,
    target: &Path,
    seeds: u32,
    names: &[String],
) -> Result<Vec<Check>, SuiteError> {
    build_with(
        cargo(tree, target)
            .args(["build", "--profile", "simulation", "--package", "sandbox"])
            .args(["--message-format", "json"]),
    )?;

    let of = |name: &str, more: &[&str]| Check {
        name: format!("simulation of {name}"),
        program: target.join("simulation/sandbox"),
        arguments: ["simulate", "--seeds", &seeds.to_string(), "--first"]
            .iter()
            .chain(more)
            .map(ToString::to_string)
            .collect(),
        directory: tree.to_owned(),
        took: Duration::ZERO,
        reached: BTreeSet::new(),
    };
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|it| it == name);
    let wanted = SIMULATIONS.iter().filter(|(name, _)| is_wanted(name));
    Ok(wanted.map(|(name, more)| of(name, more)).collect())
}

impl Check {
    /// Runs it without a mutation, to learn how long it takes and what it reaches.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn measure(&mut self, log: &Path) -> Result<SuiteResult, SuiteError> {
        let _ = fs::remove_file(log);
        let began = Instant::now();
        let mut command = self.command();
        command.env("SLIPWAY_MUTANTS_REACHED", log);
        let result = self.run(command, Duration::from_secs(600))?;
        self.took = began.elapsed();

        let reached = fs::read_to_string(log).unwrap_or_default();
        self.reached = reached
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        Ok(result)
    }

    /// Runs it with a mutation.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn against(&self, mutation: usize) -> Result<SuiteResult, SuiteError> {
        let mut command = self.command();
        command.env("SLIPWAY_MUTANT", mutation.to_string());
        self.run(command, self.took * 10 + PATIENCE)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env("CARGO_MANIFEST_DIR", &self.directory);
        command
            .env_remove("SLIPWAY_MUTANT")
            .env_remove("SLIPWAY_MUTANTS_REACHED");

        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run(&self, mut command: Command, limit: Duration) -> Result<SuiteResult, SuiteError> {
        let failed = |source| SuiteError::Run {
            program: self.name.clone(),
            source,
        };
        let mut child = command.spawn().map_err(failed)?;
        match child.wait_timeout(limit).map_err(failed)? {
            Some(status) if status.success() => Ok(SuiteResult::Passed),
            Some(_) => Ok(SuiteResult::Failed),
            None => {
                child.kill().map_err(failed)?;
                child.wait().map_err(failed)?;
                Ok(SuiteResult::TimedOut)
            }
        }
    }
}

fn cargo(tree: &Path, target: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null());
    command
}

/// What the compiler refused, in its own words.
fn complaints(messages: &[u8], log: &[u8]) -> String {
    let messages = String::from_utf8_lossy(messages);
    let errors: Vec<String> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["message"]["level"] == "error")
        .filter_map(|message| {
            message["message"]["rendered"]
                .as_str()
                .map(ToOwned::to_owned)
        })
        .collect();

    if errors.is_empty() {
        String::from_utf8_lossy(log).into_owned()
    } else {
        errors.join("\n")
    }
}
