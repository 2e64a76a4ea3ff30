//! The gate of images: one that a push starts is not too old, is built for the tasks, and its scan
//! has few findings. It is checked last, so that nothing is read for a push that a newer one
//! replaces.
//!
//! Nothing is read for a pipeline without a gate.

use slipway::aws::{Retry, Scans, Signatures};
use slipway::events::{ImageDecision, ImageGate, PushedImage, Subscription};
use slipway::release::{KnownPushes, Push};
use slipway::timestamp::Timestamp;

use crate::delivery::Delivery;
use crate::{StartPipeline, claim_of, lost_race};

impl StartPipeline {
    /// Starts the pipeline with an image that passes its gate.
    pub(crate) async fn start_through_gate(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        known: &KnownPushes,
        now: Timestamp,
    ) -> Result<Delivery, Retry> {
        match self.gate_decision(subscription, push, now).await? {
            ImageDecision::Pass => self.claim_and_start(subscription, push, known, now).await,
            ImageDecision::Wait(reason) => {
                let waiting = Push {
                    waiting: Some(reason),
                    ..claim_of(subscription, push, now)
                };
                self.wait(push, known, &waiting).await
            }
            ImageDecision::Refuse(reason) => self.refuse(subscription, push, known, reason).await,
        }
    }

    async fn gate_decision(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        now: Timestamp,
    ) -> Result<ImageDecision, Retry> {
        let gate = &subscription.image_gate;
        if !gate.is_set() {
            return Ok(ImageDecision::Pass);
        }

        // An image that is not in the repository any more is as old as its push.
        let (repository, digest) = (&push.repository, &push.digest);
        let millis = self.images.first_pushed_at(repository, digest).await?;
        let first = millis.and_then(|it| Timestamp::from_secs(it.div_euclid(1_000)).ok());
        let first = first.unwrap_or(push.pushed_at);
        if let Some(reason) = gate.why_too_old(first, now) {
            return Ok(ImageDecision::Refuse(reason));
        }
        if let Some(reason) = self.why_not_built(gate, push).await? {
            return Ok(ImageDecision::Refuse(reason));
        }
        if gate.needs_signature() {
            let signatures = Signatures::new(&self.sdk);
            if !signatures.is_signed(repository, digest).await? {
                return Ok(gate.decide_unsigned(now.since(first)));
            }
        }
        if !gate.is_about_scan() {
            return Ok(ImageDecision::Pass);
        }

        let scan = Scans::new(&self.sdk).scan(repository, digest).await?;
        Ok(gate.decide(&scan, now.since(first)))
    }

    /// Why the image is not built for the architecture of the tasks, if its gate names that.
    async fn why_not_built(
        &self,
        gate: &ImageGate,
        push: &PushedImage,
    ) -> Result<Option<String>, Retry> {
        if !gate.is_about_architecture() {
            return Ok(None);
        }
        let kind = self.images.kind(&push.repository, &push.digest).await?;
        Ok(kind.map_or_else(Some, |kind| gate.why_not_built(&kind)))
    }

    /// Records that a push waits. The sweep looks at its claim again; it needs a newest push.
    async fn wait(
        &self,
        push: &PushedImage,
        known: &KnownPushes,
        waiting: &Push,
    ) -> Result<Delivery, Retry> {
        if !self.ledger.put_push(known.claim.as_ref(), waiting).await? {
            return Err(lost_race(&push.digest));
        }
        if known.newest.is_none() {
            self.become_newest(known, push, waiting).await?;
        }
        Ok(Delivery::Waiting {
            digest: push.digest.clone(),
            reason: waiting.waiting.clone(),
        })
    }

    /// Records why a push is not started. An execution that an earlier push of the digest led to
    /// stays recorded.
    async fn refuse(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        known: &KnownPushes,
        reason: String,
    ) -> Result<Delivery, Retry> {
        let claim = known.claim.as_ref();
        let started = claim.filter(|claim| claim.execution.is_some()).cloned();
        let claimed = started.unwrap_or_else(|| claim_of(subscription, push, self.sdk.now()));
        self.refuse_over(claim, claimed, &reason).await
    }
}
