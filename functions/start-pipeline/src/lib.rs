//! The function that a push invokes: it claims the digest in the ledger and starts the pipeline
//! with it, once. An update of the service by its own stack invokes it too, and a schedule that
//! looks for pushes whose events were lost.
//!
//! It never starts an execution without a claim or for what cannot run, and judges an image only by
//! the gate of its pipeline.

mod delivery;
mod gate;
mod order;
mod scan;
mod stack_update;
mod sweep;

use serde_json::{Value, json};
use slipway::aws::{Executions, Images, Ledger, Retry, Sdk};
use slipway::events::{EndedScan, PushInput, PushSweep, PushedImage, ServiceUpdate, Subscription};
use slipway::image::short_digest;
use slipway::limits::FORMAT_VERSION;
use slipway::manifest::Manifest;
use slipway::release::{DeployRole, KnownPushes, Push, PushDecision, Record, expires_at};
use slipway::timestamp::Timestamp;

use crate::delivery::Delivery;

/// The images of a multi-architecture image are pushed before it, each without a tag: none of them
/// is a release by itself.
const UNTAGGED: &str =
    "an image pushed without a tag is part of a multi-architecture image, or not a release yet";

/// The function: one event of ECR or CloudFormation, sent by one pipeline's rule.
#[derive(Debug)]
pub struct StartPipeline {
    sdk: Sdk,
    ledger: Ledger,
    executions: Executions,
    images: Images,
}

