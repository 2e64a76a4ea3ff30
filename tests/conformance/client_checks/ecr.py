"""Amazon ECR: repositories and images."""

import base64
import json

from client_checks import check
from client_checks.account import manifest
from client_checks.calls import all_pages, cli, client, modelled


@check
def ecr_repositories_and_images():
    ecr = client("ecr")
    assert ecr.create_repository(repositoryName="own", tags=[{"Key": "a", "Value": "b"}])["repository"]["repositoryUri"]
    for number in range(3):
        ecr.put_image(repositoryName="own", imageTag=f"v{number}", imageManifest=manifest(f"own {number}"))
    assert "own" in all_pages(ecr, "describe_repositories", "repositories[].repositoryName", 1)
    details = cli("ecr", "describe-images", "--repository-name", "own")["imageDetails"]
    assert len(details) == 3 == len(all_pages(ecr, "describe_images", "imageDetails[].imageDigest", 1, repositoryName="own"))
    image = ecr.batch_get_image(repositoryName="own", imageIds=[{"imageTag": "v0"}, {"imageTag": "none"}])
    assert json.loads(image["images"][0]["imageManifest"]) == json.loads(manifest("own 0"))
    assert image["failures"][0]["failureCode"] == "ImageNotFound"
    token = ecr.get_authorization_token()["authorizationData"][0]
    assert base64.b64decode(token["authorizationToken"]).startswith(b"AWS:")
    modelled(ecr, "RepositoryNotFoundException", ecr.describe_images, repositoryName="none")
    modelled(ecr, "ImageNotFoundException", ecr.describe_images, repositoryName="own", imageIds=[{"imageTag": "none"}])
    modelled(ecr, "RepositoryNotEmptyException", ecr.delete_repository, repositoryName="own")
    ecr.delete_repository(repositoryName="own", force=True)
