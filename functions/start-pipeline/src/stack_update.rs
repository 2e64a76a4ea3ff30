//! What follows from an update of the service by its own stack. Its template names an image, to
//! which an update can set the service: then the release that the service ran is started again.
//!
//! It never decides by the template: only by what the service ran when the update began, and runs
//! at its end.

use serde_json::{Value, json};
use slipway::aws::{Retry, Services, TaskDefinitions};
use slipway::events::{ServiceUpdate, Subscription, UpdateStage};
use slipway::release::{
    AfterUpdate, Outcome, Record, RecordState, RunningReleases, StackUpdate, was_deployed,
};

use crate::{StartPipeline, ignored, may_be_starting, request_token};

impl StartPipeline {
    /// Follows an update, under the deploy role of the pipeline if it has one.
    pub(crate) async fn take_update(
        &self,
        subscription: &Subscription,
        update: &ServiceUpdate,
    ) -> Result<Value, Retry> {
        let acting = self.under(subscription.role_for(update)?.as_ref());
        acting.follow(subscription, update).await
    }

    async fn follow(
        &self,
        subscription: &Subscription,
        update: &ServiceUpdate,
    ) -> Result<Value, Retry> {
        let pipeline = &subscription.pipeline;
        let begun = self.ledger.stack_update(pipeline).await?;
        match update.stage {
            UpdateStage::Begun => self.note(pipeline, update, begun.as_ref()).await,
            UpdateStage::Complete => self.bring_back(subscription, update, begun.as_ref()).await,
        }
    }

    /// Writes down what the service runs. The update may have been made already: what it replaces
    /// still has a deployment then.
    async fn note(
        &self,
        pipeline: &str,
        update: &ServiceUpdate,
        before: Option<&StackUpdate>,
    ) -> Result<Value, Retry> {
        // Later the service runs what the update brought.
        if before.is_some_and(|noted| noted.was_begun_by(&update.event)) {
            return Ok(ignored("the beginning of this update is noted already"));
        }

        let runs = self.running(pipeline, update).await?;
        let listing = self.ledger.leases().await?;
        let now = self.sdk.now();
        let digest = StackUpdate::digest_to_note(before, &runs, now);
        let begun = StackUpdate::begun(pipeline, &update.event, digest, now).after(before);
        let begun = StackUpdate {
            during: listing.open_release_of(pipeline).map(ToOwned::to_owned),
            ..begun
        };
        self.put(before, &begun).await?;
        Ok(json!({"status": "noted", "digest": begun.digest}))
    }

    /// Starts the pipeline with what the service ran, unless it runs a release.
    async fn bring_back(
        &self,
        subscription: &Subscription,
        update: &ServiceUpdate,
        begun: Option<&StackUpdate>,
    ) -> Result<Value, Retry> {
        let pipeline = &subscription.pipeline;
        // A release that is open or about to begin brings an image of its own, which may be newer.
        if self.is_releasing(pipeline).await? {
            self.miss(subscription, update, begun).await?;
            return Ok(ignored("a release of the pipeline is in progress"));
        }

        // Read after the leases: a push is claimed before its execution is recorded.
        let now = self.sdk.now();
        let newest = self.ledger.newest_push(pipeline).await?;
        let starting = newest.as_ref();
        if let Some(newest) = starting.filter(|newest| newest.may_be_starting(now)) {
            return Err(may_be_starting(newest.starting()));
        }

        let mut runs = self.running(pipeline, update).await?;
        let overtaken = begun.and_then(|it| it.overtook(now));
        let newer = self.superseded(overtaken).await?;
        let brings_back = newer.is_none();
        if let Some(newer) = newer {
            runs.digest = Some(newer);
        }
        match StackUpdate::decide(begun, &update.event, &runs, now) {
            AfterUpdate::Leave(reason) => Ok(ignored(reason)),
            AfterUpdate::Known { execution } => {
                Ok(json!({"status": "known", "execution": execution}))
            }
            AfterUpdate::Release { digest } => {
                let named = (pipeline.as_str(), update.event.as_str());
                let claim = StackUpdate::ended(begun, named, Some(digest.clone()), now);
                self.put(begun, &claim).await?;

                // A push that comes from now on waits, and one that came since is not overtaken.
                let start = self.start_again(subscription, &claim, &digest, brings_back);
                let started = self
                    .ledger
                    .while_newest_is_taken(newest, &digest, now, start);
                let claimed = "a push was claimed at the same moment; retrying";
                started.await?.ok_or(claimed)?
            }
        }
    }

