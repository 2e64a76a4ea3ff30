//! Input artifacts of a job: zip archives in the pipeline's bucket, read with the job's temporary
//! credentials: those of its event, or those that CodePipeline has for it if the event has none.
//!
//! Never falls back to the function's own role: a job without credentials reads nothing.

use std::io::{Cursor, Read};

use aws_credential_types::Credentials;
use aws_sdk_s3::config::SharedCredentialsProvider;

use super::{AwsError, ErrorKind, Sdk, jobs};
use crate::job::{self, Failure, FailureType, StepError};
use crate::limits::{ARTIFACT_BYTES, ARTIFACT_FILE_BYTES};
use crate::redaction::without_signatures;
use crate::task_definition::{BaseFile, TaskDefinition, parse_image_detail};
use crate::text;

/// How many names of an archive a message lists.
const LISTED_NAMES: usize = 20;

/// The files of one job's input artifacts.
#[derive(Debug)]
pub struct Artifacts<'a> {
    sdk: &'a Sdk,
    job: Option<&'a str>,
    inputs: &'a [job::Artifact],
    credentials: Option<&'a job::Credentials>,
}

impl<'a> Artifacts<'a> {
    #[must_use]
    pub fn new<S>(sdk: &'a Sdk, job: &'a job::Job<S>) -> Self {
        Self {
            sdk,
            job: job.id.as_deref(),
            inputs: &job.artifacts,
            credentials: job.credentials.as_ref(),
        }
    }

    /// Reads a file by `Artifact::path`, CodePipeline's notation for a path inside an artifact, as
    /// UTF-8 without a byte-order mark.
    ///
    /// # Errors
    /// ConfigurationError or RevisionUnavailable, naming the artifact and the path.
    pub async fn read(&self, location: &str) -> Result<Vec<u8>, StepError> {
        let (name, path) = location
            .split_once("::")
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
            .ok_or_else(|| {
                Failure::configuration(format!(
                    "`{location}` is not a file of an artifact; expected <input artifact>::<path>, \
                     e.g. Config::taskdef.json"
                ))
            })?;

        let archive = self.download(self.input(name, location)?).await?;

        let bytes = unzip(archive, path).map_err(|why| Failure {
            kind: FailureType::RevisionUnavailable,
            cause: None,
            message: format!("`{location}`: {why}"),
        })?;
        let text = text::utf8(&bytes)
            .map_err(|why| Failure::configuration(format!("`{location}`: {why}")))?;
        Ok(text.into_owned())
    }

    /// The image that is given: a reference as it is, or what the `imageDetail.json` of an artifact
    /// names, by `Artifact::path`.
    ///
    /// # Errors
    /// As [`Self::read`], and ConfigurationError when the file is not an `imageDetail.json`.
    pub async fn image(&self, given: &str) -> Result<String, StepError> {
        // A registry can be an address of IPv6, in brackets, and no artifact is named so.
        if given.starts_with('[') || !given.contains("::") {
            return Ok(given.to_owned());
        }

        let image = parse_image_detail(&self.read(given).await?)
            .map_err(|why| Failure::configuration(format!("`{given}`: {why}")))?;
        Ok(image)
    }

    /// Reads a task definition by `Artifact::path`, or what `docker inspect` prints as one, and
    /// logs the settings that have no counterpart.
    ///
    /// # Errors
    /// As [`Self::read`], and ConfigurationError when the file is not a task definition.
    pub async fn task_definition(
        &self,
        location: &str,
        running: &TaskDefinition,
    ) -> Result<BaseFile, StepError> {
        let text = self.read(location).await?;
        let file = BaseFile::parse(&text, running).map_err(|why| {
            Failure::configuration(format!("`{location}` is not a task definition: {why}"))
        })?;

        for setting in &file.left_out {
            tracing::info!(file = location, %setting, "no counterpart in a task definition");
        }
        Ok(file)
    }

    fn input(&self, name: &str, location: &str) -> Result<&job::Artifact, StepError> {
        if let Some(input) = self.inputs.iter().find(|input| input.name == name) {
            return Ok(input);
        }

        let names: Vec<_> = self.inputs.iter().map(|input| &*input.name).collect();
        let expected = if names.is_empty() {
            "it has no input artifacts".to_owned()
        } else {
            format!("expected one of: {}", names.join(", "))
        };
        Err(Failure::configuration(format!(
            "`{location}`: artifact `{name}` is not an input of this action; {expected}; \
             add it to InputArtifacts"
        ))
        .into())
    }

