//! Everything of a run as plain data: drawn from its seed, printed, made smaller and played again.

use std::fmt;
use std::time::Duration;

use super::artifact::Artifact;
use super::canary::{Flaw, Metrics};
use super::freeze::DrawnFreeze;
use super::shape::Shape;
use super::traffic::DrawnTraffic;
use emulator::client::{CallFault, Hang, Trouble};
use emulator::ecr::Behaviour;
use emulator::eventbridge::Mishap;

/// Tasks that automatic scaling does not remove.
pub(super) const LEAST_TASKS: u32 = 2;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub shape: Shape,
    pub pushes: Vec<Push>,
    /// What operators answer to requests for approval, in order; from then on they approve after a
    /// minute. Releases that hold are decided in order, too, and later ones are not decided.
    pub answers: Vec<ApprovalAnswer>,
    /// What goes wrong and what operators do beside pushing.
    pub incidents: Vec<Incident>,
    /// What holds its releases back.
    pub freeze: Option<DrawnFreeze>,
    /// What is unusual about its traffic.
    pub traffic: Vec<DrawnTraffic>,
}

/// An image that is pushed, this long after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Push {
    pub after: Duration,
    pub image: Image,
    /// Whether ECR replicates it from another region, where it was pushed.
    pub replicated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    New(Behaviour),
    /// One whose tasks are healthy, and that answers worse than a good one.
    Flawed(Flaw),
    /// The image of an earlier push under another tag.
    Again(usize),
}

impl Image {
    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New(Behaviour::Healthy) => "healthy",
            Self::New(Behaviour::NeverHealthy) => "never healthy",
            Self::New(Behaviour::Exits) => "exits",
            Self::New(Behaviour::ExitsAfter(_)) => "exits after a while",
            Self::New(Behaviour::FailsAfter(_)) => "fails after a while",
            Self::New(Behaviour::FailsUnderTraffic) => "fails under traffic",
            Self::Flawed(flaw) => flaw.as_str(),
            Self::Again(_) => "the same again",
        }
    }
}

/// What an operator answers to an approval, this long after it is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalAnswer {
    pub approves: bool,
    pub after: Duration,
}

/// One thing that goes wrong, or that an operator does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incident {
    Call {
        function: &'static str,
        nth: usize,
        fault: CallFault,
    },
    /// Lambda delivers the event of an attempt a second time.
    Duplicate {
        function: &'static str,
        nth: usize,
        after: Duration,
    },
    /// A service throttles everything for a while.
    Throttle {
        service: &'static str,
        from: Duration,
        lasts: Duration,
    },
    /// A delivery of an event of this source goes wrong.
    Event {
        source: &'static str,
        nth: usize,
        mishap: Mishap,
    },
    /// Something is wrong with CloudWatch.
    Metrics(Metrics),
    Act {
        when: When,
        act: Act,
    },
}

/// This long after something that still means the same when other incidents are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    pub anchor: Anchor,
    pub after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Push(usize),
    /// An approval begins to wait.
    Approval(usize),
    /// `roll-back` takes a release over.
    RollBack(usize),
    /// The start of an attempt of a function.
    Attempt {
        function: &'static str,
        nth: usize,
    },
}

impl Anchor {
    /// Whether it is the start of this attempt of a function, counted from 0.
    pub(super) fn is_attempt(self, function: &str, nth: usize) -> bool {
        matches!(self, Self::Attempt { function: of, nth: at } if of == function && at == nth)
    }
}

