"""Files in buckets, at a server that speaks S3."""

from __future__ import annotations

import gzip
import json
import sys

import pytest

from humpback.cli import app as cli
from humpback.errors import InputError, MissingDependencyError
from humpback.inputs import content_digest, locate
from humpback.workspace import part_files

PAGE = "<title>Tea</title><nav><a href=/>Home</a></nav><main><h1>Tea</h1><p>Leaves and water.</p></main>"


@pytest.fixture
def bucket(s3):
    """`mine`, with two pages in a folder, one beside it, and one hidden."""
    for key in ("in/a.html", "in/deep/b.html", "c.html", "in/.hidden.html"):
        s3.put_object(Bucket="mine", Key=key, Body=PAGE.encode())
    return s3


def names(url: str) -> list[str]:
    return [file.name for file in locate([url], "corpus")]


def test_files_folders_and_patterns(bucket):
    both = ["s3://mine/in/a.html", "s3://mine/in/deep/b.html"]
    assert names("s3://mine/in") == names("s3://mine/in/") == names("s3://mine/in/**/*.html") == both
    assert names("s3://mine/*.html") == names("s3://mine/c.html") == ["s3://mine/c.html"]
    assert names("s3://mine") == ["s3://mine/c.html", *both]
    assert names("s3://mine/in/.hidden.html") == ["s3://mine/in/.hidden.html"]  # named outright
    with locate(["s3://mine/c.html"], "corpus")[0].open() as stream:
        assert stream.seekable()
        assert stream.read() == PAGE.encode()


def test_the_digest_is_of_the_contents_however_the_files_are_named(bucket):
    digest = content_digest(locate(["s3://mine/in"], "corpus"))
    assert content_digest(locate(["s3://mine/in/**/*.html"], "corpus")) == digest
    assert content_digest(locate(["s3://mine/in/a.html", "s3://mine/in/deep/b.html"], "corpus")) == digest
    bucket.put_object(Bucket="mine", Key="in/a.html", Body=PAGE.encode())
    assert content_digest(locate(["s3://mine/in"], "corpus")) == digest
    bucket.put_object(Bucket="mine", Key="in/a.html", Body=PAGE.encode()[::-1])
    assert content_digest(locate(["s3://mine/in"], "corpus")) != digest


def refused(url: str) -> str:
    with pytest.raises(InputError) as caught:
        files = locate([url], "corpus")
        files[0].open().read()
    return str(caught.value)


def test_what_is_not_there_is_said(bucket):
    assert refused("s3://mine/in/d.html") == "corpus: nothing is found at 's3://mine/in/d.html'. Check the address."
    assert refused("s3://mine/*.pdf") == "corpus: nothing is found at 's3://mine/*.pdf'. Check the address."
    for url in ("s3://yours", "s3://yours/a.html", "s3://yours/*.html"):
        assert f"{url!r}: there is no bucket 'yours', or none that you may see" in refused(url)
    assert refused("s3://").startswith("corpus: 's3://' cannot be read")


def test_without_keys_it_is_said_where_they_go(bucket, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    told = refused("s3://mine/c.html")
    assert "Unable to locate credentials" in told
    assert "AWS_ACCESS_KEY_ID" in told


def test_wrong_keys_are_refused_at_once(bucket, s3_server, caplog):
    from urllib.request import Request, urlopen

    def check_keys_from(request: int) -> None:
        plain = {"Content-Type": "text/plain"}
        urlopen(Request(f"{s3_server}/moto-api/reset-auth", str(request).encode(), plain)).close()

    check_keys_from(0)
    try:
        told = refused("s3://mine/c.html")
    finally:
        check_keys_from(1 << 40)
    assert "Access Key" in told
    assert "Check the address and the keys" in told
    assert "again in" not in caplog.text


def test_an_endpoint_that_is_none(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "Check the address and the connection" in refused("s3://mine/c.html")


@pytest.fixture
def humpback(monkeypatch, capsys, tmp_path):
    """Runs the command; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "5000")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["humpback", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return call


def test_extract_reads_a_bucket(humpback, bucket, tmp_path):
    code, out, _ = humpback("extract", "s3://mine/in", "--out", "texts.jsonl")
    assert (code, out.strip()) == (0, "texts.jsonl: 2 documents")
    rows = [json.loads(line) for line in (tmp_path / "texts.jsonl").read_text().splitlines()]
    assert {row["text"] for row in rows} == {"# Tea\n\nLeaves and water."}
    assert [row["path"] for row in rows] == ["s3://mine/in/a.html", "s3://mine/in/deep/b.html"]
    code, _, err = humpback("extract", "s3://yours/in")
    assert code == 1
    assert err.count("error:") == 1
    assert "there is no bucket 'yours'" in err


def test_a_bucket_is_ingested_and_run_like_a_folder(humpback, s3, small_inputs):
    """The same segments; and what changes in the bucket is read again."""
    import pyarrow.parquet as parquet

    for path in sorted(small_inputs.corpus.iterdir()):
        s3.put_object(Bucket="mine", Key=f"corpus/{path.name}.gz", Body=gzip.compress(path.read_bytes(), mtime=0))

    def segments(command: str, name: str, *overrides: str) -> list[str]:
        options = [word for one in (f"name={name}", *overrides) for word in ("-s", one)]
        code, _, err = humpback(command, small_inputs.config, *options)
        assert code == 0, err
        parts = part_files(small_inputs.folder / "runs" / name / "segments")
        return sorted(text for part in parts for text in parquet.read_table(part)["text"].to_pylist())

    remote = "corpus=['s3://mine/corpus']"
    local = segments("ingest", "local")
    assert local
    assert segments("ingest", "remote", remote) == local
    assert segments("run", "remote", remote, "rounds=1") == local
    s3.delete_object(Bucket="mine", Key="corpus/document-0.md.gz")
    assert set(segments("ingest", "remote", remote)) < set(local)
    code, _, err = humpback("run", small_inputs.config, "-s", "corpus=['s3://yours']")
    assert code == 1
    assert err.count("error:") == 1
    assert "there is no bucket 'yours'" in err


def test_a_kind_of_address_that_needs_another_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "humpback\[remote\]"'):
        locate(["gs://bucket/a.md"], "corpus")
