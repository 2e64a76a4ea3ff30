//! Mutations against checks: which of them fails first.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, thread};

use crate::mutation::Mutation;
use crate::outcome::{Outcome, line};
use crate::suite::{Check, SuiteError, SuiteResult};

/// Tests that take longer are left until all others have run: few mutations are left for them then.
const QUICK: Duration = Duration::from_secs(4);

/// The mutations that are tried, and what became of each so far.
pub struct Trial<'a> {
    all: &'a [Mutation],
    /// By the number of the mutation. Those that survived so far meet the next checks.
    outcomes: BTreeMap<usize, Outcome>,
    /// Where the checks write what they reach.
    logs: &'a Path,
    jobs: usize,
    /// Checks that are not quick, for what the quick ones let through.
    deferred: Vec<Check>,
    /// The names of checks that fail without a mutation. They are not run against any.
    failing: Vec<String>,
}

impl<'a> Trial<'a> {
    /// `selected` are numbers of mutations; this many checks run at once.
    #[must_use]
    pub fn new(all: &'a [Mutation], selected: &[usize], logs: &'a Path, jobs: usize) -> Self {
        let untried = |&number: &usize| (number, Outcome::Survived { checks: 0 });
        Self {
            all,
            outcomes: selected.iter().map(untried).collect(),
            logs,
            jobs,
            deferred: Vec::new(),
            failing: Vec::new(),
        }
    }

    /// How many mutations no check caught so far.
    #[must_use]
    pub fn left(&self) -> usize {
        self.survivors().count()
    }

    fn survivors(&self) -> impl Iterator<Item = (usize, usize)> {
        self.outcomes
            .iter()
            .filter_map(|(&number, outcome)| match outcome {
                Outcome::Survived { checks } => Some((number, *checks)),
                Outcome::Caught { .. } => None,
            })
    }

    /// Runs the checks without a mutation, to learn what each of them reaches and how long it
    /// takes, and then with each mutation that is left, the quickest first.
    ///
    /// # Errors
    /// When a check cannot be started.
    pub fn run(&mut self, mut checks: Vec<Check>) -> Result<(), Box<dyn Error>> {
        self.measure(&mut checks)?;
        self.attempt(checks)
    }

    /// Like [`Self::run`], but leaves the checks that are not quick to [`Self::run_deferred`].
    ///
    /// # Errors
    /// When a check cannot be started.
    pub fn run_quick(&mut self, mut checks: Vec<Check>) -> Result<(), Box<dyn Error>> {
        self.measure(&mut checks)?;
        let (quick, slow) = checks.into_iter().partition(|check| check.took <= QUICK);
        self.deferred.extend::<Vec<Check>>(slow);
        self.attempt(quick)
    }

    /// The names of the checks that failed without a mutation.
    #[must_use]
    pub fn failing(&self) -> &[String] {
        &self.failing
    }

    /// How many checks were deferred.
    #[must_use]
    pub fn deferred(&self) -> usize {
        self.deferred.len()
    }

    /// Runs the checks that were deferred.
    ///
    /// # Errors
    /// When a check cannot be started.
    pub fn run_deferred(&mut self) -> Result<(), Box<dyn Error>> {
        let checks = mem::take(&mut self.deferred);
        self.attempt(checks)
    }

    fn attempt(&mut self, mut checks: Vec<Check>) -> Result<(), Box<dyn Error>> {
        checks.sort_by_key(|check| check.took);

        let left: Vec<(usize, usize)> = self.survivors().collect();
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(&mut self.outcomes);
        let all = self.all;
        let work = |_| -> Result<(), SuiteError> {
            while let Some(&(number, before)) = left.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = try_one(number, before, &checks)?;
                if matches!(outcome, Outcome::Caught { .. }) {
                    println!("{}", line(&all[number], &outcome));
                }
                let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                outcomes.insert(number, outcome);
            }
            Ok(())
        };
        in_parallel(self.jobs, work)
    }

    /// Learns how long each check takes and what it reaches. Those that fail are set aside.
    fn measure(&mut self, checks: &mut Vec<Check>) -> Result<(), Box<dyn Error>> {
        let queue = Mutex::new(checks.iter_mut().collect::<VecDeque<_>>());
        let failed = Mutex::new(Vec::new());
        let work = |job: usize| -> Result<(), SuiteError> {
            let log: PathBuf = self.logs.join(format!("reached-{job}"));
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

        in_parallel(self.jobs, work)?;
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        for name in &failed {
            println!("fails without any mutation: {name}");
        }
        checks.retain(|check| !failed.contains(&check.name));
        self.failing.extend(failed);
        Ok(())
    }

    /// What became of each mutation.
    #[must_use]
    pub fn outcomes(self) -> Vec<(&'a Mutation, Outcome)> {
        let all = self.all;
        self.outcomes
            .into_iter()
            .map(|(number, outcome)| (&all[number], outcome))
            .collect()
    }
}

/// Runs the checks that reach a mutation, in their order, until one fails. This many checks passed
/// before.
fn try_one(number: usize, before: usize, checks: &[Check]) -> Result<Outcome, SuiteError> {
    let began = Instant::now();
    let mut passed = before;
    for check in checks
        .iter()
        .filter(|check| check.reached.contains(&number))
    {
        let by = match check.against(number)? {
            SuiteResult::Passed => {
                passed += 1;
                continue;
            }
            SuiteResult::Failed => check.name.clone(),
            SuiteResult::TimedOut => format!("{} (does not end)", check.name),
        };
        return Ok(Outcome::Caught {
            by,
            after: began.elapsed(),
        });
    }
    Ok(Outcome::Survived { checks: passed })
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
