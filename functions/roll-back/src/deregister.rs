//! The revisions that a release registered and that do not run when it ends: they are deregistered,
//! so that a deployment of a family's newest revision, such as a stack update, does not bring them
//! back.
//!
//! Never deregisters a revision that the release did not register, or that is in use, as far as the
//! leases, the release's own service and the tasks in the clusters of all leases show. Tasks in
//! other clusters are not observed, nor are those in a cluster that the release's deploy role may
//! not read: its family is not deployed there under that role. The revision of another service
//! without tasks is shown by DescribeServices alone, which the role may not call for it, and no
//! call of Amazon ECS lists the services of a revision. Such a service keeps an INACTIVE revision,
//! and can still scale with it (Amazon ECS API: DeregisterTaskDefinition).

use std::collections::BTreeSet;

use slipway::aws::{AwsError, ErrorKind, Listing, Unreadable};
use slipway::job::{Failure, StepError};
use slipway::limits::DEREGISTRATION_DEADLINE;
use slipway::observed::service::{DeploymentView, revision};
use slipway::release::{Lease, PendingDeregistration, Release, Target};
use slipway::timestamp::readable;

use crate::RollBack;

/// The status of a closed release whose revisions are not deregistered.
const IN_USE: &str = "its revisions are in use, and not deregistered";

impl RollBack {
    /// Deregisters the revisions of a release that is about to be closed.
    pub(crate) async fn deregister_revisions(
        &self,
        lease: &Lease,
        release: &Release,
    ) -> Result<(), StepError> {
        self.deregister_unused(lease, release, false).await?;
        Ok(())
    }

    /// Tries again to deregister the revisions of a closed release, for a day. A refusal meanwhile
    /// is in the release's record.
    pub(crate) async fn retry_deregistration(
        &self,
        pending: &PendingDeregistration,
    ) -> Result<Option<String>, StepError> {
        let retired = match pending.release() {
            Some(release) => self.deregister_unused(&pending.lease, release, true).await,
            None => Ok(true),
        };
        let waits = !pending.is_overdue(self.sdk.now());

        let status = match retired {
            Ok(true) => "deregistered the revisions of the closed release",
            Ok(false) if waits => return Ok(Some(IN_USE.to_owned())),
            Ok(false) => IN_USE,
            Err(error) if waits => {
                let status = format!("failed to deregister its revisions: {}", error.cause());
                return Ok(Some(status));
            }
            Err(error) => {
                self.ledger.delete_deregistration(pending).await?;
                return Err(Failure::job(format!(
                    "its revisions are not deregistered after {}: {}; run {}",
                    readable(DEREGISTRATION_DEADLINE),
                    error.cause(),
                    pending.command()
                ))
                .into());
            }
        };
        self.ledger.delete_deregistration(pending).await?;
        Ok(Some(status.to_owned()))
    }

    /// Deregisters those revisions of a release that are not used, and returns whether these were
    /// all. An item of the ledger that cannot be read keeps what it may name. While the release is
    /// open, its own tasks are on their way out; once it `is_closed` they count like others.
    async fn deregister_unused(
        &self,
        lease: &Lease,
        release: &Release,
        is_closed: bool,
    ) -> Result<bool, StepError> {
        let mut made = self.registered_revisions(release).await?;
        made.retain(|arn| !is_prior(release, arn));
        if made.is_empty() {
            return Ok(true);
        }

        let listing = self.ledger.leases().await?;
        let own = if is_closed { None } else { Some(lease) };
        let mut running = self.run_by_others(lease, release, (own, &listing)).await?;
        // After a change the service was just proven to run the prior revision. Without one it was
        // not looked at.
        if is_closed || release.change().is_none() {
            running.extend(self.running(lease, release).await?);
        }

        let mut are_unused = true;
        let mut kept = None;
        for arn in made {
            let is_next = is_closed && is_named_by_next(&arn, lease, &listing.leases);
            let mut unreadable = listing.unreadable.iter();
            if is_next || is_in_use(&arn, &running, lease, &listing.leases) {
                tracing::warn!(revision = revision(&arn), "in use, and not deregistered");
                are_unused = false;
            } else if let Some(unreadable) = unreadable.find(|item| item.may_name(&arn)) {
                kept = Some(unreadable.error.clone());
            } else {
                self.task_definitions.deregister(&arn).await?;
            }
        }
        match kept {
            Some(unreadable) => Err(unreadable.into()),
            None => Ok(are_unused),
        }
    }

