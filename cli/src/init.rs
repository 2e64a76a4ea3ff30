//! `slipway init`: the parameters of the stack that adopts a live service, and the notes for it.
//!
//! It never changes anything in AWS, nor a file that exists unless that is requested.

mod adoption;
mod checks;
mod found;
mod notes;
mod source;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{Answer, Block, Cell, Exit, Failed, Session, Table, Tone};
use adoption::Adoption;
use checks::Checks;
use found::Found;

/// Looks at a live service and writes what adopts it: a file with the parameters of its pipeline's
/// stack, and notes with what fits, what does not, the commands, and how to leave.
///
/// The checks are those of `plan`, made with your credentials. Nothing is changed in AWS. It ends
/// with 1 if a check is NG, and with 2 if the service cannot be adopted: nothing is written then.
#[derive(Debug, Args)]
pub struct Init {
    /// The service, or the pair whose services are SERVICE-blue and SERVICE-green.
    #[arg(long, value_name = "CLUSTER/SERVICE", value_parser = service_name)]
    pub from_service: ServiceName,
    /// The green service of a pair with other names; that of --from-service is the blue one.
    #[arg(long, value_name = "SERVICE")]
    pub green: Option<String>,
    /// How releases deploy. Without it blue-green for a pair, make-room for tasks with fixed ports
    /// of their instances, and rolling for others.
    #[arg(long, value_enum)]
    pub strategy: Option<ReleaseStrategy>,
    /// The container that gets the image, if several could.
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// The repository of Amazon ECR to which images are pushed, if not that of the image that runs.
    #[arg(long, value_name = "NAME")]
    pub repository: Option<String>,
    /// The listener rule of a pair, if several forward to both services.
    #[arg(long, value_name = "ARN")]
    pub rule: Option<String>,
    /// The folder of the files.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub output: PathBuf,
    /// Write over files that exist.
    #[arg(long)]
    pub force: bool,
}

/// A service with its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName {
    pub cluster: String,
    pub service: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReleaseStrategy {
    /// In waves between a floor and a ceiling.
    Rolling,
    /// A whole second set first.
    Doubling,
    /// A task stops before its replacement starts.
    MakeRoom,
    /// A second service, to which the traffic moves.
    BlueGreen,
    /// The same, judged by metrics at a small share of the traffic.
    Canary,
}

impl ReleaseStrategy {
    #[must_use]
    pub fn is_of_pair(self) -> bool {
        matches!(self, Self::BlueGreen | Self::Canary)
    }

    /// As templates and the command line name it.
    fn name(self) -> &'static str {
        match self {
            Self::Rolling => "rolling",
            Self::Doubling => "doubling",
            Self::MakeRoom => "make-room",
            Self::BlueGreen => "blue-green",
            Self::Canary => "canary",
        }
    }
}

fn service_name(text: &str) -> Result<ServiceName, String> {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [cluster, service] if !cluster.is_empty() && !service.is_empty() => Ok(ServiceName {
            cluster: (*cluster).to_owned(),
            service: (*service).to_owned(),
        }),
        _ => Err("expected the names of a cluster and a service, CLUSTER/SERVICE".to_owned()),
    }
}

impl Init {
    /// # Errors
    /// If there is no such service, it cannot be adopted, a file exists, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let found = Found::look(session, self).await?;
        let cluster = &self.from_service.cluster;
        let parameters = adoption::action_parameters(cluster, &found);
        let checks = Checks::make(session, &parameters).await?;
        if let Some(why) = checks.refusal() {
            return Err(Failed::Refused(format!(
                "{cluster}/{} cannot be adopted: {why}",
                found.name
            )));
        }

        let adoption = Adoption::of(session, cluster, &found).await?;
        let files = Files::of(&self.output, &adoption.stack);
        if let Some(existing) = files.both().into_iter().find(|file| file.exists())
            && !self.force
        {
            return Err(exists(existing));
        }
        let notes = notes::text(&adoption, &found, &checks, &files.parameters);
        let parameters = format!("{:#}\n", adoption.file());
        write(&files.parameters, &parameters, self.force)?;
        write(&files.notes, &notes, self.force)?;
        Ok(answer(&adoption, &checks, &files))
    }
}

/// Where the parameters and the notes are written.
struct Files {
    parameters: PathBuf,
    notes: PathBuf,
}

impl Files {
    fn of(folder: &Path, stack: &str) -> Self {
        Self {
            parameters: folder.join(format!("{stack}.json")),
            notes: folder.join(format!("{stack}.md")),
        }
    }

    fn both(&self) -> [&Path; 2] {
        [&self.parameters, &self.notes]
    }
}

fn exists(file: &Path) -> Failed {
    let file = file.display();
    Failed::Refused(format!(
        "{file} exists; expected another folder in --output, or --force to write over it"
    ))
}

/// Writes a file, over one that exists only if that is requested.
fn write(file: &Path, text: &str, force: bool) -> Result<(), Failed> {
    let mut options = OpenOptions::new();
    let options = options.write(true);
    let options = if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let mut opened = match options.open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(exists(file)),
        Err(error) => return Err(unwritten(file, &error)),
    };
    let written = opened.write_all(text.as_bytes());
    written.map_err(|error| unwritten(file, &error))
}

fn unwritten(file: &Path, error: &std::io::Error) -> Failed {
    Failed::Unknown(format!("failed to write {}: {error}", file.display()))
}

fn answer(adoption: &Adoption, checks: &Checks, files: &Files) -> Answer {
    let [parameters, notes] = files.both().map(|file| file.display().to_string());
    let count = |state: &str| checks.of_state(state).count();
    let counts = [
        ("OK", count("OK")),
        ("NG", count("NG")),
        ("SKIP", count("SKIP")),
    ];
    let counts = counts.map(|(state, count)| format!("{count} {state}"));
    let fields = vec![
        ("service", Cell::from(adoption.subject.as_str())),
        ("strategy", adoption.strategy.name().into()),
        ("pipeline", adoption.pipeline.as_str().into()),
        ("parameters", parameters.as_str().into()),
        ("notes", notes.as_str().into()),
        ("checks", counts.join(", ").into()),
    ];

    let mut table = Table::new(vec!["state", "check", "found"]);
    for check in checks.of_state("NG") {
        table.push(vec![
            Cell::new("NG", Tone::Bad),
            check.name.as_str().into(),
            check.reason.as_str().into(),
        ]);
    }
    let command = notes::deploy(adoption, &files.parameters);
    let json = json!({
        "service": adoption.subject, "strategy": adoption.strategy.name(),
        "pipeline": adoption.pipeline, "stack": adoption.stack, "template": adoption.template,
        "parameters": adoption.file(), "files": [parameters, notes], "command": command,
        "checks": checks.tree,
    });
    let is_any_ng = count("NG") > 0;
    let blocks = vec![
        Block::Fields(fields),
        Block::Table(table),
        Block::Text(command),
    ];
    Answer::new(blocks, json).ending(Exit::of_checks(is_any_ng))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_with_its_cluster() {
        let named = service_name("apps/web").expect("both");
        assert_eq!(
            (named.cluster.as_str(), named.service.as_str()),
            ("apps", "web")
        );
        for wrong in ["web", "/web", "apps/", "a/b/c"] {
            assert!(service_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn strategies_are_named_as_the_command_line_names_them() {
        for strategy in ReleaseStrategy::value_variants() {
            let value = strategy.to_possible_value().expect("a word");
            assert_eq!(value.get_name(), strategy.name());
        }
    }
}
