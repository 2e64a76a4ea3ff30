//! `slipway again`: releases a digest that was rejected once more.

use clap::Args;
use slipway::image::is_digest;
use slipway::release::{Outcome, Record};

use crate::deploy::{Waiting, start};
use crate::pipeline::Pipeline;
use crate::{Answer, Failed, Session, find};

/// The longest part of the reason that the token of a start holds, of its 128 characters
/// (CodePipeline API: StartPipelineExecution).
const REASON_CHARS: usize = 96;

/// Starts the pipeline once more with a digest whose release was rolled back.
///
/// A push of such a digest is refused. The reason goes into the request's token, so that CloudTrail
/// keeps it with the operator's name; nothing else records it.
#[derive(Debug, Args)]
pub struct Again {
    /// The digest, or its first seven digits or more.
    pub digest: String,
    /// Why it is expected to end otherwise now.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub because: String,
    /// The pipeline, if several have rejected the digest.
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    #[command(flatten)]
    pub waiting: Waiting,
}

fn reason(text: &str) -> Result<String, String> {
    if slug(text).is_empty() {
        return Err("expected a reason in letters or digits".to_owned());
    }
    Ok(text.to_owned())
}

/// A text in the letters of a token, with hyphens for all others.
fn slug(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(REASON_CHARS).collect()
}

impl Again {
    /// # Errors
    /// If the digest was not rejected, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let Some(prefix) = find::digest_prefix(&self.digest) else {
            return Err(Failed::Refused(format!(
                "`{}` is not a digest; expected sha256: and hexadecimal digits",
                self.digest
            )));
        };
        let found = session.ledger().of_digest(&prefix).await?;
        let (name, digest) = self.rejected(&found.records)?;
        let pipeline = Pipeline::declared(session, name).await?;
        let pipeline = pipeline.ok_or_else(|| {
            Failed::Refused(format!(
                "pipeline `{name}`, whose release of {digest} was rolled back, does not exist any \
                 more; expected `slipway deploy` with the pipeline that is meant now"
            ))
        })?;
        let why = slug(&self.because);
        start(session, &pipeline, digest, &why, self.waiting).await
    }

    /// The pipeline and the digest of the one rejection that is meant.
    fn rejected<'a>(&self, records: &'a [Record]) -> Result<(&'a str, &'a str), Failed> {
        let wanted = self.pipeline.as_deref();
        let mut rejected: Vec<(&str, &str)> = records
            .iter()
            .filter(|it| it.outcome == Some(Outcome::RolledBack) && !it.withdrawn)
            .filter(|it| wanted.is_none_or(|wanted| it.pipeline == wanted))
            .filter_map(|it| Some((it.pipeline.as_str(), it.digest.as_deref()?)))
            .filter(|(_, digest)| is_digest(digest))
            .collect();
        rejected.sort_unstable();
        rejected.dedup();
        match rejected.as_slice() {
            [one] => Ok(*one),
            [] => Err(Failed::Refused(format!(
                "{} was not rejected: no release of it was rolled back; expected `slipway deploy`",
                self.digest
            ))),
            several => {
                let names = several
                    .iter()
                    .map(|(name, digest)| format!("{name} {digest}"));
                Err(Failed::Refused(format!(
                    "several rejections begin with {}; expected one, by --pipeline or more \
                     digits: {}",
                    self.digest,
                    names.collect::<Vec<_>>().join(", ")
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wait::Limit;

    fn again(pipeline: Option<&str>) -> Again {
        Again {
            digest: "0a0a0a0".to_owned(),
            because: "the database was down".to_owned(),
            pipeline: pipeline.map(ToOwned::to_owned),
            waiting: Waiting {
                wait: false,
                limit: Limit { timeout: 120 },
            },
        }
    }

    fn record(pipeline: &str, outcome: &str) -> Record {
        let value = json!({
            "v": 1, "execution": "e-1", "pipeline": pipeline, "state": "closed",
            "digest": format!("sha256:{}", "0a".repeat(32)), "outcome": outcome,
            "started_at": "2026-01-05T09:00:00Z",
        });
        serde_json::from_value(value).expect("a record")
    }

    #[test]
    fn only_a_digest_that_was_rolled_back_is_released_again() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let records = [
            record("slipway-web", "rolled-back"),
            record("slipway-web", "rolled-back"),
            record("slipway-shop", "deployed"),
        ];
        let found = again(None).rejected(&records).expect("one rejection");
        assert_eq!(found, ("slipway-web", digest.as_str()));

        let other = again(Some("slipway-shop"));
        assert!(other.rejected(&records).is_err());
        let both = [record("a", "rolled-back"), record("b", "rolled-back")];
        assert!(again(None).rejected(&both).is_err());
        assert!(again(Some("b")).rejected(&both).is_ok());
        let mut withdrawn = record("slipway-web", "rolled-back");
        withdrawn.withdrawn = true;
        assert!(again(None).rejected(&[withdrawn]).is_err());
    }

    #[test]
    fn a_reason_is_words_of_a_token() {
        assert_eq!(slug("the database was down (ü)"), "the-database-was-down");
        assert_eq!(slug(&"x".repeat(200)).len(), REASON_CHARS);
        assert!(reason("…").is_err());
    }
}
