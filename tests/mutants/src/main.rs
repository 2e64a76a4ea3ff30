//! `just mutants`: takes one promise after the other away and shows which test notices.

use std::collections::VecDeque;
use std::error::Error;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use mutants::copy::{self, Places};
use mutants::mutation::{self, Mutation};
use mutants::outcome::{Outcome, is_as_expected, line, summary};
use mutants::suite::{self, Check, SuiteResult};

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
    /// How many checks run at once; as many as there are processors when not given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Lists the mutations and what they remove, and ends.
    #[arg(long)]
    list: bool,
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

    let jobs = arguments
        .jobs
        .or_else(|| thread::available_parallelism().map(Into::into).ok())
        .unwrap_or(1);
    let began = Instant::now();
    let stage = |what: &str| println!("{:>5.0} s  {what}", began.elapsed().as_secs_f64());

    stage(&format!("building a copy with {} mutations", all.len()));
    let places = Places::below(&root.join("target"));
    copy::refresh(&root, &places, &all)?;
    let mut checks = suite::build(&places.tree, &places.build)?;
    if arguments.simulations_only {
        checks.clear();
    }
    let mut simulations = match arguments.seeds {
        0 => Vec::new(),
        seeds => suite::simulations(&places.tree, &places.build, seeds)?,
    };

    stage(&format!(
        "running {} tests without a mutation",
        checks.len()
    ));
    measure(&mut checks, &places, jobs)?;
    measure(&mut simulations, &places, jobs)?;
    checks.sort_by_key(|check| check.took);
    checks.extend(simulations);

    stage(&format!("trying {} mutations", selected.len()));
    let outcomes = try_all(&all, &selected, &checks, jobs)?;
    stage("done");
    show(&outcomes);
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

/// Learns how long each check takes and what it reaches. All of them must pass.
fn measure(checks: &mut [Check], places: &Places, jobs: usize) -> Result<(), Box<dyn Error>> {
    let queue = Mutex::new(checks.iter_mut().collect::<VecDeque<_>>());
    let failed = Mutex::new(Vec::new());
    let work = |job: usize| -> Result<(), suite::SuiteError> {
        let log: PathBuf = places.build.join(format!("reached-{job}"));
        loop {
            let next = queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(check) = next else { return Ok(()) };
            if check.measure(&log)? != SuiteResult::Passed {
                failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(check.name.clone());
            }
        }
    };

    in_parallel(jobs, work)?;
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failed.is_empty() {
        return Ok(());
    }

    Err(format!(
        "these fail without any mutation:\n  {}",
        failed.join("\n  ")
    )
    .into())
}

fn try_all<'a>(
    all: &'a [Mutation],
    selected: &[usize],
    checks: &[Check],
    jobs: usize,
) -> Result<Vec<(&'a Mutation, Outcome)>, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let work = |_| -> Result<(), suite::SuiteError> {
        while let Some(&number) = selected.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = try_one(number, checks)?;
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push((number, outcome.clone()));
            let count = if std::io::stdout().is_terminal() {
                format!("{:>4} of {}  ", outcomes.len(), selected.len())
            } else {
                String::new()
            };
            println!("{count}{}", line(&all[number], &outcome));
        }
        Ok(())
    };
    in_parallel(jobs, work)?;

    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(number, _)| *number);

    Ok(outcomes
        .into_iter()
        .map(|(number, outcome)| (&all[number], outcome))
        .collect())
}

/// Runs the checks that reach a mutation, in their order, until one fails.
fn try_one(number: usize, checks: &[Check]) -> Result<Outcome, suite::SuiteError> {
    let began = Instant::now();
    let mut tried = 0;
    for check in checks
        .iter()
        .filter(|check| check.reached.contains(&number))
    {
        tried += 1;
        let after = |began: Instant| -> Duration { began.elapsed() };
        match check.against(number)? {
            SuiteResult::Passed => {}
            SuiteResult::Failed => {
                return Ok(Outcome::Caught {
                    by: check.name.clone(),
                    after: after(began),
                });
            }
            SuiteResult::TimedOut => {
                let by = format!("{} (does not end)", check.name);
                return Ok(Outcome::Caught {
                    by,
                    after: after(began),
                });
            }
        }
    }
    Ok(Outcome::Survived { checks: tried })
}

fn in_parallel<E: Error + Send + 'static>(
    jobs: usize,
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), Box<dyn Error>> {
    let results: Vec<Result<(), E>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1))
            .map(|job| {
                scope.spawn({
                    let work = &work;
                    move || work(job)
                })
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok())
            .collect()
    });
    for result in results {
        result?;
    }
    Ok(())
}