    /// The ACTIVE revisions that the release registered, by their marks. The recorded one has none
    /// if an earlier version of this project registered it.
    async fn registered_revisions(&self, release: &Release) -> Result<Vec<String>, StepError> {
        let Some(announced) = &release.registering else {
            return Ok(Vec::new());
        };
        let newest = announced.newest.as_deref();
        let (execution, began) = (&release.execution, release.began_at);
        let marked = self
            .task_definitions
            .registered_by(execution, &announced.family, newest, began)
            .await?;
        let mut arns: Vec<_> = marked.into_iter().map(|(arn, _)| arn).collect();

        let unmarked = release
            .registered
            .as_ref()
            .filter(|arn| !arns.contains(arn));
        if let Some(arn) = unmarked
            && self.task_definitions.is_active(arn).await?
        {
            arns.push(arn.clone());
        }
        Ok(arns)
    }

    /// The revisions of the release's family that other services run. No lease records what a
    /// service runs once its release has ended, or if it is never released, so the tasks are read,
    /// in the clusters of all leases, which include the release's own. The services of the lease
    /// `own` are left out.
    async fn run_by_others(
        &self,
        lease: &Lease,
        release: &Release,
        (own, listing): (Option<&Lease>, &Listing),
    ) -> Result<BTreeSet<String>, StepError> {
        let Some(announced) = &release.registering else {
            return Ok(BTreeSet::new());
        };
        let mut running = BTreeSet::new();
        let unreadable = listing.unreadable.iter().filter_map(Unreadable::cluster);
        let unreadable: Vec<String> = unreadable.collect();
        let mut all = clusters(&listing.leases);
        all.extend(unreadable.iter().map(String::as_str));

        for cluster in all {
            let own = own.map_or_else(Vec::new, |own| own_services(cluster, own, release));
            let others = self
                .services
                .running_revisions(cluster, &announced.family, &own);
            match others.await {
                Err(error) if is_out_of_reach(&error, cluster, lease, release) => {
                    tracing::warn!(cluster, %error, "not observed");
                }
                others => running.extend(others?),
            }
        }
        Ok(running)
    }

    /// The revisions that the release's own service works towards, or the services of its pair. An
    /// older deployment only ends its tasks, and a colour without tasks runs nothing.
    async fn running(&self, lease: &Lease, release: &Release) -> Result<Vec<String>, StepError> {
        let mut running = Vec::new();
        for service in &services(lease, release) {
            let seen = self.services.describe(&lease.cluster, service).await?;
            let primary = seen.as_ref().and_then(|seen| seen.view.primary());
            let used = primary.filter(|primary| has_tasks(primary));
            running.extend(used.map(|primary| primary.task_definition.clone()));
        }
        Ok(running)
    }
}

/// Whether a revision runs, or the open release of another service found, registered or deploys it.
fn is_in_use(arn: &str, running: &BTreeSet<String>, lease: &Lease, leases: &[Lease]) -> bool {
    let mut others = leases
        .iter()
        .filter(|other| !other.is_of_same_service(lease))
        .filter_map(|other| other.release.as_ref());
    running.contains(arn) || others.any(|release| release.names(arn))
}

/// Whether the release that holds the service now names a revision of the closed one.
fn is_named_by_next(arn: &str, lease: &Lease, leases: &[Lease]) -> bool {
    let mut next = leases
        .iter()
        .filter(|other| other.is_of_same_service(lease))
        .filter_map(|other| other.release.as_ref());
    next.any(|release| release.names(arn))
}

/// Whether the tasks of this cluster stay unread. Any other error may hide what runs there.
fn is_out_of_reach(error: &AwsError, cluster: &str, lease: &Lease, release: &Release) -> bool {
    error.kind == ErrorKind::Permission && may_be_unreadable(cluster, lease, release)
}

/// Whether the release may be unable to read this cluster: its deploy role need only read its own.
fn may_be_unreadable(cluster: &str, lease: &Lease, release: &Release) -> bool {
    release.deploy_role.is_some() && cluster != lease.cluster_name()
}

/// The services in a cluster whose tasks are on their way out: the release's own.
fn own_services(cluster: &str, lease: &Lease, release: &Release) -> Vec<String> {
    if cluster == lease.cluster_name() {
        services(lease, release)
    } else {
        Vec::new()
    }
}

/// Whether a deployment has tasks or is about to have some.
fn has_tasks(deployment: &DeploymentView) -> bool {
    deployment.desired > 0 || deployment.running > 0
}