    async fn download(&self, input: &job::Artifact) -> Result<Vec<u8>, StepError> {
        let object = self
            .client()
            .await?
            .get_object()
            .bucket(&input.bucket)
            .key(&input.key)
            .send()
            .await;
        let object = object
            .map_err(AwsError::from_sdk("s3:GetObject"))
            .map_err(|error| unreadable(error, &input.name))?;

        // A length that S3 does not state counts as too large: the body must not fill the memory.
        let length = object
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
            .unwrap_or(u64::MAX);
        if length > ARTIFACT_BYTES {
            return Err(Failure::configuration(format!(
                "artifact `{}` has {length} bytes; expected at most {ARTIFACT_BYTES}",
                input.name
            ))
            .into());
        }

        let body = object.body.collect().await.map_err(|error| {
            let why = without_signatures(&error.to_string());
            StepError::Busy(format!("s3:GetObject: {why}; retrying"))
        })?;
        Ok(body.to_vec())
    }

    /// A client that signs with the job's credentials.
    async fn client(&self) -> Result<aws_sdk_s3::Client, StepError> {
        let fetched = match (self.credentials, self.job) {
            // Boxed: the SDK's futures are deep.
            (None, Some(id)) => Box::pin(jobs::credentials(self.sdk, id)).await?,
            _ => None,
        };
        let of_job = self.credentials.or(fetched.as_ref()).ok_or_else(|| {
            Failure::configuration(
                "`artifactCredentials` is missing in the job; expected credentials for the input \
                 artifact",
            )
        })?;
        let credentials = Credentials::new(
            &of_job.access_key_id,
            &of_job.secret_access_key,
            Some(of_job.session_token.clone()),
            None,
            "job",
        );

        let config = aws_sdk_s3::config::Builder::from(&self.sdk.own.config)
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        Ok(aws_sdk_s3::Client::from_conf(config.build()))
    }
}

/// Explains an error of S3. The credentials are the job's, so a denial is not for a lack of
/// permissions in the function's role.
fn unreadable(error: AwsError, artifact: &str) -> StepError {
    match error.kind {
        ErrorKind::Permission => StepError::Failed(Failure {
            kind: FailureType::PermissionError,
            cause: None,
            message: format!(
                "artifact `{artifact}` cannot be read with the job's credentials: {error}; \
                 check the artifact bucket's policy and its KMS key"
            ),
        }),
        _ if error.code == "NoSuchKey" => StepError::Failed(Failure {
            kind: FailureType::RevisionUnavailable,
            cause: None,
            message: format!(
                "artifact `{artifact}` is no longer in its bucket: {error}; \
                 start the pipeline again"
            ),
        }),
        _ => error.into(),
    }
}

fn unzip(archive: Vec<u8>, path: &str) -> Result<Vec<u8>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive))
        .map_err(|e| format!("the artifact is not a zip archive: {e}"))?;
    let files: Vec<(usize, String)> = archive
        .file_names()
        .enumerate()
        .filter_map(|(at, name)| Some((at, name.ok()?.into_owned())))
        .filter(|(_, name)| !name.ends_with(['/', '\\']))
        .collect();
    let at = place_of(path, &files).ok_or_else(|| absence(&files))?;
    let file = archive.by_index(at).map_err(|e| e.to_string())?;

    // The stated size is not trusted: one byte more than the limit is enough to refuse the file.
    let mut bytes = Vec::new();
    file.take(ARTIFACT_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    if bytes.len() as u64 > ARTIFACT_FILE_BYTES {
        return Err(format!(
            "the file is larger than {ARTIFACT_FILE_BYTES} bytes"
        ));
    }
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    Ok(bytes)
}

/// Where a file is in an archive: under its name as it is given, or else as another tool wrote it,
/// with backslashes or from `./` on.
fn place_of(path: &str, files: &[(usize, String)]) -> Option<usize> {
    let exact = files.iter().find(|(_, name)| name == path);
    let other = || {
        let mut all = files.iter();
        all.find(|(_, name)| with_slashes(name) == with_slashes(path))
    };
    exact.or_else(other).map(|(at, _)| *at)
}

fn with_slashes(path: &str) -> String {
    path.replace('\\', "/").trim_start_matches("./").to_owned()
}

/// That a file is not there, and which ones are.
fn absence(files: &[(usize, String)]) -> String {
    let listed = files.iter().take(LISTED_NAMES);
    let names: Vec<&str> = listed.map(|(_, name)| name.as_str()).collect();
    let has = match files.len() - names.len() {
        0 if names.is_empty() => "no file".to_owned(),
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    format!("the file is not in the archive; the archive has {has}")
}
