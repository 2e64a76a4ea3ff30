//! Invariants 4 and 5 of many repositories and their pipelines, where nothing is released and only
//! what pushes start is looked at. Checked at the end of a run, of all of its past.
//!
//! All times are those of Amazon ECR: of its events as it emitted them, whatever became of their
//! deliveries, and of the images in its repositories. No word of a function is believed about the
//! order.

mod readings;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::ledger_reader::{claim, digest, executions, ledger, text};
use emulator::codepipeline::Execution;
use emulator::eventbridge::DeliveryOutcome;
use emulator::lambda::Outcome;
use emulator::{Aws, Millis, ecr, eventbridge};
use readings::{Rejected, Wish, rejected, unanswered, wishes};

/// How long after a rollback was recorded an invocation may still start what it had begun to
/// start.
const STARTING: Millis = 180_000;

/// What a pipeline delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub pipeline: String,
    pub repository: String,
    /// What the tags begin with that are delivered.
    pub prefix: &'static str,
    /// Whether an image must have been scanned without a critical finding.
    pub is_scanned: bool,
}

/// Everything that the checks of one pipeline need.
struct Past<'a> {
    aws: &'a Aws,
    delivered: &'a Delivered,
    wishes: Vec<Wish<'a>>,
    /// What was started with a digest, in order.
    started: Vec<&'a Execution>,
    held: Vec<ecr::Held>,
}

/// How often each invariant had something to check, over all pipelines.
///
/// # Errors
/// The invariant that does not hold, with what was found.
pub fn kept(aws: &Aws, delivered: &[Delivered]) -> Result<BTreeMap<&'static str, u64>, String> {
    let rejected = rejected(&ledger(aws));
    let unanswered = unanswered(aws);
    let mut evaluated = BTreeMap::new();
    for delivered in delivered {
        let past = Past::of(aws, delivered);
        let checked = [
            ("4 no push is lost", past.none_lost()?),
            ("4 what is not delivered starts nothing", past.all_wished()?),
            ("4 no push starts twice", past.none_twice(&unanswered)?),
            ("5 no older push replaces a newer one", past.in_order()?),
            (
                "5 what was rejected stays so",
                past.none_rejected(&rejected)?,
            ),
            ("an image passes its gate", past.all_passed()?),
        ];
        for (what, times) in checked {
            *evaluated.entry(what).or_default() += times;
        }
    }
    Ok(evaluated)
}

impl<'a> Past<'a> {
    fn of(aws: &'a Aws, delivered: &'a Delivered) -> Self {
        let started = executions(aws, &delivered.pipeline);
        let started = started.filter(|execution| digest(execution).is_some());
        Self {
            aws,
            delivered,
            wishes: wishes(aws, delivered),
            started: started.collect(),
            held: ecr::held(aws, &delivered.repository),
        }
    }

    fn claim(&self, digest: &str) -> Option<Value> {
        claim(self.aws, &self.delivered.pipeline, digest)
    }

    /// Every image that its repository has under a tag that is delivered was started, is refused
    /// with a reason, or waits for its scan; and so is what was the newest push.
    fn none_lost(&self) -> Result<u64, String> {
        let is_delivered = |tag: &String| tag.starts_with(self.delivered.prefix);
        let held = self.held.iter();
        let held = held.filter(|image| image.tags.iter().any(is_delivered));
        let newest = self.claim("newest");
        let newest = newest.as_ref().and_then(|newest| text(newest, "digest"));
        let mut checked = 0;
        for digest in held.map(|image| image.digest.as_str()).chain(newest) {
            checked += 1;
            let pipeline = &self.delivered.pipeline;
            let Some(claim) = self.claim(digest) else {
                return Err(format!(
                    "invariant 4: {pipeline} knows nothing of {digest}, which was pushed"
                ));
            };
            let refusal = text(&claim, "refusal");
            let waits = text(&claim, "waiting").is_some() && !self.is_scanned(digest);
            if text(&claim, "execution").or(refusal).is_none() && !waits {
                return Err(format!(
                    "invariant 4: {pipeline} has claimed {digest}, and nothing came of it"
                ));
            }
            if refusal.is_some_and(|reason| reason.starts_with("superseded")) {
                self.check_superseded(digest)?;
            }
        }
        Ok(checked)
    }

