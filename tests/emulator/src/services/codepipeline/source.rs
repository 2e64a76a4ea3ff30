//! Source actions: they find a revision, store it as an artifact and publish variables.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use zip::write::SimpleFileOptions;

use super::declaration::{ActionDeclaration, Provider};
use super::engine::Done;
use super::permissions;
use super::state::{Artifact, ErrorDetails, Execution};
use crate::text::hex;
use crate::{ApiError, Aws, ecr};

/// Finds the revision that the action is configured for, or the one that the execution was started
/// with.
pub(super) fn fetch(
    aws: &mut Aws,
    execution: &Execution,
    action: &ActionDeclaration,
    configuration: &BTreeMap<String, String>,
) -> Result<Done, ErrorDetails> {
    let revision = |kind: &str| {
        let found = execution
            .source_revisions
            .iter()
            .find(|revision| revision.action == action.name && revision.kind == kind);
        found.map(|revision| revision.value.as_str())
    };
    let (bytes, id, outputs) = match action.provider {
        Provider::Ecr => {
            permissions::image(aws, execution, &configuration["RepositoryName"])?;
            image(aws, configuration, revision("IMAGE_DIGEST"))?
        }
        Provider::Connection => {
            permissions::connection(aws, execution, &configuration["ConnectionArn"])?;
            checkout(aws, configuration, revision("COMMIT_ID"))?
        }
        _ => {
            let key = revision("S3_OBJECT_KEY").unwrap_or(&configuration["S3ObjectKey"]);
            permissions::object(aws, execution, &configuration["S3Bucket"], key)?;

            object(
                aws,
                configuration,
                revision("S3_OBJECT_KEY"),
                revision("S3_OBJECT_VERSION_ID"),
            )?
        }
    };
    let name = action.output_artifacts[0].clone();
    let mut artifact = location(aws, execution, &name);
    artifact.revision = Some(id);
    permissions::store(aws, execution, &artifact.bucket, &artifact.key)?;
    aws.s3
        .put(&artifact.bucket, &artifact.key, bytes)
        .map_err(|error| unavailable(&error))?;

    Ok(Done {
        outputs,
        artifacts: vec![(name, artifact)],
    })
}

/// A new place in the artifact store: the pipeline's and the artifact's names shortened, and a
/// random part.
pub(super) fn location(aws: &mut Aws, execution: &Execution, artifact: &str) -> Artifact {
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let random: String = (0..7).map(|_| aws.rng.alphanumeric()).collect();
    let key = format!(
        "{}/{}/{random}",
        short(&execution.pipeline, 20),
        short(artifact, 10)
    );

    Artifact {
        bucket: execution.declaration.bucket.clone(),
        key,
        revision: None,
    }
}

fn unavailable(error: &ApiError) -> ErrorDetails {
    ErrorDetails::new(
        "RevisionUnavailable",
        format!("{} (Error Code: {})", error.message, error.code),
    )
}

type Revision = (Vec<u8>, String, BTreeMap<String, String>);

fn image(
    aws: &Aws,
    configuration: &BTreeMap<String, String>,
    digest: Option<&str>,
) -> Result<Revision, ErrorDetails> {
    let repository = &configuration["RepositoryName"];
    let tag = configuration
        .get("ImageTag")
        .map_or("latest", String::as_str);
    let wanted = match digest {
        Some(digest) => json!({ "imageDigest": digest }),
        None => json!({ "imageTag": tag }),
    };
    // Whether the action takes an archived image is not documented: it is not what refuses it.
    let found = ecr::image(aws, repository, &wanted).map_err(|error| unavailable(&error))?;
    let tag = digest.is_none().then_some(tag);
    let (id, outputs, detail) = image_revision(aws, repository, tag, &found);

    Ok((archive("imageDetail.json", &detail)?, id, outputs))
}

/// The commit that is wanted, or else the newest of the branch, as an archive.
fn checkout(
    aws: &Aws,
    configuration: &BTreeMap<String, String>,
    commit: Option<&str>,
) -> Result<Revision, ErrorDetails> {
    let [repository, branch] =
        ["FullRepositoryId", "BranchName"].map(|key| configuration[key].clone());
    let commits = aws
        .codepipeline
        .branches
        .get(&(repository.clone(), branch.clone()));
    let mut commits = commits.into_iter().flatten().rev();
    let found = commits.find(|known| commit.is_none_or(|wanted| known.id == wanted));
    let Some(found) = found else {
        let message = format!(
            "[{repository}] No commit {} of the branch {branch} could be found",
            commit.unwrap_or_default()
        );
        return Err(ErrorDetails::new("RevisionUnavailable", message));
    };

    let outputs = [
        ("BranchName", branch),
        ("CommitId", found.id.clone()),
        ("ConnectionArn", configuration["ConnectionArn"].clone()),
        ("FullRepositoryName", repository),
    ];
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value));
    let content = json!({ "commit": found.id });
    let archive = archive("commit.json", &content)?;
    Ok((archive, found.id.clone(), BTreeMap::from(outputs)))
}

