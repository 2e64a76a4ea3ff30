"""Images in ECR without Docker: layers of a public image are copied through ECR's API.

Each image gets a label of its own in its configuration, so that one public image makes as many
digests as a run needs. A sandbox keeps no layers: there an image is its manifest alone.
"""

import hashlib
import json
import urllib.request

from account import unless_missing

INDEXES = ("application/vnd.oci.image.index.v1+json",
           "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json",
             "application/vnd.docker.distribution.manifest.v2+json")
ARCHITECTURE = "amd64"
SECONDS = 60
# What cosign pushes beside an image: github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md.
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


class Registry:
    """A public registry that gives tokens to everyone, such as public.ecr.aws."""

    def __init__(self, reference):
        self.host, _, rest = reference.partition("/")
        self.repository, _, self.tag = rest.rpartition(":")
        url = f"https://{self.host}/token/?scope=repository:{self.repository}:pull"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            self.token = json.load(answer)["token"]

    def get(self, path, accept="*/*"):
        request = urllib.request.Request(f"https://{self.host}/v2/{self.repository}/{path}")
        request.add_header("Accept", accept)
        # Layers are redirected to a store that refuses a second authorization.
        request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.read()

    def manifest(self):
        """The manifest for one architecture, and the image's configuration."""
        accept = ",".join(INDEXES + MANIFESTS)
        found = json.loads(self.get(f"manifests/{self.tag}", accept))
        if "manifests" in found:
            digest = next(it["digest"] for it in found["manifests"]
                          if it["platform"]["architecture"] == ARCHITECTURE)
            found = json.loads(self.get(f"manifests/{digest}", accept))
        return found, json.loads(self.get(f"blobs/{found['config']['digest']}"))


class Images:
    """Pushes images to the repositories of a run."""

    def __init__(self, account, good, broken):
        self.account, self.ecr = account, account.client("ecr")
        self.references = {True: good, False: broken}

    def push(self, repository, tag, good=True):
        """The digest of a new image, which starts the repository's pipeline."""
        if self.account.is_sandbox:
            manifest = {"schemaVersion": 2, "config": {"digest": f"{repository}:{tag}"}}
            if not good:
                manifest["annotations"] = {"sandbox.behaviour": "never-healthy"}
            return self.put(repository, tag, manifest)

        registry = Registry(self.references[good])
        manifest, config = registry.manifest()
        for layer in manifest["layers"]:
            self.copy(repository, registry, layer["digest"])
        labels = config.setdefault("config", {}).get("Labels") or {}
        config["config"]["Labels"] = {**labels, "slipway.acceptance": f"{repository}:{tag}"}
        manifest["config"] |= self.upload(repository, json.dumps(config).encode())
        return self.put(repository, tag, manifest)

    def push_signature(self, repository, digest):
        """Tag and digest of a signature of an image, as cosign pushes it."""
        config, layer = b"{}", json.dumps({"critical": {"image": digest}}).encode()
        if self.account.is_sandbox:
            config, layer = described(config), described(layer)
        else:
            config, layer = self.upload(repository, config), self.upload(repository, layer)
        manifest = {
            "schemaVersion": 2, "mediaType": MANIFESTS[0],
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
            "layers": [{"mediaType": SIGNATURE, **layer}],
        }
        tag = digest.replace(":", "-") + ".sig"
        return tag, self.put(repository, tag, manifest)

    def put(self, repository, tag, manifest):
        more = {}
        if "mediaType" in manifest:
            more["imageManifestMediaType"] = manifest["mediaType"]
        answer = self.ecr.put_image(repositoryName=repository, imageTag=tag,
                                    imageManifest=json.dumps(manifest), **more)
        return answer["image"]["imageId"]["imageDigest"]

    def copy(self, repository, registry, digest):
        layers = self.ecr.batch_check_layer_availability(
            repositoryName=repository, layerDigests=[digest])["layers"]
        if not any(it["layerAvailability"] == "AVAILABLE" for it in layers):
            self.upload(repository, registry.get(f"blobs/{digest}"))

    def upload(self, repository, blob):
        """Size and digest of a blob, once it is a layer of the repository."""
        about = {"repositoryName": repository}
        begun = self.ecr.initiate_layer_upload(**about)
        about["uploadId"], step = begun["uploadId"], begun["partSize"]
        for first in range(0, len(blob), step):
            part = blob[first:first + step]
            self.ecr.upload_layer_part(**about, partFirstByte=first,
                                       partLastByte=first + len(part) - 1, layerPartBlob=part)
        blob = described(blob)
        try:
            self.ecr.complete_layer_upload(**about, layerDigests=[blob["digest"]])
        except self.ecr.exceptions.LayerAlreadyExistsException:
            pass
        return blob

    def has_repository(self, name):
        found = unless_missing(self.ecr.describe_repositories, repositoryNames=[name])
        return found is not None


def described(blob):
    return {"size": len(blob), "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}"}