    /// What is recorded as superseded has a newer push beside it, or another one in its second. Of
    /// another tag than the first one only the event has the time, which may be lost.
    fn check_superseded(&self, digest: &str) -> Result<(), String> {
        let own = self.wishes.iter().filter(|wish| wish.digest == digest);
        let own = own.map(|wish| wish.time).max();
        let Some(own) = own.filter(|own| self.first_pushed(digest).as_deref() == Some(*own)) else {
            return Ok(());
        };
        let mut others = self.wishes.iter().filter(|wish| wish.digest != digest);
        if others.any(|wish| wish.time >= own) {
            return Ok(());
        }
        Err(format!(
            "invariant 4: {} has {digest} as superseded, which was pushed last, at {own}",
            self.delivered.pipeline
        ))
    }

    /// A digest is started once for each time that it got a tag; tags of one second are one push.
    /// CodePipeline may forget the token of a start whose invocation was not answered, so that such
    /// a start may be repeated.
    fn none_twice(&self, unanswered: &[Millis]) -> Result<u64, String> {
        let mut starts = BTreeMap::<&str, (usize, usize)>::new();
        for execution in &self.started {
            let Some(digest) = digest(execution) else {
                continue;
            };
            let (all, repeatable) = starts.entry(digest).or_default();
            *all += 1;
            *repeatable += usize::from(unanswered.contains(&execution.started));
        }
        for (digest, (all, repeatable)) in &starts {
            let wished = self.wishes.iter().filter(|wish| wish.digest == *digest);
            let wished = wished.map(|wish| wish.time).collect::<BTreeSet<_>>();
            let wished = wished.len();
            if *all > wished + repeatable {
                return Err(format!(
                    "invariant 4: {digest} got a tag {wished} times, and {} was started {all} \
                     times with it",
                    self.delivered.pipeline
                ));
            }
        }
        Ok(starts.len() as u64)
    }