    /// Notes an end during a release for `roll-back`, in case that release does not bring its
    /// image, unless the service runs a release, or the end is known.
    async fn miss(
        &self,
        subscription: &Subscription,
        update: &ServiceUpdate,
        begun: Option<&StackUpdate>,
    ) -> Result<(), Retry> {
        let Subscription {
            pipeline, action, ..
        } = subscription;
        let is_known = begun.is_some_and(|begun| begun.was_ended_by(&update.event));
        if is_known || self.running(pipeline, update).await?.is_primary {
            return Ok(());
        }

        let named = (pipeline.as_str(), update.event.as_str());
        let missed = StackUpdate::missed(begun, named, action, self.sdk.now());
        self.put(begun, &missed).await
    }

    /// The digest of a release that ended because the update overtook it: it is newer than what ran
    /// before, and nothing was found against it.
    async fn superseded(&self, overtaken: Option<&str>) -> Result<Option<String>, Retry> {
        let Some(execution) = overtaken else {
            return Ok(None);
        };
        let record = self.ledger.record(execution).await?;
        let superseded = record.filter(|it| it.outcome == Some(Outcome::Superseded));
        Ok(superseded.and_then(|record| record.digest))
    }

    /// Starts the pipeline, as for a push. CodePipeline takes the same token for the same execution
    /// when the process dies before it is written down.
    async fn start_again(
        &self,
        subscription: &Subscription,
        claim: &StackUpdate,
        digest: &str,
        brings_back: bool,
    ) -> Result<Value, Retry> {
        let Subscription {
            pipeline, action, ..
        } = subscription;
        let token = request_token(&claim.event);
        let execution = self
            .executions
            .start(pipeline, action, digest, &token)
            .await?;

        let record = Record {
            action: Some(action.clone()),
            brings_back,
            deploy_role: self.sdk.deploy_role().cloned(),
            ..Record::started(&execution, pipeline, Some(digest), self.sdk.now())
        };
        self.ledger.put_record(&record).await?;
        self.ledger.lead_push(pipeline, digest, &execution).await?;
        let started = StackUpdate {
            execution: Some(execution.clone()),
            ..claim.clone()
        };
        self.put(Some(claim), &started).await?;
        Ok(json!({"status": "started", "execution": execution, "digest": digest}))
    }

    async fn put(&self, before: Option<&StackUpdate>, update: &StackUpdate) -> Result<(), Retry> {
        if self.ledger.put_stack_update(before, update).await? {
            return Ok(());
        }
        Err("another invocation wrote the update of the stack at the same moment; retrying".into())
    }

    /// Whether a release of the pipeline is open, or an execution of it was started whose release
    /// has not begun.
    async fn is_releasing(&self, pipeline: &str) -> Result<bool, Retry> {
        Ok(self.ledger.leases().await?.is_releasing(pipeline))
    }

    /// What the deployments of the service run.
    async fn running(
        &self,
        pipeline: &str,
        update: &ServiceUpdate,
    ) -> Result<RunningReleases, Retry> {
        let services = Services::new(&self.sdk);
        let observed = services.describe(&update.cluster, &update.service).await?;
        let mut runs = RunningReleases::default();
        let Some(observed) = observed else {
            return Ok(runs);
        };

        let mut deployments = observed.view.deployments;
        deployments.sort_by_key(|deployment| !deployment.primary);
        for deployment in deployments {
            let (is_marked, digest) = self
                .release_of(pipeline, &deployment.task_definition)
                .await?;
            runs.is_primary |= deployment.primary && is_marked;
            if runs.digest.is_none() {
                runs.digest = digest;
            }
        }
        Ok(runs)
    }

    /// Whether a release registered a revision, and the digest of the release of this pipeline that
    /// deployed it. Others copy a mark with all tags: such a copy is left alone too.
    async fn release_of(
        &self,
        pipeline: &str,
        revision: &str,
    ) -> Result<(bool, Option<String>), Retry> {
        let task_definitions = TaskDefinitions::new(&self.sdk);
        let described = task_definitions.describe(revision).await?;
        let Some(mark) = described.and_then(|(_, definition)| definition.mark()) else {
            return Ok((false, None));
        };

        let record = self.ledger.record(&mark.execution).await?;
        let of_pipeline = record.filter(|record| {
            record.pipeline == pipeline
                && record.state == RecordState::Closed
                && record.outcome == Some(Outcome::Deployed)
                && was_deployed(Some(record), revision)
        });
        Ok((true, of_pipeline.and_then(|record| record.digest)))
    }
}
