//! The pipelines that the names of people mean, and what they declare.

use slipway::aws::{Images, Listing, Pipelines};
use slipway::image::{ImageReference, is_digest};
use slipway::observed::pipeline::DeclaredAction;
use slipway::release::{Lease, Record};

use crate::words::name_of;
use crate::{Failed, Session, find, history};

/// The provider of source actions that take an image.
const ECR: &str = "ECR";

/// How many pipelines are looked for that have released one service.
const PIPELINES: usize = 10;

/// A pipeline as it is declared.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) name: String,
    pub(crate) actions: Vec<DeclaredAction>,
}

/// The source action of a pipeline that takes an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageSource<'a> {
    pub(crate) action: &'a str,
    pub(crate) repository: &'a str,
}

/// Where the pipelines are; none is what is not known.
#[derive(Clone, Copy, Debug)]
struct Here<'a> {
    region: Option<&'a str>,
    account: Option<&'a str>,
}

/// An execution with its pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Execution {
    pub(crate) pipeline: String,
    pub(crate) id: String,
}

impl Pipeline {
    /// The pipeline of a name, or the one by which the service of a name is released.
    ///
    /// # Errors
    /// If there is none, or several have released the service, or a call fails.
    pub(crate) async fn find(session: &Session, name: &str) -> Result<Self, Failed> {
        if let Some(pipeline) = Self::declared(session, name).await? {
            return Ok(pipeline);
        }
        let listing = session.ledger().leases().await?;
        of_service(session, &listing, name).await
    }

    /// The same with leases that were read already.
    ///
    /// # Errors
    /// As of [`Self::find`].
    pub(crate) async fn find_in(
        session: &Session,
        listing: &Listing,
        name: &str,
    ) -> Result<Self, Failed> {
        match Self::declared(session, name).await? {
            Some(pipeline) => Ok(pipeline),
            None => of_service(session, listing, name).await,
        }
    }

    /// The pipeline of a name, and never that of a service of the same name; none if there is no
    /// such pipeline.
    ///
    /// # Errors
    /// If the call fails.
    pub(crate) async fn declared(session: &Session, name: &str) -> Result<Option<Self>, Failed> {
        // CodePipeline refuses a name with a slash as it refuses a wrong request.
        if name.contains('/') {
            return Ok(None);
        }
        let actions = Pipelines::new(&session.sdk).declared(name).await?;
        let name = name.to_owned();
        Ok(actions.map(|actions| Self { name, actions }))
    }

    /// # Errors
    /// If the pipeline does not take its image from one repository of Amazon ECR.
    pub(crate) fn source(&self) -> Result<ImageSource<'_>, Failed> {
        let mut sources = self.actions.iter().filter(|it| it.provider == ECR);
        match (sources.next(), sources.next()) {
            (Some(source), None) => Ok(ImageSource {
                action: &source.name,
                repository: source
                    .configuration
                    .get("RepositoryName")
                    .map_or("", String::as_str),
            }),
            (first, _) => Err(Failed::Refused(format!(
                "pipeline `{}` has {} source actions of Amazon ECR; expected one, which takes the \
                 digest",
                self.name,
                if first.is_some() { "several" } else { "no" }
            ))),
        }
    }
}

