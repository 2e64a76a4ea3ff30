//! What operators do during a run: approvals, holds, and acts at their anchors.

use std::sync::PoisonError;
use std::time::Duration;

use crate::operators::{self, Done};
use crate::plan::{Act, Anchor};
use crate::shape::PIPELINE;
use crate::{canary, freeze, plan, shape};
use emulator::{Aws, autoscaling, cloudwatch, ecs};
use harness::approvals;
use harness::demo::{CLUSTER, WEB};
use serde_json::json;

use super::{Stage, acts_of};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

impl Stage {
    /// Lets the acts of an anchor happen when their time comes.
    pub(super) fn anchored(&self, is: impl Fn(Anchor) -> bool) {
        for (act, after) in acts_of(&self.plan.incidents, is) {
            let stage = self.clone();
            self.pending.set(self.pending.get() + 1);
            tokio::task::spawn_local(async move {
                stage.driver.world.clock.sleep(after).await;
                stage.happen(act).await;
                stage.pending.set(stage.pending.get() - 1);
                stage.driver.world.touch();
            });
        }
    }

    async fn happen(&self, act: Act) {
        match act {
            Act::TaskSilent(lasts) => self.silence(act, lasts).await,
            Act::Scales(tasks) => self.scale(act, tasks, 1).await,
            Act::ScalesIn(minutes) => self.scale(act, minutes, -1).await,
            Act::ZoneChanges(lasts) => self.change_zone(act, lasts).await,
            _ => self.perform(act).await,
        }
    }

    async fn perform(&self, act: Act) {
        let done = {
            let mut aws = self.driver.world.aws();
            let done = operators::perform(&mut aws, act, &self.plan.shape, &self.pushed.borrow());
            self.trace.borrow_mut().say(
                &aws,
                &format!("{}: {act:?} comes to {done:?}", act.as_str()),
            );

            match &done {
                Done::Asked { digest, execution } => {
                    self.invariants().started_by_hand(digest, execution)
                }
                Done::Stored { digest } => self.invariants().cannot_run(digest),
                Done::ServiceChanged { on_purpose } => {
                    if let Err(what) = self.invariants().changed_by_hand(&aws, *on_purpose) {
                        self.broken
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .get_or_insert(what);
                    }
                    if let (Act::SetWeights(_), Some(route)) = (act, shape::route(&aws)) {
                        self.invariants().weights_set_by_hand(&aws, &route);
                    }
                }
                Done::Nothing | Done::Something | Done::Took { .. } => {}
            }
            done
        };
        if done != Done::Nothing {
            self.coverage.borrow_mut().act(act);
        }

        self.driver.world.touch();
        match (act, &done) {
            (Act::InstanceBusy(lasts) | Act::InstanceDrains(lasts), Done::Took { instance }) => {
                self.driver.world.clock.sleep(lasts).await;
                operators::give_back(&mut self.driver.world.aws(), act, instance);
            }
            (Act::AlarmActive(lasts), _) => {
                self.driver.world.clock.sleep(lasts).await;
                cloudwatch::set_alarm(&mut self.driver.world.aws(), canary::ALARM, "OK");
            }
            _ => {}
        }
    }

    /// A task does not answer for a while.
    async fn silence(&self, act: Act, lasts: Duration) {
        let Some(task) = operators::serving(&self.driver.world.aws()) else {
            return;
        };

        self.coverage.borrow_mut().act(act);
        {
            let mut aws = self.driver.world.aws();
            self.trace
                .borrow_mut()
                .say(&aws, &format!("task {task} does not answer for {lasts:?}"));
            ecs::set_answering(&mut aws, &task, false);
        }
        self.driver.world.touch();
        self.driver.world.clock.sleep(lasts).await;
        ecs::set_answering(&mut self.driver.world.aws(), &task, true);
        self.driver.world.touch();
    }

    /// Automatic scaling changes the count by one each minute, this many times. It goes on removing
    /// tasks when a deployment has ended.
    async fn scale(&self, act: Act, times: u32, by: i32) {
        for _ in 0..times {
            let is_scaled = {
                let mut aws = self.driver.world.aws();
                let is_scaled = adjust(&mut aws, by);
                if is_scaled {
                    self.trace.borrow_mut().say(&aws, act.as_str());
                }
                is_scaled
            };
            if is_scaled {
                self.coverage.borrow_mut().act(act);
                self.driver.world.touch();
            } else if by > 0 {
                return;
            }
            self.driver.world.clock.sleep(MINUTE).await;
        }
    }