/// What an operator does, or what happens to tasks and instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// An operator stops the newest execution that is in progress.
    Stop { abandon: bool },
    /// An operator retries the failed actions of the newest failed execution.
    Retry,
    /// An operator starts the pipeline with the image of a push.
    Start { push: usize },
    /// An operator invokes roll-back to undo the newest execution.
    AskRollBack,
    /// An operator sets the count.
    SetCount(u32),
    /// An operator deploys the oldest revision of the service that is live.
    SetDefinition,
    /// An operator deploys the oldest revision of the idle colour of a pair.
    SetIdleDefinition,
    /// An operator deregisters the revision that the live service runs, as clean-up scripts do.
    Deregister,
    /// An operator sends this many percent of a pair's traffic to blue, the rest to green.
    SetWeights(u32),
    /// A tool pushes something about the newest image, which cannot run.
    PushArtifact(Artifact),
    /// An operator updates the service's stack while no release is open.
    UpdateStack,
    /// A task that serves dies.
    TaskDies,
    /// A task that serves does not answer for this long.
    TaskSilent(Duration),
    /// Tasks of others hold the ports of an instance for this long.
    InstanceBusy(Duration),
    /// An instance with a task of the service is DRAINING for this long.
    InstanceDrains(Duration),
    /// An Availability Zone has a task of the service too many, which ECS moves.
    ZoneUneven,
    /// Automatic scaling adds a task a minute, this many in all.
    Scales(u32),
    /// Automatic scaling removes a task a minute for this many minutes, down to [`LEAST_TASKS`] and
    /// never while ECS deploys.
    ScalesIn(u32),
    /// Another writer changes the zone of the records again and again for this long.
    ZoneChanges(Duration),
    /// An alarm that the pipeline or ECS looks at is in ALARM for this long.
    AlarmActive(Duration),
    /// An operator disables the transition into the environment of this number of a promotion.
    StopLine { environment: usize },
}

impl Act {
    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop { abandon: true } => "stop and abandon",
            Self::Stop { abandon: false } => "stop and wait",
            Self::Retry => "retry the stage",
            Self::Start { .. } => "start by hand",
            Self::AskRollBack => "ask for a rollback",
            Self::SetCount(_) => "set the count",
            Self::SetDefinition | Self::SetIdleDefinition => "deploy by hand",
            Self::Deregister => "deregister what runs",
            Self::SetWeights(_) => "set the weights",
            Self::PushArtifact(artifact) => artifact.as_str(),
            Self::UpdateStack => "update the stack",
            Self::TaskDies => "a task dies",
            Self::TaskSilent(_) => "a task does not answer",
            Self::InstanceBusy(_) => "an instance is busy",
            Self::InstanceDrains(_) => "an instance drains",
            Self::ZoneUneven => "a zone is uneven",
            Self::Scales(_) => "automatic scaling adds tasks",
            Self::ScalesIn(_) => "automatic scaling removes tasks",
            Self::ZoneChanges(_) => "another writer changes the zone",
            Self::AlarmActive(_) => "an alarm is active",
            Self::StopLine { .. } => "disable a transition",
        }
    }

    /// Whether it is something that happens to tasks and instances.
    #[must_use]
    pub fn is_accident(self) -> bool {
        matches!(
            self,
            Self::TaskDies | Self::TaskSilent(_) | Self::InstanceBusy(_) | Self::InstanceDrains(_)
        )
    }
}

impl Incident {
    /// Whether it is nothing that a release may notice.
    #[must_use]
    pub fn is_unrelated(&self) -> bool {
        let Self::Act { act, .. } = self else {
            return false;
        };
        matches!(
            act,
            Act::PushArtifact(_) | Act::Scales(_) | Act::ScalesIn(_)
        )
    }

    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Call { fault, .. } => fault_word(*fault),
            Self::Duplicate { after, .. } if *after < Duration::from_secs(10) => {
                "a delivery comes twice at once"
            }
            Self::Duplicate { .. } => "a delivery comes again late",
            Self::Throttle {
                service: "route53", ..
            } => "Route 53 throttles for a while",
            Self::Throttle { .. } => "a service throttles for a while",
            Self::Event {
                mishap: Mishap::Lost,
                ..
            } => "an event is lost",
            Self::Event {
                mishap: Mishap::Late(_),
                ..
            } => "an event is late",
            Self::Event {
                mishap: Mishap::Again(_),
                ..
            } => "an event comes twice",
            Self::Metrics(metrics) => metrics.as_str(),
            Self::Act { act, .. } => act.as_str(),
        }
    }
}