impl ImageSource<'_> {
    /// The digest of an image of the repository: a tag, a digest, or a reference with either.
    ///
    /// # Errors
    /// If it is of another repository, or is not there.
    pub(crate) async fn digest(self, session: &Session, image: &str) -> Result<String, Failed> {
        let here = Here {
            region: session.sdk.region(),
            account: session.account(),
        };
        let wanted = self.tag_or_digest(image, here)?;
        let found = Images::new(&session.sdk)
            .digest(self.repository, &wanted)
            .await?;
        found.ok_or_else(|| {
            Failed::Refused(format!(
                "repository `{}` has no image `{wanted}`; expected one that was pushed",
                self.repository
            ))
        })
    }

    fn tag_or_digest(self, image: &str, here: Here<'_>) -> Result<String, Failed> {
        if is_digest(image) || !image.contains(['/', ':', '@']) {
            return Ok(image.to_owned());
        }

        let reference = ImageReference::parse(image).map_err(Failed::Refused)?;
        let of_ecr = reference.ecr();
        let repository = of_ecr.as_ref().map_or(&reference.name, |it| &it.repository);
        let is_near = of_ecr.as_ref().is_none_or(|it| {
            here.region.is_none_or(|region| it.region == region)
                && here.account.is_none_or(|account| it.registry_id == account)
        });
        if repository != self.repository || !is_near {
            return Err(Failed::Refused(format!(
                "image `{image}` is of another repository; expected one of `{}`, from which the \
                 pipeline takes its image",
                self.repository
            )));
        }
        reference.digest.or(reference.tag).ok_or_else(|| {
            Failed::Refused(format!(
                "image `{image}` has no tag; expected one, or a digest"
            ))
        })
    }
}

/// The pipeline by which a service is released.
async fn of_service(session: &Session, listing: &Listing, name: &str) -> Result<Pipeline, Failed> {
    let lease = find::named(listing, name)
        .map_err(|failed| Failed::Refused(format!("there is no pipeline `{name}`: {failed}")))?;
    let found = session.ledger().records().await?;

    // Some may be gone, and a release by hand has the name of a pipeline that never was.
    let mut there = Vec::new();
    for name in released_by(&found.records, lease) {
        there.extend(Pipeline::declared(session, name).await?);
    }
    only(there, &name_of(lease))
}

/// The names of the pipelines that have released a service, the newest ones.
fn released_by<'a>(records: &'a [Record], lease: &'a Lease) -> Vec<&'a str> {
    let open = lease.release.as_ref().map(|open| open.pipeline.as_str());
    let released = history::of_service(records, lease).map(|record| record.pipeline.as_str());
    let mut names = Vec::new();
    for name in open.into_iter().chain(released) {
        if names.len() < PIPELINES && !names.contains(&name) && !name.contains('/') {
            names.push(name);
        }
    }
    names
}

/// The one pipeline of a service. Which of several is meant is not guessed: each may take its image
/// from another repository, or release to other services as well.
fn only(mut there: Vec<Pipeline>, service: &str) -> Result<Pipeline, Failed> {
    match (there.pop(), there.as_slice()) {
        (Some(one), []) => Ok(one),
        (None, _) => Err(Failed::Refused(format!(
            "no pipeline is known that has released `{service}`; expected the name of its pipeline"
        ))),
        (Some(last), others) => {
            let mut names: Vec<&str> = others.iter().map(|it| it.name.as_str()).collect();
            names.push(&last.name);
            names.sort_unstable();
            Err(Failed::Refused(format!(
                "several pipelines have released `{service}`; expected the name of one: {}",
                names.join(", ")
            )))
        }
    }
}

