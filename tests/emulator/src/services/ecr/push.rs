//! Images arriving: PutImage, the push of a whole image, and the event that follows.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Behaviour, Image, Profile, Repository, call, check_members, is_tag, named, no_repository,
    parameter, replication, required_text, text,
};
use crate::text::hex;
use crate::{ApiError, Aws, Quirk, eventbridge};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

const PUT_MEMBERS: [&str; 6] = [
    "registryId",
    "repositoryName",
    "imageManifest",
    "imageManifestMediaType",
    "imageTag",
    "imageDigest",
];

pub(super) fn put_image(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &PUT_MEMBERS)?;
    let repository = named(aws, input)?.0.to_owned();
    let manifest = required_text(input, "imageManifest")?;
    let tag = text(input, "imageTag")?;
    let document: Value = serde_json::from_str(manifest)
        .map_err(|_| parameter("ImageManifest", "Invalid JSON syntax"))?;
    let media_type = text(input, "imageManifestMediaType")?
        .or(document["mediaType"].as_str())
        .unwrap_or(DOCKER_MANIFEST);
    if text(input, "imageDigest")?.is_some_and(|given| given != digest_of(manifest)) {
        let message = "The specified image digest does not match the digest that Amazon ECR \
                       calculated for the image.";
        return Err(ApiError::client(
            "ImageDigestDoesNotMatchException",
            message,
        ));
    }

    let behaviour = annotated(&document)?;
    let stored = Manifest {
        text: manifest,
        media_type,
        artifact_type: artifact_type(&document, media_type),
    };
    let digest = store(aws, &repository, &stored, tag, behaviour)?;
    push_event(aws, &repository, &digest, tag);

    let mut id = json!({ "imageDigest": digest });
    if let Some(tag) = tag {
        id["imageTag"] = json!(tag);
    }

    Ok(json!({ "image": {
        "registryId": aws.account,
        "repositoryName": repository,
        "imageId": id,
        "imageManifest": manifest,
        "imageManifestMediaType": media_type,
    } }))
}

/// The annotation of a manifest that names the behaviour of an image pushed by hand.
const BEHAVIOUR: &str = "sandbox.behaviour";

fn annotated(manifest: &Value) -> Result<Behaviour, ApiError> {
    match manifest["annotations"][BEHAVIOUR].as_str() {
        None | Some("healthy") => Ok(Behaviour::Healthy),
        Some("never-healthy") => Ok(Behaviour::NeverHealthy),
        Some("exits") => Ok(Behaviour::Exits),
        Some("fails-under-traffic") => Ok(Behaviour::FailsUnderTraffic),
        Some(other) => {
            let after = |word: &str| other.strip_prefix(word)?.parse().ok();
            let exits = after("exits-after-").map(Behaviour::ExitsAfter);
            let fails = || after("fails-after-").map(Behaviour::FailsAfter);
            exits.or_else(fails).ok_or_else(|| {
                parameter(
                    "imageManifest",
                    &format!(
                        "{BEHAVIOUR} is `{other}`; expected healthy, never-healthy, exits, \
                         exits-after-<seconds>, fails-after-<seconds> or fails-under-traffic"
                    ),
                )
            })
        }
    }
}

/// Pushes an image with a behaviour, as `docker push` would; returns its digest.
/// Repository, tag and behaviour determine the digest.
pub fn push(
    aws: &mut Aws,
    repository: &str,
    tag: &str,
    behaviour: Behaviour,
) -> Result<String, ApiError> {
    push_with(aws, repository, tag, behaviour, Profile::default())
}

/// Like [`push`], with the profile of its responses, which then determines the digest too.
pub fn push_with(
    aws: &mut Aws,
    repository: &str,
    tag: &str,
    behaviour: Behaviour,
    profile: Profile,
) -> Result<String, ApiError> {
    let digest = store_whole(aws, repository, tag, behaviour, profile)?;
    push_event(aws, repository, &digest, Some(tag));
    Ok(digest)
}

