"""Hosts on the loopback: a web server with bad habits, and one that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_host import Web

from humpback.inputs import retries


@pytest.fixture
def web(monkeypatch) -> Iterator[Web]:
    pytest.importorskip("aiohttp", reason='https:// needs `pip install "humpback[remote]"`')
    monkeypatch.setattr(retries, "WAITS", (0.01, 0.02, 0.03))
    server = Web()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture(scope="session")
def s3_server():
    """The endpoint of an S3 server in this process."""
    pytest.importorskip("s3fs", reason='s3:// needs `pip install "humpback[remote]"`')
    moto = pytest.importorskip("moto.server", reason='the S3 server of these tests needs `pip install "moto[server]"`')
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path_factory):
    """A client of the server, emptied, which the environment names as the user's own."""
    import boto3
    import s3fs

    empty = tmp_path_factory.mktemp("aws")
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(empty / "credentials"),
        "AWS_CONFIG_FILE": str(empty / "config"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(retries, "WAITS", (0.01, 0.02, 0.03))
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    for bucket in client.list_buckets()["Buckets"]:
        for one in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            client.delete_object(Bucket=bucket["Name"], Key=one["Key"])
        client.delete_bucket(Bucket=bucket["Name"])
    client.create_bucket(Bucket="mine")
    yield client
    s3fs.S3FileSystem.clear_instance_cache()