impl StartPipeline {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            executions: Executions::new(sdk),
            images: Images::new(sdk),
        }
    }

    /// Handles one event and returns its status: `started`, `known`, `waiting`, `refused`,
    /// `noted`, `swept` or `ignored`.
    ///
    /// # Errors
    /// When Lambda should deliver the event again: AWS was busy, another invocation may be starting
    /// the pipeline, or the event is not the input of a pipeline's rule.
    pub async fn handle(&self, event: Value) -> Result<Value, Retry> {
        let input: PushInput = serde_json::from_value(event).map_err(|e| {
            format!(
                "{e}; expected {{\"subscription\": {{\"pipeline\": …, \"action\": …}}, \
                 \"event\": <ECR event>}}, the input of a pipeline stack's rule"
            )
        })?;

        let response = if ServiceUpdate::is_source_of(&input.event) {
            match ServiceUpdate::parse(input.event)? {
                Ok(update) => Box::pin(self.take_update(&input.subscription, &update)).await?,
                Err(reason) => ignored(&reason),
            }
        } else if PushSweep::is_source_of(&input.event) {
            let sweep = PushSweep::parse(input.event)?;
            Box::pin(self.take_sweep(&input.subscription, &sweep)).await?
        } else if EndedScan::is_source_of(&input.event) {
            let scan = EndedScan::parse(input.event)?;
            Box::pin(self.take_scan(&input.subscription, &scan)).await?
        } else {
            match PushedImage::parse(input.event)? {
                Ok(push) => self.take(&input.subscription, &push).await?,
                Err(reason) => ignored(&reason),
            }
        };

        tracing::info!(pipeline = input.subscription.pipeline, %response);
        Ok(response)
    }

    /// Starts the pipeline if the image is one that it delivers.
    async fn take(&self, subscription: &Subscription, push: &PushedImage) -> Result<Value, Retry> {
        if let Some(reason) = subscription.why_foreign(push) {
            return Ok(ignored(&reason));
        }

        let Some(tag) = &push.tag else {
            return Ok(ignored(UNTAGGED));
        };

        let acting = self.under(subscription.deploy_role(push)?.as_ref());
        let delivery = acting.deliver(subscription, push, tag).await?;
        Ok(delivery.answer())
    }

    /// The same function, acting under the deploy role of a pipeline; with the function's own
    /// credentials without one.
    pub(crate) fn under(&self, role: Option<&DeployRole>) -> Self {
        match role {
            Some(role) => Self::new(&self.sdk.acting_for(role)),
            None => Self::new(&self.sdk),
        }
    }

    /// Starts the pipeline with an image of its repository, or records why it does not.
    async fn deliver(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        tag: &str,
    ) -> Result<Delivery, Retry> {
        match self.why_unfit(subscription, push, tag).await? {
            Some(reason) => self.decline(subscription, push, &reason).await,
            None => Box::pin(self.start(subscription, push)).await,
        }
    }

    /// Why the pipeline does not deliver an image under this tag.
    async fn why_unfit(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        tag: &str,
    ) -> Result<Option<String>, Retry> {
        match subscription.why_unmatched(tag) {
            Some(reason) => Ok(Some(reason)),
            None => self.why_not_runnable(push).await,
        }
    }

    /// Why the image cannot run. A replication does not state what the manifest is, so it is
    /// read from ECR.
    async fn why_not_runnable(&self, push: &PushedImage) -> Result<Option<String>, Retry> {
        let stated = push.manifest.why_not_runnable();
        if stated.is_some() {
            return Ok(stated);
        }

        let manifest = if push.manifest.media_type.is_some() {
            push.manifest.clone()
        } else {
            let found = self.images.manifest(&push.repository, &push.digest).await?;
            Manifest {
                tags: push.manifest.tags.clone(),
                ..found
            }
        };
        let why = manifest.why_not_runnable();
        if why.is_some() {
            return Ok(why);
        }

        let (repository, digest) = (&push.repository, &push.digest);
        let of_content = self.images.why_not_runnable(repository, digest, &manifest);
        Ok(of_content.await?)
    }

    /// Records why an image is not delivered, unless the ledger knows the digest: another tag of it
    /// may have led to a release.
    async fn decline(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        reason: &str,
    ) -> Result<Delivery, Retry> {
        let declined = Push {
            refusal: Some(reason.to_owned()),
            ..claim_of(subscription, push, self.sdk.now())
        };
        self.ledger.put_push(None, &declined).await?;
        let reason = reason.to_owned();
        Ok(Delivery::Ignored { reason })
    }

    /// Records over what the ledger has of a digest why its claim is not started.
    async fn refuse_over(
        &self,
        known: Option<&Push>,
        claim: Push,
        reason: &str,
    ) -> Result<Delivery, Retry> {
        let refused = Push {
            refusal: Some(reason.to_owned()),
            waiting: None,
            ..claim
        };
        if !self.ledger.put_push(known, &refused).await? {
            return Err(lost_race(&refused.digest));
        }
        Ok(Delivery::Refused {
            digest: refused.digest,
            reason: reason.to_owned(),
        })
    }

    async fn start(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
    ) -> Result<Delivery, Retry> {
        let now = self.sdk.now();
        let known = self.known(subscription, push).await?;
        match known.decide(&push.event, push.pushed_at, now) {
            PushDecision::Known { execution } => {
                self.renew(&known, push).await?;
                Ok(Delivery::Known { execution })
            }
            PushDecision::Wait => Err(may_be_starting(&push.digest)),
            PushDecision::Refuse(reason) => {
                if let Some(known) = &known.claim {
                    let refused = Push {
                        refusal: Some(reason.clone()),
                        // A refusal is final, even if the claim was read before it was kept.
                        expires_at: None,
                        ..known.clone()
                    };
                    self.ledger.put_push(Some(known), &refused).await?;
                }
                let digest = push.digest.clone();
                Ok(Delivery::Refused { digest, reason })
            }
            PushDecision::Start => {
                let push = &order::latest(push, known.claim.as_ref());
                match self.newer(&known, push, now).await? {
                    Some(newer) => self.supersede(subscription, push, &known, newer).await,
                    None => {
                        let started = self.start_through_gate(subscription, push, &known, now);
                        Box::pin(started).await
                    }
                }
            }
        }
    }

    /// What the ledger has of the digest, and of the newest push of the pipeline.
    async fn known(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
    ) -> Result<KnownPushes, Retry> {
        let pipeline = &subscription.pipeline;
        let claim = self.ledger.push(pipeline, &push.digest).await?;
        let record = match claim.as_ref().and_then(|claim| claim.execution.as_deref()) {
            Some(execution) => self.ledger.record(execution).await?,
            None => None,
        };
        Ok(KnownPushes {
            claim,
            record,
            newest: self.ledger.newest_push(pipeline).await?,
        })
    }

    /// Claims the digest, then starts the pipeline. The claim prevents a second execution: how long
    /// CodePipeline remembers a request token is not documented.
    async fn claim_and_start(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        known: &KnownPushes,
        now: Timestamp,
    ) -> Result<Delivery, Retry> {
        let claim = claim_of(subscription, push, now);
        if !self.ledger.put_push(known.claim.as_ref(), &claim).await? {
            return Err(lost_race(&push.digest));
        }
        self.become_newest(known, push, &claim).await?;

        let Subscription {
            pipeline, action, ..
        } = subscription;
        let token = request_token(&push.event);
        let execution = self
            .executions
            .start(pipeline, action, &push.digest, &token)
            .await?;

        let record = Record {
            action: Some(action.clone()),
            deploy_role: self.sdk.deploy_role().cloned(),
            ..Record::started(&execution, pipeline, Some(&push.digest), now)
        };
        // An execution that has already progressed may have been rolled back.
        let is_first = self.ledger.put_record(&record).await?;
        let started = Push {
            execution: Some(execution.clone()),
            expires_at: claim.expires_at.filter(|_| is_first),
            ..claim.clone()
        };
        self.ledger.put_push(Some(&claim), &started).await?;

        Ok(Delivery::Started {
            execution,
            digest: push.digest.clone(),
            tag: push.tag.clone(),
        })
    }
}

/// The claim of a push, before an execution is started.
fn claim_of(subscription: &Subscription, push: &PushedImage, now: Timestamp) -> Push {
    Push {
        v: FORMAT_VERSION,
        pipeline: subscription.pipeline.clone(),
        digest: push.digest.clone(),
        tag: push.tag.clone(),
        event: push.event.clone(),
        pushed_at: Some(push.pushed_at),
        claimed_at: now,
        execution: None,
        refusal: None,
        waiting: None,
        expires_at: Some(expires_at(now)),
    }
}

/// Another invocation may start the pipeline at any moment, until it has timed out.
fn may_be_starting(digest: &str) -> Retry {
    format!(
        "another invocation claimed {} and may be starting the pipeline; retrying",
        short_digest(digest)
    )
    .into()
}

/// Another invocation wrote the claim first.
fn lost_race(digest: &str) -> Retry {
    format!(
        "another invocation claimed {} at the same moment; retrying",
        short_digest(digest)
    )
    .into()
}

fn ignored(reason: &str) -> Value {
    json!({"status": "ignored", "reason": reason})
}

/// The request token of a push: the event's id, in the 128 characters that CodePipeline takes.
fn request_token(event: &str) -> String {
    event
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(128)
        .collect()
}
