//! Pushes that were missed: ECR's events are best effort, and a push whose invocations all failed
//! is a dead letter. On the schedule of its rule a pipeline compares its repository with the
//! ledger.
//!
//! It never starts a recorded push, unless a tag was given to its image, and starts nothing
//! before the first push.

use serde_json::{Value, json};
use slipway::aws::{Repositories, Retry};
use slipway::events::{PushSweep, PushedImage, Subscription};
use slipway::manifest::Manifest;
use slipway::observed::image::RepositoryImage;
use slipway::release::{
    NewestPush, Push, PushOrder, awaits_event, images_to_check, is_missed, tag_of,
};
use slipway::timestamp::Timestamp;

use crate::delivery::Delivery;
use crate::{StartPipeline, ignored};

/// Why nothing is started with a claim whose image is not found.
const NOT_THERE: &str = "the repository does not have the image any more, or not with a tag that \
    the pipeline delivers: it was deleted or archived, or its tag was moved to another image";

/// What came of the pushes that a sweep has found.
#[derive(Default)]
struct Delivered {
    deliveries: Vec<Delivery>,
    /// Whether one that is not refused, or whose result is not known, may be newer than the newest
    /// push.
    may_be_newer: bool,
    /// Why one of them could not be delivered.
    failed: Option<Retry>,
}

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
        let acting = self.under(subscription.role_for_sweep(sweep)?.as_ref());
        acting.look_for_missed(subscription, place).await
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
        images.retain(|image| subscription.delivered_tag(&image.manifest.tags).is_some());
        let tag = newest_claim
            .as_ref()
            .and_then(|claim| tag_of(&newest, claim))
            .filter(|tag| subscription.why_unmatched(tag).is_none());
        let returned = tag.and_then(|tag| place.returned(&images, &newest, tag, now));
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

        let mut delivered = self.deliver_missed(subscription, pushes, &newest).await;
        if let Some(returned) = returned.filter(|_| !delivered.may_be_newer) {
            let delivery = self.deliver_returned(subscription, &returned).await?;
            delivered.deliveries.extend(delivery);
        }
        match delivered.failed {
            Some(error) => Err(error),
            None => {
                let missed = delivered.deliveries.iter().map(Delivery::answer);
                Ok(json!({"status": "swept", "missed": missed.collect::<Vec<_>>()}))
            }
        }
    }

    /// Delivers each push whose result is not in the ledger. One that fails does not stop the
    /// others.
    async fn deliver_missed(
        &self,
        subscription: &Subscription,
        pushes: Vec<PushedImage>,
        newest: &NewestPush,
    ) -> Delivered {
        let mut delivered = Delivered::default();
        for push in pushes {
            let is_older = newest.compare(&push.digest, push.pushed_at) == PushOrder::Older;
            let delivery = self.deliver_if_missed(subscription, push, newest);
            match Box::pin(delivery).await {
                Ok(None) => {}
                Ok(Some(delivery)) => {
                    let is_refused = matches!(delivery, Delivery::Refused { .. });
                    delivered.may_be_newer |= !is_refused;
                    delivered.deliveries.push(delivery);
                }
                Err(error) => {
                    delivered.may_be_newer |= !is_older;
                    delivered.failed = Some(error);
                }
            }
        }
        delivered
    }

    async fn deliver_if_missed(
        &self,
        subscription: &Subscription,
        push: PushedImage,
        newest: &NewestPush,
    ) -> Result<Option<Delivery>, Retry> {
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

        let push = match &claim {
            Some(_) if is_of_other_tag => push,
            Some(claim) => resumed(push, claim),
            None => push,
        };
        let delivery = self.deliver_over(subscription, &push, claim.as_ref());
        delivery.await.map(Some)
    }

    /// Delivers an image to which the tag of the newest push was given, unless the ledger shows
    /// that it was refused since, or may be being started.
    async fn deliver_returned(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
    ) -> Result<Option<Delivery>, Retry> {
        let pipeline = &subscription.pipeline;
        let claim = self.ledger.push(pipeline, &push.digest).await?;
        let now = self.sdk.now();
        let is_left = |claim: &Push| claim.refuses(&push.event) || claim.may_be_starting(now);
        if claim.as_ref().is_some_and(is_left) {
            return Ok(None);
        }

        let delivery = self.deliver_over(subscription, push, claim.as_ref());
        delivery.await.map(Some)
    }

    /// Starts the pipeline with an image, or records over its claim why it does not.
    async fn deliver_over(
        &self,
        subscription: &Subscription,
        push: &PushedImage,
        claim: Option<&Push>,
    ) -> Result<Delivery, Retry> {
        let tag = push.tag.as_deref().unwrap_or_default();
        match (self.why_unfit(subscription, push, tag).await?, claim) {
            (None, _) => Box::pin(self.start(subscription, push)).await,
            (Some(reason), None) => self.decline(subscription, push, &reason).await,
            (Some(reason), Some(known)) => {
                let claim = Push {
                    tag: push.tag.clone(),
                    event: push.event.clone(),
                    ..known.clone()
                };
                self.refuse_over(Some(known), claim, &reason).await
            }
        }
    }
}

impl SweptRepository<'_> {
    /// The push of an image, whose event is not known. It is the same whenever the image is found.
    fn pushed(self, subscription: &Subscription, image: &RepositoryImage) -> Option<PushedImage> {
        let tag = subscription.delivered_tag(&image.manifest.tags)?;
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

    /// The push by which the tag of the newest one has left it for an image that was there before:
    /// a return to it, or its promotion. ECR keeps no time of it, so it has the time at which it is
    /// found: its own event is older.
    fn returned(
        self,
        images: &[RepositoryImage],
        newest: &NewestPush,
        tag: &str,
        now: Timestamp,
    ) -> Option<PushedImage> {
        let has_tag = |image: &&RepositoryImage| image.manifest.tags.iter().any(|it| it == tag);
        let holder = images.iter().find(has_tag)?;
        let was_there = holder.first_pushed_at <= newest.pushed_at;
        (was_there && holder.digest != newest.digest).then(|| PushedImage {
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

/// Whether all that is known of an image is that the pipeline does not deliver one of its tags: of
/// another tag nothing is recorded then.
fn is_of_refused_tag(subscription: &Subscription, claim: &Push) -> bool {
    let is_refused = claim.execution.is_none() && claim.refusal.is_some();
    let tag = claim.tag.as_deref().filter(|_| is_refused);
    tag.is_some_and(|tag| subscription.why_unmatched(tag).is_some())
}

/// The push that a claim is of, with which no invocation went on. Its tag may have moved to another
/// image since.
fn resumed(push: PushedImage, claim: &Push) -> PushedImage {
    let tag = claim.tag.clone();
    let tag = tag.filter(|tag| push.manifest.tags.contains(tag));
    PushedImage {
        event: claim.event.clone(),
        pushed_at: claim.pushed_at.unwrap_or(push.pushed_at),
        tag: tag.or_else(|| push.tag.clone()),
        ..push
    }
}

/// In place of the id of an event that was lost.
fn event_of(digest: &str) -> String {
    format!("missed-{}", digest.replace(':', "-"))
}
