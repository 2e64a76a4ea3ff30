//! `slipway status`: which releases are open, what they wait for, and what the services run.

use std::collections::BTreeMap;

use clap::Args;
use clap::builder::RangedI64ValueParser;
use serde_json::{Value, json};
use slipway::aws::{Pipelines, Services};
use slipway::observed::colour::PerColour;
use slipway::observed::pipeline::StageNow;
use slipway::observed::service::{Rollout, ServiceView, revision};
use slipway::release::{Lease, Release, Standing};
use slipway::timestamp::readable;

use crate::words::{Place, digest, instant, name_of, place};
use crate::{Answer, Block, Cell, Failed, Limit, Session, Table, Tone, find};

/// How many pipelines are read for the releases of all services: the others show what the ledger
/// has.
const PIPELINES: usize = 12;

/// Shows which releases are open and what they wait for; of one service also what it runs.
///
/// Fields without SERVICE: service, state, since, digest, pipeline, execution, step.
#[derive(Debug, Args)]
pub struct Status {
    /// The service or the pair, `SERVICE` or `CLUSTER/SERVICE`; all of them without it.
    pub service: Option<String>,
    /// Look again and again until the release has ended; the exit code is how. Without SERVICE,
    /// until no release is open. In a pipe each change is a line.
    #[arg(long)]
    pub watch: bool,
    /// How long a look of --watch waits for the next one, in seconds, 2 or more.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds())]
    pub every: u32,
    #[command(flatten)]
    pub limit: Limit,
}

/// Each look reads the state of a pipeline, whose calls CodePipeline counts for the whole account,
/// those of the functions too.
fn seconds() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(2..=3_600)
}

impl Status {
    /// # Errors
    /// When a call fails, or the ledger does not know the service.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let (answer, _) = self.look(session).await?;
        Ok(answer)
    }

    /// What is shown, and the executions whose releases are open or have not begun.
    pub(crate) async fn look(&self, session: &Session) -> Result<(Answer, Vec<String>), Failed> {
        let Some(name) = &self.service else {
            return all(session).await;
        };
        let lease = find::lease(session, name).await?;
        let open = lease.release.iter().map(|it| it.execution.clone());
        let open = open.collect();
        Ok((one(session, &lease).await?, open))
    }
}

/// The stages of the pipelines that were looked at, none of one that could not be read, and why.
#[derive(Default)]
struct Pictures {
    stages: BTreeMap<String, Option<Vec<StageNow>>>,
    warnings: Vec<String>,
}

impl Pictures {
    async fn look(&mut self, session: &Session, pipeline: &str) {
        if self.stages.contains_key(pipeline) || self.stages.len() >= PIPELINES {
            return;
        }
        let read = Pipelines::new(&session.sdk).stages(pipeline).await;
        let stages = read.map_err(|error| self.warnings.push(error.to_string()));
        self.stages.insert(pipeline.to_owned(), stages.ok());
    }

    /// Where an execution is: unread, if its pipeline is not known.
    fn of(&self, release: &Release) -> Seen<'_> {
        match self.stages.get(&release.pipeline) {
            Some(Some(stages)) => Seen::Read(place(stages, &release.execution)),
            Some(None) | None => Seen::Unread,
        }
    }
}

/// What is known of where an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen<'a> {
    Unread,
    Read(Option<Place<'a>>),
}

async fn all(session: &Session) -> Result<(Answer, Vec<String>), Failed> {
    let listing = session.ledger().leases().await?;
    let mut leases: Vec<&Lease> = listing.leases.iter().collect();
    leases.sort_by_key(|lease| (lease.release.is_none(), name_of(lease)));

    let mut pictures = Pictures::default();
    for release in leases.iter().filter_map(|lease| lease.release.as_ref()) {
        pictures.look(session, &release.pipeline).await;
    }

    let mut table = Table::new(vec![
        "service",
        "state",
        "since",
        "digest",
        "pipeline",
        "execution",
        "step",
    ]);
    for lease in &leases {
        table.push(row(lease, &pictures));
    }
    let mut started = Table::new(vec!["pipeline", "started execution, without a release yet"]);
    for mark in &listing.started {
        started.push(vec![
            mark.pipeline.as_str().into(),
            mark.execution.as_str().into(),
        ]);
    }

    let json = json!({
        "services": leases.iter().map(|lease| json_of(lease, &pictures)).collect::<Vec<_>>(),
        "started": listing.started,
    });
    let blocks = vec![Block::Table(table), Block::Table(started)];
    let mut warnings = pictures.warnings;
    if leases.is_empty() && listing.unreadable.is_empty() {
        warnings.push("the ledger has no service: no release has begun yet".to_owned());
    }
    let answer = Answer::new(blocks, json).warning(warnings);
    let begun = leases.iter().filter_map(|lease| lease.release.as_ref());
    let begun = begun.map(|release| &release.execution);
    let started = listing.started.iter().map(|mark| &mark.execution);
    let open = begun.chain(started).cloned().collect();
    Ok((answer.warning_of(&listing.unreadable), open))
}

