//! The commands on the emulated AWS with the real functions, in virtual time: their answers by
//! value, and how the process ends.

mod acting;
mod adopting;
mod many;
mod past;
mod permissions;
mod planning;
mod reading;
mod reference;

use std::time::Duration;

use emulator::Aws;
use emulator::client::{CallFault, Invocation, sdk_config};
use harness::driver::{Driver, Fault, run};
use slipway::release::{Record, RecordState};
use slipway_cli::{Answer, Limit, Look, Session, Status};

/// How often something is looked for, every ten seconds.
const LOOKS: usize = 1_000;

/// Lets an operator act while time passes and the functions work.
pub(crate) fn operate<T>(aws: Aws, operator: impl AsyncFnOnce(Driver, Session) -> T) -> T {
    operate_as(aws, "operator", operator)
}

/// The same with a caller whose permissions count, given by the name of a function.
pub(crate) fn operate_as<T>(
    aws: Aws,
    caller: &str,
    operator: impl AsyncFnOnce(Driver, Session) -> T,
) -> T {
    run(aws, Fault::None, async |driver| {
        let invocation = Invocation::new(caller, CallFault::None);
        let config = sdk_config(&driver.world, invocation);
        let acting = driver.clone();
        let work = Box::pin(async {
            let session = Session::open(config, "slipway").await;
            operator(acting, session.expect("the stack is there")).await
        });
        tokio::select! {
            biased;
            answer = work => answer,
            () = driver.forever(|_| ()) => unreachable!("time passes without end"),
        }
    })
}

/// Pushes an image; returns its digest.
pub(crate) fn status(service: Option<&str>) -> Status {
    Status {
        service: service.map(ToOwned::to_owned),
        watch: false,
        every: 5,
        limit: Limit { timeout: 120 },
    }
}

pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The record of the last release of a digest, once it is closed.
pub(crate) async fn closed(session: &Session, digest: &str) -> Record {
    for _ in 0..LOOKS {
        let found = session.ledger().of_digest(digest).await.expect("a search");
        let last = found.records.into_iter().next_back();
        if let Some(record) = last.filter(|record| record.state == RecordState::Closed) {
            return record;
        }
        pass(Duration::from_secs(10)).await;
    }
    panic!("the release of {digest} does not end");
}

/// The rows of an answer in a pipe, each with its fields.
pub(crate) fn rows(answer: &Answer) -> Vec<Vec<String>> {
    let text = answer.text(Look::Pipe);
    let fields = |line: &str| line.split('\t').map(ToOwned::to_owned).collect();
    text.lines().map(fields).collect()
}

/// The value of a named field of an answer.
pub(crate) fn field(answer: &Answer, name: &str) -> String {
    let mut rows = rows(answer).into_iter();
    let found = rows.find(|row| row.len() == 2 && row[0] == name);
    found.map(|row| row[1].clone()).unwrap_or_default()
}