/// A word for the fault of a call, for counting.
#[must_use]
pub(super) fn fault_word(fault: CallFault) -> &'static str {
    match fault {
        CallFault::None => "nothing",
        CallFault::CrashAfter(_) => "a crash after a call",
        CallFault::CrashBefore(_) => "a crash before a call",
        CallFault::ThrottleFrom(..) => "calls are throttled",
        CallFault::TimeoutAfterEffect(_) => "a time-out after the effect",
        CallFault::From { trouble, .. } => match trouble {
            Trouble::Silence { .. } => "calls get no answer",
            Trouble::Refused => "connections are refused",
            Trouble::Reset => "connections are reset",
            Trouble::Page { .. } => "a proxy answers",
            Trouble::InternalError { .. } => "internal errors",
            Trouble::CutOff => "responses are cut off",
            Trouble::Conflict => "conflicts of transactions",
            Trouble::Passing => "refusals that pass",
            Trouble::Credentials => "credentials are not taken",
        },
        CallFault::HangAfter(_, Hang::For(_)) => "a hang",
        CallFault::HangAfter(_, Hang::UntilLeft(_)) => "a hang to the last moment",
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {} (shape {})",
            self.seed, self.shape, self.shape.number
        )?;
        if let Some(freeze) = self.freeze {
            writeln!(f, "  frozen: {freeze:?}")?;
        }
        let mut traffic = self.traffic.iter();
        traffic.try_for_each(|it| writeln!(f, "  {}: {it:?}", it.as_str()))?;
        for (number, push) in self.pushes.iter().enumerate() {
            match push.image {
                Image::New(behaviour) => {
                    let how = if push.replicated { ", replicated" } else { "" };
                    writeln!(
                        f,
                        "  push {number} after {:?}: {behaviour:?}{how}",
                        push.after
                    )?
                }
                Image::Flawed(flaw) => {
                    writeln!(f, "  push {number} after {:?}: {flaw:?}", push.after)?
                }
                Image::Again(of) => writeln!(
                    f,
                    "  push {number} after {:?}: the image of push {of} again",
                    push.after
                )?,
            }
        }

        let is_decided = self.shape.approval || self.shape.canary().is_some();
        for answer in self.answers.iter().filter(|_| is_decided) {
            writeln!(
                f,
                "  {} after {:?}",
                if answer.approves {
                    "approves"
                } else {
                    "rejects"
                },
                answer.after
            )?;
        }

        self.incidents
            .iter()
            .try_for_each(|incident| writeln!(f, "  {incident}"))
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call {
                function,
                nth,
                fault,
            } => write!(f, "attempt {nth} of {function}: {fault:?}"),
            Self::Duplicate {
                function,
                nth,
                after,
            } => {
                write!(
                    f,
                    "attempt {nth} of {function}: delivered again after {after:?}"
                )
            }
            Self::Throttle {
                service,
                from,
                lasts,
            } => write!(f, "{service} throttles from {from:?} on for {lasts:?}"),
            Self::Event {
                source,
                nth,
                mishap,
            } => write!(f, "delivery {nth} of {source}: {mishap:?}"),
            Self::Metrics(metrics) => write!(f, "{}: {metrics:?}", metrics.as_str()),
            Self::Act {
                when: When { anchor, after },
                act,
            } => {
                write!(f, "{after:?} after ")?;
                match anchor {
                    Anchor::Push(number) => write!(f, "push {number}")?,
                    Anchor::Approval(number) => write!(f, "approval {number} is requested")?,
                    Anchor::RollBack(number) => write!(f, "rollback {number} begins")?,
                    Anchor::Attempt { function, nth } => {
                        write!(f, "attempt {nth} of {function} starts")?
                    }
                }
                write!(f, ": {} ({act:?})", act.as_str())
            }
        }
    }
}
