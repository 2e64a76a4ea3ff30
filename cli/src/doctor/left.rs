//! Open releases whose executions have ended. The sweep looks at each of them every minute, and
//! closes it, rolls it back, or notes what it waits for. One that stays as it was shows that no
//! sweep runs, also where the functions' stack has no alarm.

use std::time::Duration;

use slipway::aws::{Executions, Listing, Pipelines};
use slipway::job::Origin;
use slipway::release::Release;
use slipway::timestamp::readable;

use super::{Check, State};
use crate::wait::GOING;
use crate::{Failed, Session};

const NAME: &str = "ended executions";

/// How long the end of an execution may be ago until its release is taken for left. Ours: ten
/// sweeps.
const LATEST: Duration = Duration::from_secs(10 * 60);

/// How many executions are looked at, with two calls each.
const EXECUTIONS: usize = 12;

/// An execution whose release is open, or has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open<'a> {
    pipeline: &'a str,
    execution: &'a str,
}

pub(super) async fn checks(session: &Session, listing: &Listing) -> Result<Vec<Check>, Failed> {
    let mut checks = Vec::new();
    let unseen = unseen(listing);
    for open in unseen.iter().take(EXECUTIONS) {
        checks.extend(left(session, *open).await?);
    }
    if checks.is_empty() {
        checks.push(Check {
            state: State::Ok,
            name: NAME,
            found: none_left(unseen.len()),
        });
    }
    Ok(checks)
}

/// What is known if none of the executions that were looked at has left its release.
fn none_left(count: usize) -> String {
    if count > EXECUTIONS {
        format!("none of {EXECUTIONS} that were looked at, of {count}, has left its release open")
    } else {
        "none has left its release open".to_owned()
    }
}

/// The executions of which the ledger has no trace that a sweep saw their end.
fn unseen(listing: &Listing) -> Vec<Open<'_>> {
    let begun = listing.leases.iter();
    let begun = begun.filter_map(|lease| lease.release.as_ref());
    let begun = begun.filter(|release| is_unseen(release));
    let begun = begun.map(|release| Open {
        pipeline: &release.pipeline,
        execution: &release.execution,
    });
    let started = listing.started.iter();
    let started = started.filter(|mark| mark.unread_since.is_none());
    let started = started.map(|mark| Open {
        pipeline: &mark.pipeline,
        execution: &mark.execution,
    });
    begun.chain(started).collect()
}

/// A release that was begun by hand has no execution.
fn is_unseen(release: &Release) -> bool {
    let noted = [
        release.succeeded_at,
        release.role_refused_since,
        release.unread_since,
    ];
    release.origin != Some(Origin::Operator)
        && !release.is_rolling_back()
        && noted.iter().all(Option::is_none)
}

/// The check of an execution that ended without an end of its release.
async fn left(session: &Session, open: Open<'_>) -> Result<Option<Check>, Failed> {
    let Open {
        pipeline,
        execution,
    } = open;
    let executions = Executions::new(&session.sdk);
    let status = executions.status(pipeline, execution).await?;
    let Some(status) = status.filter(|it| !GOING.contains(&it.as_str())) else {
        return Ok(None);
    };
    let runs = Pipelines::new(&session.sdk)
        .runs(pipeline, execution)
        .await?;
    let Some(ended) = runs.iter().filter_map(|run| run.ended_at).max() else {
        return Ok(None);
    };

    let ago = session.sdk.now().since(ended);
    Ok((ago >= LATEST).then(|| Check {
        state: State::Ng,
        name: NAME,
        found: format!(
            "execution {execution} of {pipeline} ended {status} {} ago, and its release is open: \
             no sweep has seen it; the log of roll-back and its rule in EventBridge have why",
            readable(ago)
        ),
    }))
}

#[cfg(test)]
mod tests {
    use slipway::release::Lease;
    use slipway::timestamp::Timestamp;

    use super::*;

    fn lease(change: fn(&mut Release, Timestamp)) -> Lease {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let mut release = Release::begin("e-1", "slipway-web", None, now);
        change(&mut release, now);
        Lease {
            release: Some(release),
            ..Lease::unwritten("apps", "web")
        }
    }

    #[test]
    fn what_a_sweep_has_noted_or_does_not_look_at_is_not_left() {
        let listing = |change: fn(&mut Release, Timestamp)| Listing {
            leases: vec![lease(change)],
            ..Listing::default()
        };
        let open = Open {
            pipeline: "slipway-web",
            execution: "e-1",
        };
        assert_eq!(unseen(&listing(|_, _| {})), [open]);

        let seen: [fn(&mut Release, Timestamp); 4] = [
            |release, now| release.succeeded_at = Some(now),
            |release, now| release.unread_since = Some(now),
            |release, now| release.role_refused_since = Some(now),
            |release, _| release.origin = Some(Origin::Operator),
        ];
        for change in seen {
            assert!(unseen(&listing(change)).is_empty());
        }
    }

    #[test]
    fn what_was_not_looked_at_is_not_called_good() {
        assert_eq!(none_left(EXECUTIONS), "none has left its release open");
        let more = "none of 12 that were looked at, of 13, has left its release open";
        assert_eq!(none_left(EXECUTIONS + 1), more);
    }
}
