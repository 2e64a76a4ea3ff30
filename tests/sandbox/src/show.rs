//! The demo as a user sees it: live on a terminal, line by line in a pipe.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use console::style;
use emulator::Aws;
use emulator::codepipeline::{ActionExecution, ActionStatus, Execution};
use emulator::ecs::Service;
use emulator::elb::Elb;
use harness::demo::{CLUSTER, Chapter, Release, dns, promotion};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use invariants::ledger_reader::{executions, serving};
use slipway::timestamp::Timestamp;

/// Real time that a picture stays on a terminal: long enough to see, short enough to keep the demo
/// under seconds.
const FRAME: Duration = Duration::from_millis(15);

/// Prints a line. A reader that has gone, as in `cargo sandbox | head`, is not a reason to fail.
pub(crate) fn print(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Prints what changes, and only that.
pub(crate) struct Show {
    silent: bool,
    bar: Option<ProgressBar>,
    application: &'static str,
    seen: BTreeMap<(String, String), String>,
}

impl Show {
    /// Prints nothing.
    pub(crate) fn silent() -> Self {
        Self {
            silent: true,
            bar: None,
            application: "",
            seen: BTreeMap::new(),
        }
    }

    /// A bar that moves when standard error is a terminal; plain lines on standard output either
    /// way.
    pub(crate) fn for_terminal() -> Self {
        let bar = console::user_attended_stderr().then(|| {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("  {bar:24} {percent:>3}% {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        Self {
            silent: false,
            bar,
            application: "",
            seen: BTreeMap::new(),
        }
    }

    pub(crate) fn note(&self, line: &str) {
        if self.silent {
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| print(line)),
            None => print(line),
        }
    }

    pub(crate) fn begin(&mut self, chapter: &Chapter, aws: &Aws) {
        self.application = chapter.application;
        self.seen.clear();

        for execution in executions(aws, &format!("slipway-{}", chapter.application)) {
            self.changes(execution);
        }

        self.note(&format!(
            "\n{} — {} {}:{}",
            style(chapter.title).bold(),
            if chapter.application == promotion::ORDERS {
                "commit to"
            } else {
                "push"
            },
            chapter.application,
            chapter.tag
        ));
    }

    /// Shows the account at one instant.
    pub(crate) fn look(&mut self, aws: &Aws) {
        if self.silent {
            return;
        }

        let time = clock(aws);
        let lines: Vec<String> = executions(aws, &format!("slipway-{}", self.application))
            .flat_map(|execution| self.changes(execution))
            .collect();
        if lines.is_empty() {
            return;
        }

        let tasks = self.tasks(aws);
        for line in lines {
            self.note(&format!("  {time}  {line}  {tasks}"));
        }
        if let Some(bar) = &self.bar {
            bar.tick();
            std::thread::sleep(FRAME);
        }
    }

    /// Lines for the actions of an execution that are not as they were.
    fn changes(&mut self, execution: &Execution) -> Vec<String> {
        let mut lines = Vec::new();
        for (stage, action) in execution
            .stages
            .iter()
            .flat_map(|stage| stage.actions.iter().map(move |action| (stage, action)))
        {
            let (line, gist) = (line(action), gist(action));
            if let Some(bar) = self
                .bar
                .as_ref()
                .filter(|_| action.status == ActionStatus::InProgress)
            {
                bar.set_position(u64::from(action.percent.unwrap_or(0)));
                bar.set_message(format!("{} / {}", stage.name, action.name));
            }
            let key = (execution.id.clone(), action.id.clone());
            if self.seen.get(&key) != Some(&gist) {
                self.seen.insert(key, gist);
                lines.push(line);
            }
        }
        lines
    }

    /// The tasks of the service, of each environment, or of both colours with their weights, as a
    /// bar.
    fn tasks(&self, aws: &Aws) -> String {
        if let Some(service) = aws.ecs.service_named(CLUSTER, self.application) {
            return bar_of(aws, service);
        }
        if self.application == promotion::ORDERS {
            return environments(aws);
        }

        let of_records = (self.application == dns::SITE).then(|| dns::weights(aws));
        let colours = ["blue", "green"].into_iter().enumerate();
        let colours = colours.filter_map(|(at, colour)| {
            let service = aws
                .ecs
                .service_named(CLUSTER, &format!("{}-{colour}", self.application))?;
            let weight = of_records.map_or_else(|| weight(aws, service), |weights| weights[at]);
            Some(format!("{colour} {weight}{}", bar_of(aws, service)))
        });
        colours.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn end(&mut self, release: &Release) {
        let outcome = match release.outcome.as_str() {
            "deployed" | "unchanged" => style(&release.outcome).green(),
            _ => style(&release.outcome).yellow(),
        };
        self.note(&format!(
            "  {outcome}: {} ({} invocations, {} AWS calls)",
            release.reason, release.invocations, release.aws_calls
        ));
    }

    pub(crate) fn finish(&self, releases: &[Release]) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.note(&format!("\n{} releases ended as expected", releases.len()));
    }
}

/// The tasks of each environment.
fn environments(aws: &Aws) -> String {
    let services = promotion::SERVICES.into_iter();
    let services = services.filter_map(|name| aws.ecs.service_named(CLUSTER, name));
    let bars = services.map(|service| {
        let environment = service.name.rsplit('-').next().unwrap_or_default();
        format!("{environment}{}", bar_of(aws, service))
    });
    bars.collect::<Vec<_>>().join(" ")
}

/// The weight of the service's target group in the production rule: the one that names several
/// groups.
fn weight(aws: &Aws, service: &Service) -> i64 {
    let group = aws
        .ecs
        .tasks_of(&service.arn)
        .find_map(|task| Some(task.attachments.first()?.target_group.clone()));
    let rules = aws
        .elb
        .rules
        .values()
        .map(|rule| Elb::forwards(rule.properties.get("Actions")));
    let production = rules.filter(|forwards| forwards.len() > 1).flatten();

    production
        .filter(|(arn, _)| Some(arn) == group.as_ref())
        .map(|(_, weight)| weight)
        .next()
        .unwrap_or(0)
}

/// `●` serves, `○` runs or starts, `·` stops.
fn bar_of(aws: &Aws, service: &Service) -> String {
    let healthy = serving(aws, service).count();
    let all: Vec<_> = aws.ecs.tasks_of(&service.arn).collect();
    let stopping = all.iter().filter(|task| task.stopping).count();
    let starting = all.len().saturating_sub(healthy + stopping);

    format!(
        "[{}{}{}]",
        "●".repeat(healthy),
        "○".repeat(starting),
        "·".repeat(stopping)
    )
}

/// What must change for another line: how long something has taken does not count.
fn gist(action: &ActionExecution) -> String {
    let summary = action.summary.as_deref().unwrap_or_default();
    let news = summary.split([',', ';']).next().unwrap_or_default();
    match action.status {
        ActionStatus::InProgress => format!("InProgress {news}"),
        other => format!("{other:?} {summary}"),
    }
}

fn line(action: &ActionExecution) -> String {
    let state = match action.status {
        ActionStatus::Succeeded => "done".to_owned(),
        ActionStatus::InProgress => format!("{:>3}%", action.percent.unwrap_or(0)),
        other => format!("{other:?}").to_lowercase(),
    };
    let detail = action
        .error
        .as_ref()
        .map(|error| error.message.as_str())
        .or(action.summary.as_deref())
        .unwrap_or_default();
    format!("{:<26} {state:<6} {detail}", action.name)
}

fn clock(aws: &Aws) -> String {
    let time = std::time::UNIX_EPOCH + Duration::from_millis(aws.now.unsigned_abs());
    Timestamp::from(time)
        .to_string()
        .chars()
        .skip(11)
        .take(8)
        .collect()
}
