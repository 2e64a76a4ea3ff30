//! Input artifacts of a job: zip archives in the pipeline's bucket, read with the credentials that the job was lent.

use std::io::{Cursor, Read};

use aws_credential_types::Credentials;
use aws_sdk_s3::config::SharedCredentialsProvider;

use super::{AwsError, ErrorKind, Sdk};
use crate::job::{self, Failure, FailureType, StepError};
use crate::limits::{ARTIFACT_BYTES, ARTIFACT_FILE_BYTES};

/// The files of one job's input artifacts.
#[derive(Debug)]
pub struct Artifacts<'a> {
    sdk: &'a Sdk,
    inputs: &'a [job::Artifact],
    credentials: Option<&'a job::Credentials>,
}

impl<'a> Artifacts<'a> {
    #[must_use]
    pub fn new<S>(sdk: &'a Sdk, job: &'a job::Job<S>) -> Self {
        Self {
            sdk,
            inputs: &job.artifacts,
            credentials: job.credentials.as_ref(),
        }
    }

    /// Reads a file by `Artifact::path`, the way CodePipeline writes a path inside an artifact.
    ///
    /// # Errors
    /// ConfigurationError or RevisionUnavailable, naming the artifact and the path.
    pub async fn read(&self, location: &str) -> Result<Vec<u8>, StepError> {
        let (name, path) =
            location.split_once("::").filter(|(name, path)| !name.is_empty() && !path.is_empty()).ok_or_else(|| {
                Failure::configuration(format!(
                    "`{location}` is no file of an artifact; legal: <input artifact>::<path>, e.g. Config::taskdef.json"
                ))
            })?;
        let input = self.inputs.iter().find(|input| input.name == name).ok_or_else(|| {
            let legal = self.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>().join(", ");
            let legal = if legal.is_empty() { "none, the action has no input artifact".to_owned() } else { legal };
            Failure::configuration(format!("`{location}`: artifact `{name}` is not an input of this action; legal: {legal}; add it to InputArtifacts"))
        })?;
        let archive = self.download(input).await?;
        Ok(unzip(archive, path).map_err(|why| Failure {
            kind: FailureType::RevisionUnavailable,
            message: format!("`{location}`: {why}"),
        })?)
    }

    async fn download(&self, input: &job::Artifact) -> Result<Vec<u8>, StepError> {
        let lent = self.credentials.ok_or_else(|| {
            Failure::configuration(
                "the job has no artifact credentials, so its artifacts cannot be read",
            )
        })?;
        let credentials = Credentials::new(
            &lent.access_key_id,
            &lent.secret_access_key,
            Some(lent.session_token.clone()),
            None,
            "job",
        );
        let config = aws_sdk_s3::config::Builder::from(&self.sdk.config)
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        let client = aws_sdk_s3::Client::from_conf(config.build());
        let object = client
            .get_object()
            .bucket(&input.bucket)
            .key(&input.key)
            .send()
            .await;
        let object = object
            .map_err(AwsError::from_sdk("s3:GetObject"))
            .map_err(|error| unreadable(error, &input.name))?;
        let length = object
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
            .unwrap_or(u64::MAX);
        if length > ARTIFACT_BYTES {
            return Err(Failure::configuration(format!(
                "artifact `{}` has {length} bytes; legal: {ARTIFACT_BYTES} at most",
                input.name
            ))
            .into());
        }
        let body = object
            .body
            .collect()
            .await
            .map_err(|e| StepError::Busy(format!("s3:GetObject: {e}; trying again")))?;
        Ok(body.to_vec())
    }
}

/// The credentials are the job's, so it is not the function's role that lacks a permission.
fn unreadable(error: AwsError, artifact: &str) -> StepError {
    match error.kind {
        ErrorKind::Permission => StepError::Failed(Failure {
            kind: FailureType::PermissionError,
            message: format!(
                "artifact `{artifact}` cannot be read with the job's credentials: {error}; check the artifact bucket's policy and its KMS key"
            ),
        }),
        _ if error.code == "NoSuchKey" => StepError::Failed(Failure {
            kind: FailureType::RevisionUnavailable,
            message: format!(
                "artifact `{artifact}` is not in its bucket any more: {error}; start the pipeline again"
            ),
        }),
        _ => error.into(),
    }
}

fn unzip(archive: Vec<u8>, path: &str) -> Result<Vec<u8>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive))
        .map_err(|e| format!("the artifact is no zip archive: {e}"))?;
    let names = archive
        .file_names()
        .filter_map(Result::ok)
        .take(20)
        .collect::<Vec<_>>()
        .join(", ");
    let file = archive
        .by_name(path)
        .map_err(|e| format!("{e}; the archive has {names}"))?;
    let mut bytes = Vec::new();
    file.take(ARTIFACT_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    match bytes.len() as u64 {
        0..=ARTIFACT_FILE_BYTES => Ok(bytes),
        _ => Err(format!(
            "the file is larger than {ARTIFACT_FILE_BYTES} bytes"
        )),
    }
}
