//! The end of a scan: an image that waits for it goes on at once, and not with the next sweep.
//!
//! It never starts what does not wait, and never believes the event: the gate reads the findings.

use serde_json::Value;
use slipway::aws::Retry;
use slipway::events::{EndedScan, PushedImage, Subscription};
use slipway::manifest::Manifest;

use crate::{StartPipeline, ignored};

impl StartPipeline {
    /// Goes on with a push that waits for its scan, as when its event came.
    pub(crate) async fn take_scan(
        &self,
        subscription: &Subscription,
        scan: &EndedScan,
    ) -> Result<Value, Retry> {
        let claim = self
            .ledger
            .push(&subscription.pipeline, &scan.digest)
            .await?;
        let waiting = claim.filter(|claim| claim.is_undecided() && claim.waiting.is_some());
        let Some(waiting) = waiting else {
            return Ok(ignored("no push of the image waits for its scan"));
        };

        let push = PushedImage {
            event: waiting.event,
            pushed_at: waiting.pushed_at.unwrap_or(waiting.claimed_at),
            account: scan.account.clone(),
            region: scan.region.clone(),
            repository: scan.repository.clone(),
            digest: waiting.digest,
            tag: waiting.tag,
            manifest: Manifest::default(),
        };
        let unmatched = push.tag.as_deref();
        let unmatched = unmatched.and_then(|tag| subscription.why_unmatched(tag));
        if let Some(reason) = subscription.why_foreign(&push).or(unmatched) {
            return Ok(ignored(&reason));
        }
        // What waits can run: that was read when it was pushed.
        let acting = self.under(subscription.deploy_role(&push)?.as_ref());
        let delivery = Box::pin(acting.start(subscription, &push)).await?;
        Ok(delivery.answer())
    }
}
