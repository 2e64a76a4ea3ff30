//! `just mutants`: takes one promise after the other away and shows which test notices.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use clap::Parser;
use mutants::copy::{self, Places};
use mutants::mutation::{self, Mutation};
use mutants::outcome::{Outcome, is_as_expected, line, summary};
use mutants::suite::{self, SIMULATIONS};
use mutants::trial::Trial;

/// Takes one promise after the other away from a copy of the project and shows which test or
/// simulation notices.
///
/// Exit codes: 0 every mutation was caught or is known to survive, 1 one was not, 2 the run could
/// not be made.
#[derive(Parser)]
struct Arguments {
    /// Mutations by name; all when nothing is given.
    names: Vec<String>,
    /// Mutations of an area: the name of a file in tests/simulation/mutations.
    #[arg(long)]
    area: Vec<String>,
    /// Seeds of each simulation for what no test catches; 0 leaves the simulations out.
    #[arg(long, default_value_t = 2_000)]
    seeds: u32,
    /// Runs the simulations only.
    #[arg(long)]
    simulations_only: bool,
    /// The simulations that are run; all of them when nothing is given.
    #[arg(long, value_parser = SIMULATIONS.map(|(name, _)| name))]
    simulation: Vec<String>,
    /// How many checks run at once; as many as there are processors when not given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Checks only that all mutations fit the source and compile.
    #[arg(long)]
    check: bool,
    /// Lists the mutations and what they remove, and ends.
    #[arg(long)]
    list: bool,
}

impl Arguments {
    fn jobs(&self) -> usize {
        self.jobs
            .or_else(|| thread::available_parallelism().map(Into::into).ok())
            .unwrap_or(1)
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("mutants: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let all = mutation::read_all(&root.join("tests/simulation/mutations"))?;
    let selected = mutation::select(&all, &arguments.names, &arguments.area)?;
    if arguments.list {
        list(selected.iter().map(|&number| &all[number]));
        return Ok(true);
    }

    let began = Instant::now();
    let stage = |what: &str| println!("{:>5.0} s  {what}", began.elapsed().as_secs_f64());

    stage(&format!("building a copy with {} mutations", all.len()));
    let places = Places::below(&root.join("target"));
    copy::refresh(&root, &places, &all)?;
    if arguments.check {
        suite::check(&places.tree, &places.build)?;
        stage("all compile");
        return Ok(true);
    }

    let mut trial = Trial::new(&all, &selected, &places.build, arguments.jobs());
    run_trial(arguments, &places, &mut trial, stage)?;
    stage("done");
    conclude(trial)
}

/// Runs tests, the quick ones first, and then simulations, until each mutation is caught.
fn run_trial(
    arguments: &Arguments,
    places: &Places,
    trial: &mut Trial<'_>,
    stage: impl Fn(&str),
) -> Result<(), Box<dyn Error>> {
    if !arguments.simulations_only {
        for (target, checks) in suite::build(&places.tree, &places.build)? {
            if trial.left() > 0 {
                let (tests, left) = (checks.len(), trial.left());
                stage(&format!("{target}: {tests} tests for {left} mutations"));
                trial.run_quick(checks)?;
            }
        }
    }

    if trial.left() > 0 && trial.deferred() > 0 {
        let (tests, left) = (trial.deferred(), trial.left());
        stage(&format!("{tests} slow tests for {left} mutations"));
        trial.run_deferred()?;
    }

    if arguments.seeds > 0 && trial.left() > 0 {
        let left = trial.left();
        stage(&format!(
            "{} seeds of each simulation for {left} mutations",
            arguments.seeds
        ));
        trial.run(suite::simulations(
            &places.tree,
            &places.build,
            arguments.seeds,
            &arguments.simulation,
        )?)?;
    }
    Ok(())
}

/// Shows the outcomes, and returns whether they are as expected.
fn conclude(trial: Trial<'_>) -> Result<bool, Box<dyn Error>> {
    let failing = trial.failing().join("\n  ");
    let outcomes = trial.outcomes();
    show(&outcomes);
    if !failing.is_empty() {
        return Err(format!("these fail without any mutation:\n  {failing}").into());
    }
    Ok(is_as_expected(&outcomes))
}

fn list<'a>(mutations: impl Iterator<Item = &'a Mutation>) {
    for mutation in mutations {
        let Mutation {
            area,
            name,
            removes,
            ..
        } = mutation;
        println!("{area:<12} {name:<44} {removes}");
    }
}

/// Prints the mutations that survived, and the counts.
fn show(outcomes: &[(&Mutation, Outcome)]) {
    println!();
    let survivors = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Survived { .. }));
    for (mutation, outcome) in survivors {
        println!("{}", line(mutation, outcome));
    }
    print!("{}", summary(outcomes));
}