/// The names of the clusters of all services with a lease.
fn clusters(leases: &[Lease]) -> BTreeSet<&str> {
    leases.iter().map(Lease::cluster_name).collect()
}

/// Whether a rollback restores this revision to the release's own service: a deregistered one was
/// registered again by the release.
fn is_prior(release: &Release, arn: &str) -> bool {
    match release.target() {
        Some(Target::Service(service)) => service.prior.task_definition == arn,
        Some(Target::Pair(_)) | None => false,
    }
}

/// The names of the release's own service, or of the services of its pair.
fn services(lease: &Lease, release: &Release) -> Vec<String> {
    match release.target() {
        Some(target) => target.services(&lease.service),
        None => vec![lease.service.clone()],
    }
}

#[cfg(test)]
mod tests {
    use slipway::observed::service::Rollout;
    use slipway::release::DeployRole;
    use slipway::timestamp::Timestamp;

    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:cluster/apps";

    #[test]
    fn a_revision_of_another_service_s_open_release_is_in_use_before_it_runs() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let held = |cluster: &str, service: &str, registered: &str| Lease {
            release: Some(Release {
                registered: Some(registered.to_owned()),
                ..Release::begin("e-1", "slipway-web", None, now)
            }),
            ..Lease::unwritten(cluster, service)
        };
        let lease = held(ARN, "web", "web:2");
        let leases = [
            held("apps", "web", "web:2"),
            held("apps", "api", "web:3"),
            held("shop", "web", "web:4"),
            Lease::unwritten("apps", "shop"),
        ];
        let running = BTreeSet::from(["web:1".to_owned()]);

        let in_use = |arn: &str| is_in_use(arn, &running, &lease, &leases);
        assert!(["web:1", "web:3", "web:4"].into_iter().all(in_use));
        assert!(!in_use("web:2"), "its own");

        let is_next = |arn: &str| is_named_by_next(arn, &lease, &leases);
        assert!(is_next("web:2"));
        assert!(!["web:1", "web:3", "web:4"].into_iter().any(is_next));
    }

    #[test]
    fn a_cluster_is_the_same_by_its_name_and_by_its_arn() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let held = Lease {
            release: Some(Release::begin("e-2", "slipway-shop", None, now)),
            ..Lease::unwritten("shop", "shop")
        };
        let leases = [
            Lease::unwritten(ARN, "web-internal"),
            Lease::unwritten("apps", "api"),
            held,
        ];

        assert_eq!(clusters(&leases), BTreeSet::from(["apps", "shop"]));
    }

    #[test]
    fn a_service_of_the_same_name_in_another_cluster_is_not_the_release_s_own() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let release = Release::begin("e-1", "slipway-web", None, now);
        let lease = Lease::unwritten(ARN, "web");

        assert_eq!(own_services("apps", &lease, &release), ["web"]);
        assert_eq!(own_services("shop", &lease, &release), [""; 0]);
    }

    #[test]
    fn only_a_release_under_a_role_may_leave_another_cluster_unread() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let own = Release::begin("e-1", "web", None, now);
        let role = DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
            region: None,
        };
        let under_role = Release {
            deploy_role: Some(role),
            ..own.clone()
        };
        let lease = Lease::unwritten(ARN, "web");

        assert!(may_be_unreadable("shop", &lease, &under_role));
        assert!(!may_be_unreadable("apps", &lease, &under_role));
        assert!(!may_be_unreadable("shop", &lease, &own));

        let unread = |kind| {
            let error = AwsError {
                operation: "ecs:ListTasks",
                kind,
                code: "Code".to_owned(),
                message: "why".to_owned(),
            };
            is_out_of_reach(&error, "shop", &lease, &under_role)
        };
        assert!(unread(ErrorKind::Permission));
        assert!(!unread(ErrorKind::Busy) && !unread(ErrorKind::Credentials));
    }

    #[test]
    fn a_deployment_has_tasks_while_they_stop_and_before_they_start() {
        let deployment = |desired, running| DeploymentView {
            id: "ecs-svc/1".to_owned(),
            primary: true,
            task_definition: "web:1".to_owned(),
            rollout: Rollout::Completed,
            reason: String::new(),
            desired,
            running,
            pending: 0,
            failed_tasks: 0,
        };

        assert!(has_tasks(&deployment(0, 1)));
        assert!(has_tasks(&deployment(1, 0)));
        assert!(!has_tasks(&deployment(0, 0)));
    }
}