/// The digest, the output variables and the `imageDetail.json` of an image as ECR describes it.
/// With an overridden digest the tag of the image is unknown, so there is no `ImageTag` then.
fn image_revision(
    aws: &Aws,
    repository: &str,
    tag: Option<&str>,
    found: &Value,
) -> (String, BTreeMap<String, String>, Value) {
    let digest = found["imageDigest"].as_str().unwrap_or_default();
    let uri = format!("{}/{repository}@{digest}", ecr::registry_host(aws));
    let variables = [
        ("RegistryId", Some(aws.account.as_str())),
        ("RepositoryName", Some(repository)),
        ("ImageTag", tag),
        ("ImageDigest", Some(digest)),
        ("ImageURI", Some(&uri)),
    ];
    let outputs = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let detail = json!({
        "ImageSizeInBytes": found["imageSizeInBytes"].as_u64().unwrap_or_default().to_string(),
        "ImageDigest": digest,
        "Version": "1.0",
        "ImagePushedAt": pushed_at(&found["imagePushedAt"]),
        "RegistryId": aws.account,
        "RepositoryName": repository,
        "ImageURI": uri,
        "ImageTags": found.get("imageTags").cloned().unwrap_or_else(|| json!([])),
    });
    (digest.to_owned(), outputs, detail)
}

/// As in `Mon Jan 21 20:04:00 UTC 2019`.
fn pushed_at(seconds: &Value) -> String {
    let at = seconds.as_f64().unwrap_or_default() as i64;
    let at = OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (day, month) = (at.weekday().to_string(), at.month().to_string());
    let (hour, minute, second) = at.to_hms();

    format!(
        "{} {} {:02} {hour:02}:{minute:02}:{second:02} UTC {}",
        &day[..3],
        &month[..3],
        at.day(),
        at.year()
    )
}

/// A zip file with one JSON document in it.
pub(super) fn archive(name: &str, content: &Value) -> Result<Vec<u8>, ErrorDetails> {
    let failed =
        |error: &dyn std::fmt::Display| ErrorDetails::new("SystemUnavailable", error.to_string());
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    zip.start_file(name, options)
        .map_err(|error| failed(&error))?;
    zip.write_all(content.to_string().as_bytes())
        .map_err(|error| failed(&error))?;

    Ok(zip.finish().map_err(|error| failed(&error))?.into_inner())
}

fn object(
    aws: &mut Aws,
    configuration: &BTreeMap<String, String>,
    key: Option<&str>,
    version: Option<&str>,
) -> Result<Revision, ErrorDetails> {
    let bucket = &configuration["S3Bucket"];
    let key = key.unwrap_or(&configuration["S3ObjectKey"]);
    let bytes = aws
        .s3
        .get(bucket, key, version)
        .map_err(|error| unavailable(&error))?
        .to_vec();

    // An ETag promises no more than to change with the bytes.
    let etag = hex(&Sha256::digest(&bytes)[..16]);
    let mut outputs = BTreeMap::from([
        ("BucketName".to_owned(), bucket.clone()),
        ("ObjectKey".to_owned(), key.to_owned()),
        ("ETag".to_owned(), etag.clone()),
    ]);
    if let Some(version) = version {
        outputs.insert("VersionId".to_owned(), version.to_owned());
    }
    Ok((bytes, version.map_or(etag, str::to_owned), outputs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(tag: Option<&str>) -> (String, BTreeMap<String, String>, Value) {
        let found = json!({
            "imageDigest": "sha256:aa", "imageSizeInBytes": 42, "imagePushedAt": 1548101040.0,
            "imageTags": ["v1"],
        });
        image_revision(&Aws::new(1), "web", tag, &found)
    }

    #[test]
    fn an_image_is_named_by_its_digest_and_has_a_tag_only_without_an_override() {
        let (id, outputs, detail) = described(Some("v1"));
        assert_eq!(id, "sha256:aa");
        assert_eq!(
            outputs["ImageURI"],
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:aa"
        );
        assert_eq!(outputs["ImageTag"], "v1");
        assert_eq!(detail["ImageSizeInBytes"], "42");
        assert_eq!(detail["ImagePushedAt"], "Mon Jan 21 20:04:00 UTC 2019");
        assert!(!described(None).1.contains_key("ImageTag"));
    }

    #[test]
    fn the_artifact_is_a_zip_file_that_is_the_same_every_time() {
        let zip = || archive("imageDetail.json", &described(None).2).unwrap();
        assert_eq!(zip()[..2], *b"PK");
        assert_eq!(zip(), zip());
    }
}
