//! Pushes that were missed: ECR's events are best effort, and a push whose invocations all failed
//! is a dead letter. On the schedule of its rule a pipeline compares its repository with the
//! ledger.
//!
//! It never starts a recorded push, unless a tag has returned to its image, and starts nothing
//! before the first push.

use serde_json::{Value, json};
use slipway::aws::{Repositories, Retry};
use slipway::events::{PushSweep, PushedImage, Subscription};
use slipway::manifest::Manifest;
use slipway::observed::image::RepositoryImage;
use slipway::release::{NewestPush, Push, awaits_event, images_to_check, is_missed};
use slipway::timestamp::Timestamp;

use crate::{StartPipeline, ignored};

/// Why nothing is started with a claim whose image is not found.
const NOT_THERE: &str = "the repository does not have the image any more, or not with a tag that \
    the pipeline delivers: it was deleted or archived, or its tag was moved to another image";

/// The repository that a sweep looks into.
#[derive(Clone, Copy)]
struct SweptRepository<'a> {
    sweep: &'a PushSweep,
    repository: &'a str,
}

impl StartPipeline {
    /// Looks for missed pushes, under the deploy role of the pipeline if it has one.
    pub(crate) async fn take_sweep(
        &self,
        subscription: &Subscription,
        sweep: &PushSweep,
    ) -> Result<Value, Retry> {
        let Some(repository) = &subscription.repository else {
            return Ok(ignored("the subscription names no repository"));
        };
        let place = SweptRepository { sweep, repository };
        match subscription.role_for_sweep(sweep)? {
            Some(role) => {
                let acting = Self::new(&self.sdk.acting_for(&role));
                acting.look_for_missed(subscription, place).await
            }
            None => self.look_for_missed(subscription, place).await,
        }
    }

    async fn look_for_missed(
        &self,
        subscription: &Subscription,
        place: SweptRepository<'_>,
    ) -> Result<Value, Retry> {
        let newest = self.ledger.newest_push(&subscription.pipeline).await?;
        let Some(newest) = newest else {
            return Ok(ignored("no push was recorded yet"));
        };
        let newest_claim = self.ledger.push(&newest.pipeline, &newest.digest).await?;

        let now = self.sdk.now();
        let repositories = Repositories::new(&self.sdk);
        let mut images = repositories.tagged_images(place.repository).await?;
        images.retain(|image| matching_tag(subscription, image).is_some());
        let tag = newest_claim.and_then(|claim| claim.tag);
        let returned = tag.and_then(|tag| place.returned(&images, &newest, &tag, now));
        // What is newer than the newest push may have been pushed after its tag had returned.
        let returned = returned.filter(|_| !awaits_event(&images, &newest, now));
        let of_newest = place.of_newest(subscription, &images, &newest);
        let images = images_to_check(images, &newest, now);
        let of_image = |image: &RepositoryImage| place.pushed(subscription, image);
        let mut pushes: Vec<_> = images.iter().filter_map(of_image).collect();
        // If the image got another tag, only its claim shows the push, and that it had no result.
        if !pushes.iter().any(|push| push.digest == newest.digest) {
            pushes.push(of_newest);
        }

        let mut missed = self.deliver_missed(subscription, pushes, &newest).await?;
        let is_newest = missed
            .iter()
            .all(|response| response["status"] == "refused");
        if let Some(returned) = returned.filter(|_| is_newest) {
            missed.extend(self.deliver_returned(subscription, &returned).await?);
        }
        Ok(json!({"status": "swept", "missed": missed}))
    }

