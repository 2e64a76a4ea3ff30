//! The account of a run: the functions from the project's own template, and repositories with a
//! pipeline each, of which a first push is recorded.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use emulator::ecr::{Scan, Scanner};
use emulator::{Aws, ecr};
use harness::driver::{Fault, run};
use invariants::deliveries::Delivered;
use invariants::ledger_reader::digest;

use super::image::{self, Content, Pushed};
use super::plan::is_scanned;
use crate::delivery::{self, PREFIX};

/// What the functions may do besides, to start pipelines and to read images.
const ACTIONS: [&str; 4] = [
    "codepipeline:StartPipelineExecution",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:DescribeImageScanFindings",
];
/// Longest that the first pushes may take, in virtual time.
const LIMIT: Duration = Duration::from_secs(600);

/// An account in which each pipeline has been started once.
#[derive(Clone, Debug)]
pub struct Started {
    pub aws: Aws,
    pub delivered: Vec<Delivered>,
    /// What was pushed to each repository.
    pub(super) pushed: Vec<Vec<Pushed>>,
}

/// The account with this many repositories. The same every time.
///
/// # Errors
/// What a template or a service refused.
pub fn started(repositories: usize) -> Result<Started, String> {
    static ACCOUNTS: Mutex<BTreeMap<usize, Started>> = Mutex::new(BTreeMap::new());

    let mut accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = accounts.get(&repositories) {
        return Ok(known.clone());
    }
    let made = made(repositories)?;
    accounts.insert(repositories, made.clone());
    Ok(made)
}

fn made(repositories: usize) -> Result<Started, String> {
    let mut aws = delivery::account(repositories as u64, &ACTIONS)?;
    let mut delivered = Vec::new();
    for number in 0..repositories {
        let one = delivered_of(number);
        delivery::make_repository(&mut aws, &one)?;
        delivery::make_pipeline(&mut aws, &one, &[])?;
        delivery::subscribe(&mut aws, &one)?;
        delivered.push(one);
    }
    run(aws, Fault::None, async |driver| {
        let mut pushed = Vec::new();
        for (number, one) in (0..).zip(&delivered) {
            pushed.push(vec![push_first(&mut driver.world.aws(), one, number)?]);
        }
        driver.world.touch();
        let are_started = |aws: &Aws| {
            let executions = aws.codepipeline.executions.iter();
            executions.filter(|it| digest(it).is_some()).count() == repositories
        };
        driver.until(LIMIT, &mut |_| Ok(()), are_started).await?;
        Ok(Started {
            aws: driver.world.snapshot(),
            delivered,
            pushed,
        })
    })
}

/// A third of the repositories are scanned.
fn delivered_of(number: usize) -> Delivered {
    Delivered {
        pipeline: format!("service-{number}"),
        repository: format!("team/service-{number}"),
        prefix: PREFIX,
        is_scanned: is_scanned(number),
    }
}

/// The first push, without which a sweep starts nothing. It has passed its scan.
fn push_first(aws: &mut Aws, one: &Delivered, number: u64) -> Result<Pushed, String> {
    let tag = format!("{PREFIX}0.0.0");
    let pushed = image::push(aws, &one.repository, &tag, Content::Image, number)?;
    scan(aws, &one.repository, &pushed.digest, false)?;
    Ok(pushed)
}

/// A scan of an image ends.
pub(super) fn scan(
    aws: &mut Aws,
    repository: &str,
    digest: &str,
    is_critical: bool,
) -> Result<(), String> {
    let found = is_critical.then(|| ("CVE-2026-0001".to_owned(), "CRITICAL"));
    let scan = Scan {
        scanner: Scanner::Basic,
        status: "COMPLETE",
        completed: Some(aws.now),
        findings: found.into_iter().collect(),
    };
    ecr::set_scan(aws, repository, digest, scan).map_err(|error| error.to_string())
}