/// Gives an image, by its digest or one of its tags, another tag, as `aws ecr put-image` does;
/// returns its digest.
pub fn retag(aws: &mut Aws, repository: &str, image: &str, tag: &str) -> Result<String, ApiError> {
    let known_by = if image.starts_with("sha256:") {
        "imageDigest"
    } else {
        "imageTag"
    };
    let wanted = json!({"repositoryName": repository, "imageIds": [{known_by: image}]});
    let found = call(aws, "BatchGetImage", &wanted)?;
    let manifest = &found["images"][0]["imageManifest"];
    let again = json!({"repositoryName": repository, "imageManifest": manifest, "imageTag": tag});
    let put = call(aws, "PutImage", &again)?;
    required_text(&put["image"]["imageId"], "imageDigest").map(ToOwned::to_owned)
}

/// An image that arrives from another region of the account: ECR emits "ECR Replication Action"
/// and no push.
pub fn replicate(
    aws: &mut Aws,
    repository: &str,
    tag: &str,
    behaviour: Behaviour,
    source_region: &str,
) -> Result<String, ApiError> {
    let digest = store_whole(aws, repository, tag, behaviour, Profile::default())?;
    replica_event(aws, repository, &digest, Some(tag), source_region);
    Ok(digest)
}

pub(super) fn replica_event(
    aws: &mut Aws,
    repository: &str,
    digest: &str,
    tag: Option<&str>,
    source_region: &str,
) {
    let mut detail = json!({
        "result": "SUCCESS",
        "repository-name": repository,
        "image-digest": digest,
        "source-account": aws.account,
        "action-type": "REPLICATE",
        "source-region": source_region,
    });
    if let Some(tag) = tag {
        detail["image-tag"] = json!(tag);
    }
    let resources = vec![aws.arn("ecr", &format!("repository/{repository}"))];
    eventbridge::emit(aws, "aws.ecr", "ECR Replication Action", resources, detail);
}

/// Stores an image without an event.
pub(super) fn store_whole(
    aws: &mut Aws,
    repository: &str,
    tag: &str,
    behaviour: Behaviour,
    profile: Profile,
) -> Result<String, ApiError> {
    let answers = if profile == Profile::default() {
        String::new()
    } else {
        format!(", {profile:?}")
    };
    let blob = |what: &str| {
        digest_of(&format!(
            "{what} of {repository}:{tag}, {behaviour:?}{answers}"
        ))
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {
            "mediaType": DOCKER_CONFIG,
            "size": 7023,
            "digest": blob("config"),
        },
        "layers": [{
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "size": 32654,
            "digest": blob("layer"),
        }],
    });
    let stored = Manifest {
        text: &manifest.to_string(),
        media_type: DOCKER_MANIFEST,
        artifact_type: Some(DOCKER_CONFIG.to_owned()),
    };
    let digest = store(aws, repository, &stored, Some(tag), behaviour)?;
    let repository = aws.ecr.repositories.get_mut(repository);

    if let Some(image) = repository.and_then(|repository| repository.images.get_mut(&digest)) {
        image.profile = profile;
    }
    Ok(digest)
}

/// A manifest as it is sent.
pub(super) struct Manifest<'a> {
    pub(super) text: &'a str,
    pub(super) media_type: &'a str,
    pub(super) artifact_type: Option<String>,
}

/// What a manifest holds: its own artifact type, or else the media type of its configuration. An
/// index has neither. The configuration of a manifest written by hand is an image's unless it
/// states otherwise.
fn artifact_type(manifest: &Value, media_type: &str) -> Option<String> {
    let stated = [&manifest["artifactType"], &manifest["config"]["mediaType"]];
    let stated = stated.into_iter().find_map(Value::as_str);
    let assumed = match media_type {
        DOCKER_MANIFEST => Some(DOCKER_CONFIG),
        OCI_MANIFEST => Some(OCI_CONFIG),
        _ => None,
    };
    stated.or(assumed).map(str::to_owned)
}

