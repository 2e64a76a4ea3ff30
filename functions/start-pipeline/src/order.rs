//! The order of pushes: an older push never replaces a newer one, in whatever order their events
//! arrive, are delivered again, or are throttled.
//!
//! It never orders by the arrival of an event: only by the time at which Amazon ECR took the push.

use slipway::aws::Retry;
use slipway::events::{PushedImage, Subscription};
use slipway::image::short_digest;
use slipway::release::{KnownPushes, NewestPush, Push, PushOrder};
use slipway::timestamp::Timestamp;

use crate::delivery::Delivery;
use crate::{StartPipeline, claim_of, may_be_starting};

/// A push, or the later one of its digest that waits or that no invocation went on with: the
/// events of two tags come in any order, and what was pushed between them replaces the earlier one.
pub(crate) fn latest(push: &PushedImage, claim: Option<&Push>) -> PushedImage {
    let later = claim.filter(|claim| claim.is_undecided_after(push.pushed_at));
    let Some(later) = later else {
        return push.clone();
    };
    PushedImage {
        event: later.event.clone(),
        pushed_at: later.pushed_at.unwrap_or(push.pushed_at),
        tag: later.tag.clone().or_else(|| push.tag.clone()),
        ..push.clone()
    }
}

impl StartPipeline {
    /// The newest push of the pipeline, if this one is older. Looks again while an invocation may
    /// be starting the pipeline with an older one, whose execution would come after this one's.
    pub(crate) async fn newer<'a>(
        &self,
        known: &'a KnownPushes,
        push: &PushedImage,
        now: Timestamp,
    ) -> Result<Option<&'a NewestPush>, Retry> {
        let Some(newest) = &known.newest else {
            return Ok(None);
        };
        if self.is_older(push, newest).await? {
            return Ok(Some(newest));
        }

        if newest.may_be_restarting(now) {
            return Err(may_be_starting(newest.starting()));
        }
        if newest.digest != push.digest && newest.may_be_starting(now) {
            let claim = self.ledger.push(&newest.pipeline, &newest.digest).await?;
            if claim.is_some_and(|claim| claim.may_be_starting(now)) {
                return Err(may_be_starting(&newest.digest));
            }
        }
        Ok(None)
    }

    /// Whether a push is older than another one. Within one second those that came into the
    /// repository first are: what only got another tag is no newer there.
    async fn is_older(&self, push: &PushedImage, newest: &NewestPush) -> Result<bool, Retry> {
        match newest.compare(&push.digest, push.pushed_at) {
            PushOrder::Newer => Ok(false),
            PushOrder::Older => Ok(true),
            PushOrder::SameSecond => {
                let repository = &push.repository;
                let own = self.images.first_pushed_at(repository, &push.digest);
                let own = own.await?;
                let other = self.images.first_pushed_at(repository, &newest.digest);
                Ok(own < other.await?)
            }
        }
    }

    /// Records that a newer push takes the place of this one.
    pub(crate) async fn supersede(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        known: &KnownPushes,
        newer: &NewestPush,
    ) -> Result<Delivery, Retry> {
        let claim = known.claim.as_ref();
        if let Some(execution) = claim.and_then(|claim| claim.execution.as_ref()) {
            let execution = execution.clone();
            return Ok(Delivery::Known { execution });
        }

        let reason = format!(
            "superseded: {} was pushed at {}, and this digest at {}",
            short_digest(&newer.digest),
            newer.pushed_at,
            push.pushed_at
        );
        let superseded = claim_of(subscription, push, self.sdk.now());
        self.refuse_over(claim, superseded, &reason).await
    }

    /// Another tag of the newest digest, which its execution delivers: what was pushed between the
    /// two is older.
    pub(crate) async fn renew(&self, known: &KnownPushes, push: &PushedImage) -> Result<(), Retry> {
        let (Some(claim), Some(newest)) = (&known.claim, &known.newest) else {
            return Ok(());
        };
        if newest.is_renewed_by(&push.digest, push.pushed_at) {
            // This write would let the next push overtake that start.
            if newest.may_be_restarting(self.sdk.now()) {
                return Err(may_be_starting(newest.starting()));
            }
            self.become_newest(known, push, claim).await?;
        }
        Ok(())
    }

    /// Makes a claimed push the newest one of its pipeline, unless another one came in between.
    pub(crate) async fn become_newest(
        &self,
        known: &KnownPushes,
        push: &PushedImage,
        claim: &Push,
    ) -> Result<(), Retry> {
        let before = known.newest.as_ref();
        let pushed_at = before.map_or(push.pushed_at, |it| it.pushed_at.max(push.pushed_at));
        let newest = NewestPush {
            v: claim.v,
            pipeline: claim.pipeline.clone(),
            digest: push.digest.clone(),
            event: push.event.clone(),
            pushed_at,
            claimed_at: claim.claimed_at,
            restarting: None,
        };
        if self.ledger.put_newest_push(before, &newest).await? {
            return Ok(());
        }
        Err("another invocation claimed another push at the same moment; retrying".into())
    }
}