    /// Another writer changes the zone every second for a while.
    async fn change_zone(&self, act: Act, lasts: Duration) {
        self.coverage.borrow_mut().act(act);
        for _ in 0..lasts.as_secs() {
            operators::change_zone(&mut self.driver.world.aws());
            self.driver.world.touch();
            self.driver.world.clock.sleep(SECOND).await;
        }
    }

    /// Operators see that an approval waits, and answer it in their time.
    pub(super) fn notice_approvals(&self, aws: &Aws) {
        for approval in approvals::waiting(aws, PIPELINE) {
            if !self.noticed.borrow_mut().insert(approval.id.clone()) {
                continue;
            }

            let number = self.noticed.borrow().len() - 1;
            let drawn = self.plan.answers.get(number).copied();
            let answer = drawn.unwrap_or(operators::USUAL_ANSWER);

            self.anchored(|anchor| anchor == Anchor::Approval(number));
            let stage = self.clone();
            tokio::task::spawn_local(async move {
                stage.driver.world.clock.sleep(answer.after).await;
                let mut aws = stage.driver.world.aws();
                let taken = approval.answer(&mut aws, answer.approves).is_ok();
                let word = if answer.approves { "approve" } else { "reject" };
                stage.trace.borrow_mut().say(
                    &aws,
                    &format!("an operator answers the approval: {word}, accepted: {taken}"),
                );

                if taken {
                    stage.coverage.borrow_mut().answer(word);
                }

                drop(aws);
                stage.driver.world.touch();
            });
        }
    }

    /// An operator sees that a failed release has stopped the line, and lets it go on in time.
    pub(super) fn notice_line(&self, aws: &Aws) {
        let stopped = freeze::stopped(aws, PIPELINE, freeze::STAGE);
        if stopped.is_none() || self.stopped.replace(stopped) == stopped {
            return;
        }

        self.pending.set(self.pending.get() + 1);
        let stage = self.clone();
        tokio::task::spawn_local(async move {
            stage.driver.world.clock.sleep(freeze::REPAIRED).await;
            {
                let mut aws = stage.driver.world.aws();
                freeze::go_on(&mut aws, PIPELINE, freeze::STAGE);
                stage
                    .trace
                    .borrow_mut()
                    .say(&aws, "an operator enables the transition again");
            }
            stage.pending.set(stage.pending.get() - 1);
            stage.driver.world.touch();
        });
    }

    /// The release that waits for an operator, and since when.
    fn hold(&self) -> Option<(String, String)> {
        self.invariants().leases().find_map(operators::waiting_hold)
    }

    /// Operators see that a release holds, and decide in their time; after the last of their
    /// answers none follows.
    pub(super) fn notice_hold(&self) {
        let Some(hold) = self.hold() else { return };
        if !self.held.borrow_mut().insert(hold.clone()) {
            return;
        }
        let number = self.held.borrow().len() - 1;
        let Some(answer) = self.plan.answers.get(number).copied() else {
            return;
        };

        let stage = self.clone();
        tokio::task::spawn_local(async move {
            stage.driver.world.clock.sleep(answer.after).await;
            let mut aws = stage.driver.world.aws();
            let still = stage.hold().as_ref() == Some(&hold);
            let taken = still && operators::decide(&mut aws, &hold.0, answer.approves);
            let word = if answer.approves {
                "decide to promote"
            } else {
                "decide to roll back"
            };

            stage.trace.borrow_mut().say(
                &aws,
                &format!("an operator decides the hold: {word}, accepted: {taken}"),
            );
            if taken {
                stage.coverage.borrow_mut().answer(word);
            }

            drop(aws);
            stage.driver.world.touch();
        });
    }
}

/// A step of automatic scaling changes the count of the service, if that has some tasks, or more
/// than it keeps.
fn adjust(aws: &mut Aws, by: i32) -> bool {
    let service = aws.ecs.service_named(CLUSTER, WEB);
    let count = service.map_or(0, |service| service.desired_count);
    if count == 0 || by < 0 && count <= plan::LEAST_TASKS {
        return false;
    }

    let target = json!({
        "ServiceNamespace": autoscaling::NAMESPACE,
        "ScalableDimension": autoscaling::DIMENSION,
        "ResourceId": autoscaling::resource_id(CLUSTER, WEB),
        "MinCapacity": 0, "MaxCapacity": 40,
    });
    autoscaling::call(aws, "RegisterScalableTarget", &target).is_ok()
        && autoscaling::adjust(aws, CLUSTER, WEB, by)
}