    /// Delivers each push whose result is not in the ledger. One that fails does not stop the
    /// others.
    async fn deliver_missed(
        &self,
        subscription: &Subscription,
        pushes: Vec<PushedImage>,
        newest: &NewestPush,
    ) -> Result<Vec<Value>, Retry> {
        let mut delivered = Vec::new();
        let mut failed = None;
        for push in pushes {
            let delivery = self.deliver_if_missed(subscription, push, newest);
            match Box::pin(delivery).await {
                Ok(response) => delivered.extend(response),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(delivered),
        }
    }

    async fn deliver_if_missed(
        &self,
        subscription: &Subscription,
        push: PushedImage,
        newest: &NewestPush,
    ) -> Result<Option<Value>, Retry> {
        let pipeline = &subscription.pipeline;
        let claim = self.ledger.push(pipeline, &push.digest).await?;
        let of_claim = claim.as_ref().filter(|_| push.tag.is_some());
        let is_of_other_tag = of_claim.is_some_and(|claim| is_of_refused_tag(subscription, claim));
        if !is_of_other_tag && !is_missed(&push.digest, claim.as_ref(), newest, self.sdk.now()) {
            return Ok(None);
        }

        if let Some(claim) = claim.as_ref().filter(|_| push.tag.is_none()) {
            let ended = self.refuse_over(Some(claim), claim.clone(), NOT_THERE);
            return ended.await.map(Some);
        }

        let claimed = claim.clone();
        let push = match claim {
            Some(_) if is_of_other_tag => push,
            Some(claim) => resumed(push, claim),
            None => push,
        };
        let tag = push.tag.clone().unwrap_or_default();
        let response = self.deliver(subscription, &push, &tag).await?;
        // What is not delivered is recorded over no claim.
        if let Some(claim) = claimed
            && response["status"] == "ignored"
        {
            let reason = response["reason"].as_str().unwrap_or_default();
            let tag = push.tag;
            let claim = Push { tag, ..claim };
            let refused = self.refuse_over(Some(&claim), claim.clone(), reason);
            return refused.await.map(Some);
        }
        Ok(Some(response))
    }

    /// Delivers an image to which the tag of the newest push has returned, if it was started before
    /// and not refused since.
    async fn deliver_returned(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
    ) -> Result<Option<Value>, Retry> {
        let pipeline = &subscription.pipeline;
        let claim = self.ledger.push(pipeline, &push.digest).await?;
        if !claim.is_some_and(|claim| claim.was_started()) {
            return Ok(None);
        }

        let tag = push.tag.clone().unwrap_or_default();
        let response = Box::pin(self.deliver(subscription, push, &tag)).await?;
        Ok(Some(response))
    }
}

impl SweptRepository<'_> {
    /// The push of an image, whose event is not known. It is the same whenever the image is found.
    fn pushed(self, subscription: &Subscription, image: &RepositoryImage) -> Option<PushedImage> {
        let tag = matching_tag(subscription, image)?;
        Some(PushedImage {
            event: event_of(&image.digest),
            tag: Some(tag.to_owned()),
            manifest: image.manifest.clone(),
            ..self.of(&image.digest, image.first_pushed_at)
        })
    }

    /// The newest push, whatever its age; without a tag if the repository does not have it any more
    /// with one that the pipeline delivers.
    fn of_newest(
        self,
        subscription: &Subscription,
        images: &[RepositoryImage],
        newest: &NewestPush,
    ) -> PushedImage {
        let image = images.iter().find(|image| image.digest == newest.digest);
        let found = image.and_then(|image| self.pushed(subscription, image));
        found.unwrap_or_else(|| self.claimed(newest))
    }

    /// The newest push as it was claimed.
    fn claimed(self, newest: &NewestPush) -> PushedImage {
        PushedImage {
            event: newest.event.clone(),
            ..self.of(&newest.digest, newest.pushed_at)
        }
    }

    /// The push by which the tag of the newest one has left it for another image. ECR keeps no time
    /// of it, so it has the time at which it is found: its own event is older.
    fn returned(
        self,
        images: &[RepositoryImage],
        newest: &NewestPush,
        tag: &str,
        now: Timestamp,
    ) -> Option<PushedImage> {
        let has_tag = |image: &&RepositoryImage| image.manifest.tags.iter().any(|it| it == tag);
        let holder = images.iter().find(has_tag)?;
        (holder.digest != newest.digest).then(|| PushedImage {
            event: format!("{}-{}", event_of(&holder.digest), newest.event),
            tag: Some(tag.to_owned()),
            manifest: holder.manifest.clone(),
            ..self.of(&holder.digest, now)
        })
    }

    fn of(self, digest: &str, pushed_at: Timestamp) -> PushedImage {
        PushedImage {
            event: String::new(),
            pushed_at,
            account: self.sweep.account.clone(),
            region: self.sweep.region.clone(),
            repository: self.repository.to_owned(),
            digest: digest.to_owned(),
            tag: None,
            manifest: Manifest::default(),
        }
    }
}

/// The first tag of an image that its pipeline delivers.
fn matching_tag<'a>(subscription: &Subscription, image: &'a RepositoryImage) -> Option<&'a str> {
    let mut tags = image.manifest.tags.iter().map(String::as_str);
    tags.find(|tag| subscription.why_unmatched(tag).is_none())
}

/// Whether all that is known of an image is that the pipeline does not deliver one of its tags: of
/// another tag nothing is recorded then.
fn is_of_refused_tag(subscription: &Subscription, claim: &Push) -> bool {
    let is_refused = claim.execution.is_none() && claim.refusal.is_some();
    let tag = claim.tag.as_deref().filter(|_| is_refused);
    tag.is_some_and(|tag| subscription.why_unmatched(tag).is_some())
}

/// The push that a claim is of, with which no invocation went on. Its tag may have moved to another
/// image since.
fn resumed(push: PushedImage, claim: Push) -> PushedImage {
    let tag = claim.tag.filter(|tag| push.manifest.tags.contains(tag));
    PushedImage {
        event: claim.event,
        pushed_at: claim.pushed_at.unwrap_or(push.pushed_at),
        tag: tag.or_else(|| push.tag.clone()),
        ..push
    }
}

/// In place of the id of an event that was lost.
fn event_of(digest: &str) -> String {
    format!("missed-{}", digest.replace(':', "-"))
}