async fn one(session: &Session, lease: &Lease) -> Result<Answer, Failed> {
    let now = session.sdk.now();
    let mut pictures = Pictures::default();
    let mut fields: Vec<(&'static str, Cell)> = vec![("service", name_of(lease).into())];
    if let Some(release) = &lease.release {
        pictures.look(session, &release.pipeline).await;
        let since = readable(now.since(release.began_at));
        fields.extend([
            ("state", state(release)),
            ("since", instant(Some(release.began_at))),
            ("for", since.into()),
            ("digest", digest(release.digest.as_deref())),
            ("pipeline", release.pipeline.as_str().into()),
            ("execution", release.execution.as_str().into()),
            ("step", step(lease, release, pictures.of(release)).into()),
        ]);
    } else {
        fields.push(("state", free(lease)));
        let drift = lease.left.as_ref().and_then(|left| left.shown_drift());
        fields.extend(drift.map(|shown| ("drift", shown.into())));
    }

    let (running, why) = running(session, lease).await;
    pictures.warnings.extend(why);
    let mut table = Table::new(vec!["service", "weight", "revision", "tasks", "rollout"]);
    for service in &running {
        table.push(service.row());
    }
    let mut json = json_of(lease, &pictures);
    json["runs"] = running.iter().map(Running::json).collect();
    let blocks = vec![Block::Fields(fields), Block::Table(table)];
    Ok(Answer::new(blocks, json).warning(pictures.warnings))
}

fn row(lease: &Lease, pictures: &Pictures) -> Vec<Cell> {
    let name = Cell::from(name_of(lease));
    let Some(release) = &lease.release else {
        let none = || Cell::from("-");
        let state = free(lease);
        return vec![name, state, none(), none(), none(), none(), none()];
    };
    vec![
        name,
        state(release),
        instant(Some(release.began_at)),
        digest(release.digest.as_deref()),
        release.pipeline.as_str().into(),
        release.execution.as_str().into(),
        step(lease, release, pictures.of(release)).into(),
    ]
}

fn json_of(lease: &Lease, pictures: &Pictures) -> Value {
    let release = lease.release.as_ref();
    let step = release.map(|release| step(lease, release, pictures.of(release)));
    json!({"service": name_of(lease), "lease": lease, "step": step})
}

/// Whether a service that no release holds runs what its last release left.
fn free(lease: &Lease) -> Cell {
    match lease.left.as_ref().and_then(|left| left.drift.as_ref()) {
        Some(_) => Cell::new("drifted", Tone::Bad),
        None => Cell::new("free", Tone::Good),
    }
}

/// How far an open release is.
fn state(release: &Release) -> Cell {
    let standing = release.standing();
    let tone = match standing {
        Standing::RollingBack | Standing::ReturningTraffic | Standing::Failed => Tone::Bad,
        Standing::WaitingForDecision | Standing::Beginning | Standing::Open => Tone::Waiting,
    };
    Cell::new(&standing.to_string(), tone)
}

/// What an open release does or waits for, with the command by which an operator ends the wait.
fn step(lease: &Lease, release: &Release, seen: Seen<'_>) -> String {
    let name = name_of(lease);
    if release.awaits_decision() {
        return format!(
            "the judgement is inconclusive: slipway decide promote {name}, or roll-back"
        );
    }
    if let Some(returning) = release.pair().and_then(|pair| pair.traffic_return.as_ref()) {
        return format!("traffic returns: {}", returning.reason);
    }

    let place = match (seen, &release.failure) {
        (Seen::Read(place), _) => place,
        (Seen::Unread, Some(_)) => None,
        (Seen::Unread, None) => return format!("not read; see slipway status {name}"),
    };
    match place {
        Some(Place::Before {
            stage,
            disabled: Some(reason),
        }) => format!("the transition into stage {stage} is disabled: {reason}"),
        Some(Place::Before { stage, .. }) => format!("waits for stage {stage}"),
        Some(Place::Approval { action }) => {
            format!("{action} waits for an approval: slipway approve {name}")
        }
        Some(Place::Running(action)) => {
            let percent = action.percent.map(|percent| format!(" {percent}%"));
            let summary = action.summary.as_ref().map(|text| format!(": {text}"));
            let name = Some(action.name.clone());
            [name, percent, summary].into_iter().flatten().collect()
        }
        None => match &release.failure {
            Some(failure) => failure.message.clone(),
            None => "between two actions".to_owned(),
        },
    }
}

/// What a service, or one of a pair, was seen to run.
struct Running {
    name: String,
    weight: Option<u32>,
    view: Option<ServiceView>,
}

impl Running {
    fn row(&self) -> Vec<Cell> {
        let weight = self.weight.map_or("-".to_owned(), |it| it.to_string());
        let name = Cell::from(self.name.as_str());
        let Some(view) = &self.view else {
            return vec![name, weight.into(), "-".into(), "-".into(), "-".into()];
        };
        let primary = view.primary();
        let rollout = match primary.map(|primary| primary.rollout) {
            Some(Rollout::InProgress) => Cell::new("in progress", Tone::Waiting),
            Some(Rollout::Completed) => Cell::new("completed", Tone::Good),
            Some(Rollout::Failed) => Cell::new("failed", Tone::Bad),
            Some(Rollout::Absent) | None => "-".into(),
        };
        let runs = primary.map_or("-", |primary| revision(&primary.task_definition));
        vec![
            name,
            weight.into(),
            runs.into(),
            format!("{} of {}", view.running, view.desired).into(),
            rollout,
        ]
    }

    fn json(&self) -> Value {
        let view = self.view.as_ref();
        let primary = view.and_then(ServiceView::primary);
        json!({
            "service": self.name,
            "weight": self.weight,
            "task_definition": primary.map(|primary| &primary.task_definition),
            "desired": view.map(|view| view.desired),
            "running": view.map(|view| view.running),
            "pending": view.map(|view| view.pending),
        })
    }
}

/// The services of a lease as ECS shows them, and why it does not: a service of another account or
/// region is not read.
async fn running(session: &Session, lease: &Lease) -> (Vec<Running>, Option<String>) {
    let services = Services::new(&session.sdk);
    let (names, seen) = match colours(lease) {
        Some(PerColour { blue, green }) => {
            let both = services
                .describe_each(&lease.cluster, [&blue, &green])
                .await;
            (vec![blue, green], both.map(Vec::from))
        }
        None => {
            let one = services.describe(&lease.cluster, &lease.service).await;
            (vec![lease.service.clone()], one.map(|one| vec![one]))
        }
    };
    let (seen, why) = match seen {
        Ok(seen) => (seen, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };

    let weights = lease.known_weights();
    let mut seen = seen.into_iter();
    let running = names.into_iter().enumerate().map(|(at, name)| Running {
        name,
        weight: weights.map(|weights| *weights.as_array()[at]),
        view: seen.next().flatten().map(|observed| observed.view),
    });
    (running.collect(), why)
}

/// The services of a pair; none of a single service.
fn colours(lease: &Lease) -> Option<PerColour<String>> {
    if let Some(pair) = lease.release.as_ref().and_then(Release::pair) {
        return Some(pair.prior.services(&lease.service));
    }
    let known = lease.last_known.as_ref()?;
    Some(match &known.rule {
        Some(rule) => rule.services(&lease.service),
        None => PerColour::services(None, &lease.service),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_that_was_not_read_does_not_put_its_release_between_two_actions() {
        let lease: Lease = serde_json::from_value(json!({
            "v": 1, "cluster": "apps", "service": "web", "fence": 1,
            "release": {
                "execution": "e-1", "pipeline": "slipway-web", "state": "open",
                "began_at": "2026-01-05T09:00:00Z",
            },
        }))
        .expect("a lease");
        let release = lease.release.as_ref().expect("a release");
        let mut pictures = Pictures::default();
        let unread = "not read; see slipway status apps/web";
        assert_eq!(step(&lease, release, pictures.of(release)), unread);
        pictures.stages.insert("slipway-web".to_owned(), None);
        assert_eq!(step(&lease, release, pictures.of(release)), unread);

        let stages = Some(Vec::new());
        pictures.stages.insert("slipway-web".to_owned(), stages);
        let between = step(&lease, release, pictures.of(release));
        assert_eq!(between, "between two actions");
    }
}