impl Execution {
    /// The execution of an id, or that of the open release of a service.
    ///
    /// # Errors
    /// If there is none, or the pipeline of an id is not known.
    pub(crate) async fn find(
        session: &Session,
        name: &str,
        pipeline: Option<&str>,
    ) -> Result<Self, Failed> {
        if !find::is_execution(name) {
            let lease = find::lease(session, name).await?;
            return match lease.release {
                Some(release) => Ok(Self {
                    pipeline: release.pipeline,
                    id: release.execution,
                }),
                None => Err(Failed::Refused(format!("no release of `{name}` is open"))),
            };
        }

        let id = name.to_owned();
        if let Some(pipeline) = pipeline {
            let pipeline = pipeline.to_owned();
            return Ok(Self { pipeline, id });
        }
        match session.ledger().record(name).await? {
            Some(record) => Ok(Self {
                pipeline: record.pipeline,
                id,
            }),
            None => Err(Failed::Refused(format!(
                "the ledger has no record of execution {name} yet; expected its pipeline in \
                 --pipeline"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SOURCE: ImageSource<'_> = ImageSource {
        action: "Image",
        repository: "web",
    };

    #[test]
    fn an_image_is_a_tag_a_digest_or_a_reference_of_the_repository() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web";
        let here = Here {
            region: Some("eu-west-1"),
            account: Some("111122223333"),
        };
        let read = |image: &str| SOURCE.tag_or_digest(image, here);
        for (image, expected) in [
            ("1.4.0".to_owned(), "1.4.0"),
            ("web:1.4.0".to_owned(), "1.4.0"),
            (digest.clone(), digest.as_str()),
            (format!("web@{digest}"), digest.as_str()),
            (format!("{uri}:1.4.0"), "1.4.0"),
            (format!("{uri}:1.4.0@{digest}"), digest.as_str()),
        ] {
            assert_eq!(read(&image).expect("of the repository"), expected);
        }
        for other in [
            "shop:1.4.0".to_owned(),
            uri.to_owned(),
            format!("{}:1.4.0", uri.replace("eu-west-1", "eu-west-2")),
            format!("{}:1.4.0", uri.replace("111122223333", "444455556666")),
            "web:two words".to_owned(),
        ] {
            assert!(matches!(read(&other), Err(Failed::Refused(_))), "{other}");
        }
    }

    #[test]
    fn of_several_pipelines_of_a_service_none_is_guessed() {
        let record = |pipeline: &str, service: &str| {
            let value = json!({
                "v": 1, "execution": "e-1", "pipeline": pipeline, "state": "closed",
                "cluster": "apps", "service": service, "outcome": "deployed",
                "started_at": "2026-01-05T09:00:00Z",
            });
            serde_json::from_value::<Record>(value).expect("a record")
        };
        let records = [
            record("slipway-web", "web"),
            record("slipway-shop", "shop"),
            record("slipway-web", "web"),
            record("slipway-shop-next", "shop"),
        ];
        let released = |service: &str| -> Vec<String> {
            let lease = Lease::unwritten("apps", service);
            let names = released_by(&records, &lease);
            names.into_iter().map(ToOwned::to_owned).collect()
        };
        assert_eq!(released("api"), Vec::<String>::new());
        assert_eq!(released("web"), ["slipway-web"]);
        assert_eq!(released("shop"), ["slipway-shop-next", "slipway-shop"]);

        let of = |names: &[&str]| {
            let named = names.iter().map(|name| Pipeline {
                name: (*name).to_owned(),
                actions: Vec::new(),
            });
            let found = only(named.collect(), "apps/shop").map(|one| one.name);
            found.map_err(|failed| failed.to_string())
        };
        assert_eq!(of(&["slipway-shop"]).as_deref(), Ok("slipway-shop"));
        assert_eq!(
            of(&["slipway-shop-next", "slipway-shop"]).unwrap_err(),
            "several pipelines have released `apps/shop`; expected the name of one: \
             slipway-shop, slipway-shop-next"
        );
        assert_eq!(
            of(&[]).unwrap_err(),
            "no pipeline is known that has released `apps/shop`; expected the name of its pipeline"
        );
    }

    #[test]
    fn a_pipeline_has_one_source_of_an_image() {
        let action = |name: &str, provider: &str| DeclaredAction {
            stage: "Source".to_owned(),
            name: name.to_owned(),
            provider: provider.to_owned(),
            configuration: [("RepositoryName".to_owned(), "web".to_owned())].into(),
        };
        let with = |actions: &[DeclaredAction]| Pipeline {
            name: "slipway-web".to_owned(),
            actions: actions.to_vec(),
        };
        let [image, config] = [action("Image", "ECR"), action("Config", "S3")];
        let one = with(&[image.clone(), config.clone()]);
        assert_eq!(one.source().expect("one"), SOURCE);
        assert!(with(&[config]).source().is_err());
        assert!(with(&[image.clone(), image]).source().is_err());
    }
}
