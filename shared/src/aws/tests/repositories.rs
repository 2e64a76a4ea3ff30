//! The images with tags of a repository, read to the last page.

use serde_json::json;

use super::script::{Script, answer, run};
use crate::aws::Repositories;
use crate::manifest::Manifest;
use crate::observed::image::RepositoryImage;
use crate::timestamp::Timestamp;

#[test]
fn the_tagged_images_of_a_repository_are_read_to_the_last_page() {
    let media_type = "application/vnd.oci.image.index.v1+json";
    let first = json!({
        "imageDigest": "sha256:0a", "imagePushedAt": 1_767_603_600.75, "imageTags": ["1.0", "1"],
        "imageManifestMediaType": media_type,
    });
    let untimed = json!({"imageDigest": "sha256:0b", "imageTags": ["2.0"]});
    let last = json!({
        "imageDigest": "sha256:0c", "imagePushedAt": 1_767_603_660, "imageTags": ["3.0"],
    });
    let script = Script::new([
        answer(&json!({"imageDetails": [first, untimed], "nextToken": "more"})),
        answer(&json!({"imageDetails": [last]})),
    ]);
    let read = run(Repositories::new(&script.sdk()).tagged_images("web"));

    let image =
        |digest: &str, secs: i64, media_type: Option<&str>, tags: &[&str]| RepositoryImage {
            digest: digest.to_owned(),
            first_pushed_at: Timestamp::from_secs(secs).expect("in range"),
            manifest: Manifest {
                media_type: media_type.map(ToOwned::to_owned),
                artifact_type: None,
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            },
        };
    let expected = vec![
        image("sha256:0a", 1_767_603_600, Some(media_type), &["1.0", "1"]),
        image("sha256:0c", 1_767_603_660, None, &["3.0"]),
    ];
    assert_eq!(read.expect("answered"), expected);

    let request = |token: Option<&str>| {
        let mut request = json!({
            "repositoryName": "web", "filter": {"tagStatus": "TAGGED"}, "maxResults": 1_000,
        });
        if let Some(token) = token {
            request["nextToken"] = json!(token);
        }
        request
    };
    let sent: Vec<_> = script.sent().iter().map(|sent| sent.json()).collect();
    assert_eq!(sent, [request(None), request(Some("more"))]);
}