    /// Nothing is started that never got a tag of those that are delivered, or that cannot run.
    fn all_wished(&self) -> Result<u64, String> {
        for execution in &self.started {
            match self.wish_of(execution) {
                None => {
                    return Err(format!(
                        "invariant 4: {} was started with {}, which had no tag that it delivers",
                        self.delivered.pipeline,
                        digest(execution).unwrap_or_default()
                    ));
                }
                Some(wish) if !wish.is_image => {
                    return Err(format!(
                        "invariant 4: {} was started with {}, which cannot run",
                        self.delivered.pipeline, wish.digest
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(self.started.len() as u64)
    }

    /// The last time that the digest of an execution got a tag before it was started.
    fn wish_of(&self, execution: &Execution) -> Option<&Wish<'a>> {
        let until = eventbridge::timestamp(execution.started);
        let digest = digest(execution)?;
        let mut of_digest = self.wishes.iter().filter(|wish| wish.digest == digest);
        of_digest.rfind(|wish| *wish.time <= *until)
    }

    /// No execution is of an older wish than the execution before it.
    fn in_order(&self) -> Result<u64, String> {
        for pair in self.started.windows(2) {
            let (Some(old), Some(new)) = (self.wish_of(pair[0]), self.wish_of(pair[1])) else {
                continue;
            };
            let of_old = self.known_time(old, pair[1].started);
            if new.time < of_old.as_str() || self.is_older_within_a_second(new, old) {
                return Err(format!(
                    "invariant 5: {} was started with {} of {} after {} of {of_old}",
                    self.delivered.pipeline, new.digest, new.time, old.digest
                ));
            }
        }
        Ok(self.started.len().saturating_sub(1) as u64)
    }

    /// The time of a wish as it could be known at an instant: that of the last event of the digest
    /// that an invocation had dealt with, or else when ECR has the image from.
    fn known_time(&self, wish: &Wish<'_>, at: Millis) -> String {
        let of_digest = self.wishes.iter().filter(|it| it.digest == wish.digest);
        let mut known = of_digest.filter(|it| it.time <= wish.time);
        let last = known.rfind(|it| self.is_dealt_with(it.event, at));
        last.map(|it| it.time.to_owned())
            .or_else(|| {
                let had = self.first_pushed(wish.digest);
                had.filter(|since| *since <= eventbridge::timestamp(at))
            })
            .unwrap_or_default()
    }

    /// Whether an invocation for an event had succeeded by an instant.
    fn is_dealt_with(&self, event: &str, at: Millis) -> bool {
        let deliveries = self.aws.events.deliveries.iter();
        let mut of_event = deliveries.filter(|delivery| delivery.event == event);
        of_event.any(|delivery| {
            let DeliveryOutcome::Invoked(invocation) = delivery.outcome else {
                return false;
            };
            // Invocations are in the order of their ids, from 0.
            let invocation = self.aws.lambda.invocations.get(invocation as usize);
            invocation.is_some_and(|one| {
                one.attempts.iter().any(|attempt| {
                    matches!(attempt.outcome, Some(Outcome::Succeeded(_)))
                        && attempt.ended.is_some_and(|ended| ended <= at)
                })
            })
        })
    }

    /// Since when the repository has a digest, to the second; none if it does not have it any more.
    /// An image that was deleted and pushed again has the later time.
    fn first_pushed(&self, digest: &str) -> Option<String> {
        let image = self.held.iter().find(|image| image.digest == digest)?;
        Some(eventbridge::timestamp(image.first_pushed))
    }

    /// Events have whole seconds. Of two images that came within one, each for the first time, the
    /// repository has the order; not of other tags.
    fn is_older_within_a_second(&self, new: &Wish<'_>, old: &Wish<'_>) -> bool {
        let first = |wish: &Wish<'_>| {
            let of_digest = self.wishes.iter().filter(|it| it.digest == wish.digest);
            let held = self.held.iter().find(|image| image.digest == wish.digest);
            held.filter(|_| of_digest.count() == 1)
                .map(|image| image.first_pushed)
        };
        match (first(new), first(old)) {
            (Some(first_new), Some(first_old)) => new.time == old.time && first_new < first_old,
            _ => false,
        }
    }

    /// What was rolled back is not started again.
    fn none_rejected(&self, rejected: &[Rejected]) -> Result<u64, String> {
        let mut checked = 0;
        for execution in &self.started {
            let of_digest = rejected.iter().filter(|it| {
                it.pipeline == self.delivered.pipeline
                    && Some(it.digest.as_str()) == digest(execution)
            });
            for it in of_digest {
                checked += 1;
                let until = eventbridge::timestamp(execution.started - STARTING);
                if it.at < until {
                    return Err(format!(
                        "invariant 5: {} was rolled back by {} at {}, and {} was started with it \
                         after that, as {}",
                        it.digest, it.execution, it.at, it.pipeline, execution.id
                    ));
                }
            }
        }
        Ok(checked)
    }

    /// Where images are scanned, only those without a critical finding are started.
    fn all_passed(&self) -> Result<u64, String> {
        if !self.delivered.is_scanned {
            return Ok(0);
        }
        for execution in &self.started {
            let digest = digest(execution).unwrap_or_default();
            let until = eventbridge::timestamp(execution.started);
            let last = self.scans(digest).find(|scan| *scan.0 <= *until);
            if last.is_none_or(|(_, critical)| critical > 0) {
                return Err(format!(
                    "{} was started with {digest}, which had not passed its scan",
                    self.delivered.pipeline
                ));
            }
        }
        Ok(self.started.len() as u64)
    }

    /// Whether a scan of an image has completed since it came into the repository.
    fn is_scanned(&self, digest: &str) -> bool {
        let since = self.first_pushed(digest).unwrap_or_default();
        self.scans(digest).any(|(time, _)| *time >= *since)
    }

    /// The completed scans of a digest, the last one first: when, and how many critical findings.
    fn scans(&self, digest: &str) -> impl Iterator<Item = (&'a str, u64)> {
        let events = self.aws.events.events.iter().rev();
        let scans = events.filter(move |event| {
            let detail = &event["detail"];
            event["detail-type"] == "ECR Image Scan"
                && detail["scan-status"] == "COMPLETE"
                && detail["repository-name"] == *self.delivered.repository
                && detail["image-digest"] == *digest
        });
        scans.filter_map(|event| {
            let critical = &event["detail"]["finding-severity-counts"]["CRITICAL"];
            Some((
                event["time"].as_str()?,
                critical.as_u64().unwrap_or_default(),
            ))
        })
    }
}
