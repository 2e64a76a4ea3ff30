"""Amazon S3: objects and their versions."""

import io
import urllib.request

from client_checks import check
from client_checks.account import BUCKET
from client_checks.calls import all_pages, client, error, modelled


@check
def s3_objects():
    s3 = client("s3")
    bucket = BUCKET
    version = s3.put_object(Bucket=bucket, Key="b c&d", Body=b"one")["VersionId"]
    s3.put_object(Bucket=bucket, Key="b c&d", Body=b"two")
    assert s3.get_object(Bucket=bucket, Key="b c&d")["Body"].read() == b"two"
    assert s3.get_object(Bucket=bucket, Key="b c&d", VersionId=version)["Body"].read() == b"one"
    s3.upload_fileobj(io.BytesIO(b"x" * 100_000), bucket, "large")
    assert len(s3.get_object(Bucket=bucket, Key="large")["Body"].read()) == 100_000
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "large"})
    assert len(urllib.request.urlopen(url, timeout=10).read()) == 100_000
    s3.put_object(Bucket=bucket, Key="large as well", Body=b"")
    keys = all_pages(s3, "list_objects_v2", "Contents[].Key", 1, Bucket=bucket, Prefix="large")
    assert keys == ["large", "large as well"], keys
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "eu-west-1"
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", rules
    assert s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == 100_000
    error("404", s3.head_object, Bucket=bucket, Key="none")
    versions = all_pages(s3, "list_object_versions", "Versions[].[Key,VersionId]", 1, Bucket=bucket, Prefix="b c")
    assert versions[-1] == ["b c&d", version] and len(versions) == 2, versions
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": id} for key, id in versions]})
    assert [it["VersionId"] for it in deleted["Deleted"]] == [id for _, id in versions], deleted
    modelled(s3, "NoSuchKey", s3.get_object, Bucket=bucket, Key="b c&d")
    error("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    modelled(s3, "NoSuchKey", s3.get_object, Bucket=bucket, Key="none")
    modelled(s3, "NoSuchBucket", s3.put_object, Bucket="none", Key="k")