pub(super) fn store(
    aws: &mut Aws,
    name: &str,
    manifest: &Manifest<'_>,
    tag: Option<&str>,
    behaviour: Behaviour,
) -> Result<String, ApiError> {
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Err(parameter(
            "imageTag",
            &format!(
                "'{tag}' must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9-_.]{{0,299}}'"
            ),
        ));
    }
    let digest = digest_of(manifest.text);
    let now = aws.now;
    let account = aws.account.clone();
    let missing = no_repository(&aws.account, name);
    let repository = aws.ecr.repositories.get_mut(name).ok_or(missing)?;
    let known = repository.images.get(&digest);
    if known.is_some_and(|image| !image.archived && tag.is_none_or(|tag| image.tags.contains(tag)))
    {
        return Err(already_exists(&account, name, &digest, tag));
    }
    if let Some(tag) = tag {
        take_tag(repository, name, tag)?;
    }

    let image = repository
        .images
        .entry(digest.clone())
        .or_insert_with(|| Image {
            manifest: manifest.text.to_owned(),
            media_type: manifest.media_type.to_owned(),
            artifact_type: manifest.artifact_type.clone(),
            archived: false,
            pushed: now,
            tags: BTreeSet::new(),
            behaviour,
            profile: Profile::default(),
            scan: None,
        });
    image.tags.extend(tag.map(str::to_owned));
    // A push restores an archived image.
    image.archived = false;
    Ok(digest)
}

fn already_exists(account: &str, name: &str, digest: &str, tag: Option<&str>) -> ApiError {
    let tagged = tag
        .map(|tag| format!(" and tag '{tag}'"))
        .unwrap_or_default();
    let message = format!(
        "Image with digest '{digest}'{tagged} already exists in the repository with name '{name}' \
         in registry with id '{account}'"
    );
    ApiError::client("ImageAlreadyExistsException", message)
}

/// Takes the tag from the image that has it, which stays, untagged if it was its last. In an
/// immutable repository tags do not move.
fn take_tag(repository: &mut Repository, name: &str, tag: &str) -> Result<(), ApiError> {
    let holder = repository
        .images
        .values_mut()
        .find(|image| image.tags.contains(tag));
    if holder.is_some() && repository.immutable {
        let message = format!(
            "The image tag '{tag}' already exists in the '{name}' repository and cannot be \
             overwritten because the repository is immutable."
        );
        return Err(ApiError::client("ImageTagAlreadyExistsException", message));
    }

    if let Some(image) = holder {
        image.tags.remove(tag);
    }
    Ok(())
}

fn push_event(aws: &mut Aws, repository: &str, digest: &str, tag: Option<&str>) {
    let detail = detail(aws, repository, digest, tag);
    eventbridge::emit(aws, "aws.ecr", "ECR Image Action", Vec::new(), detail);
    replication::send(aws, repository, digest, tag);
}

/// The members of an event that describe the manifest.
pub(super) fn add_media_types(detail: &mut Value, image: &Image) {
    detail["manifest-media-type"] = json!(image.media_type);
    if let Some(artifact) = &image.artifact_type {
        detail["artifact-media-type"] = json!(artifact);
    }
}

/// The detail of the event "ECR Image Action". Whether an untagged image has an empty tag or none
/// is drawn from the seed.
pub(super) fn detail(aws: &mut Aws, repository: &str, digest: &str, tag: Option<&str>) -> Value {
    let mut detail = json!({
        "result": "SUCCESS",
        "repository-name": repository,
        "image-digest": digest,
        "action-type": "PUSH",
    });
    if let Some(tag) = tag {
        detail["image-tag"] = json!(tag);
    } else if aws.draw_quirk(Quirk::EmptyImageTag) {
        detail["image-tag"] = json!("");
    }
    let known = aws.ecr.repositories.get(repository);
    if let Some(image) = known.and_then(|repository| repository.images.get(digest)) {
        add_media_types(&mut detail, image);
    }
    detail
}

fn digest_of(manifest: &str) -> String {
    format!("sha256:{}", hex(&Sha256::digest(manifest.as_bytes())))
}
