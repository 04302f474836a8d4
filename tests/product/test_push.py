"""A real hub client against a stand-in: what arrives, who may see it, and what is said when it does not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from hub_stand_in import TOKEN, Hub, hub_stand_in

from humpback.errors import HumpbackError, InputError, ModelError, WorkspaceError
from humpback.product import hub as hub_module
from humpback.product.hub import HubError, upload
from humpback.product.markdown import read_front_matter
from humpback.product.push import LicenceError, push_run
from humpback.product.rows import DatasetRow, dataset_rows, write_dataset
from humpback.records import Source


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(hub_module.time, "sleep", lambda seconds: None)  # one `time` for the client too
    with hub_stand_in() as running:
        yield running


def with_licences(run: Path, *licences: str | None) -> None:
    """Gives the dataset's rows these licences, one after another, then the first again."""
    rows = list(dataset_rows(run / "dataset"))
    changed = [
        DatasetRow(row.id, row.instruction, row.output, row.headers,
                   Source(row.source.uri, licence=licences[number % len(licences)]),
                   row.rating, row.ratings, row.round)
        for number, row in enumerate(rows)
    ]  # fmt: skip
    write_dataset(run / "dataset", changed)
    manifest = json.loads((run / "dataset/stage.json").read_text())
    manifest["files"] = {name: (run / "dataset" / name).stat().st_size for name in manifest["files"]}
    (run / "dataset/stage.json").write_text(json.dumps(manifest))


def test_the_dataset_arrives_byte_for_byte_and_private(product_run, hub):
    done = push_run(product_run, "me/data", endpoint=hub.address)
    assert hub.repos == {"datasets/me/data": {"private": True}}
    sent = hub.files["datasets/me/data"]
    assert sent == {name: (product_run / "dataset" / name).read_bytes() for name in done.files}
    assert set(sent) == {"README.md", "train.jsonl", "train.parquet"}
    assert (done.address, done.is_private) == (f"{hub.address}/datasets/me/data", True)
    assert done.bytes == sum(map(len, sent.values()))


def test_public_is_asked_for(product_run, hub):
    assert not push_run(product_run, "me/data", public=True, endpoint=hub.address).is_private
    assert hub.repos == {"datasets/me/data": {"private": False}}


def test_nothing_goes_into_a_public_repository_by_accident(product_run, hub):
    hub.repos["datasets/me/data"] = {"private": False}
    with pytest.raises(HubError, match=r"is public, so nothing was uploaded; give --public"):
        push_run(product_run, "me/data", endpoint=hub.address)
    assert hub.files == {}
    push_run(product_run, "me/data", public=True, endpoint=hub.address)
    assert hub.names("datasets/me/data")


def test_a_second_push_changes_what_changed_only(own_run, hub):
    push_run(own_run, "me/data", endpoint=hub.address)
    push_run(own_run, "me/data", endpoint=hub.address)
    assert sum("/commit/" in request for request in hub.requests) == 1
    card = own_run / "dataset/README.md"
    card.write_text(card.read_text() + "\nmore\n")
    manifest = json.loads((own_run / "dataset/stage.json").read_text())
    manifest["files"]["README.md"] = card.stat().st_size
    (own_run / "dataset/stage.json").write_text(json.dumps(manifest))
    push_run(own_run, "me/data", endpoint=hub.address)
    assert hub.files["datasets/me/data"]["README.md"] == card.read_bytes()


@pytest.mark.parametrize(
    "route", ["/api/repos/create", "/api/datasets/me/data", "/commit/", "/objects/", "/preupload/"]
)
def test_a_hub_that_stumbles_is_asked_again(product_run, hub, route):
    hub.failures[route] = [500, 503]
    push_run(product_run, "me/data", endpoint=hub.address)
    assert hub.failures[route] == []
    assert hub.files["datasets/me/data"]["train.parquet"] == (product_run / "dataset/train.parquet").read_bytes()


@pytest.mark.parametrize(
    ("route", "status", "said"),
    [
        ("/api/repos/create", 401, "HF_TOKEN is not valid"),
        ("/commit/", 401, "HF_TOKEN is not valid"),
        ("/commit/", 403, "may not write to it; use one with write access"),
        ("/preupload/", 404, "no such owner, or the token in HF_TOKEN may not see it"),
        ("/commit/", 409, "somebody else is changing it; run the same command again"),
        ("/commit/", 412, "was changed in the meantime"),
        ("/commit/", 500, "run the same command again"),
    ],
)
def test_a_refusal_is_one_message_without_the_token(product_run, hub, route, status, said):
    hub.failures[route] = [status] * 40
    with pytest.raises(HubError) as caught:
        push_run(product_run, "me/data", endpoint=hub.address)
    text = str(caught.value)
    assert said in text
    assert text.startswith(f"me/data at {hub.address}: ")
    assert str(status) in text
    assert len(text.splitlines()) == 1
    assert TOKEN not in text


def test_no_right_to_make_a_repository(product_run, hub):
    hub.refuse_writing = True
    with pytest.raises(HubError, match="may not write to it"):
        push_run(product_run, "other/data", endpoint=hub.address)


def test_a_wrong_token_is_not_repeated_by_a_server_that_repeats_it(product_run, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrongwrongwrong")
    with pytest.raises(HubError, match="not valid") as caught:
        push_run(product_run, "me/data", endpoint=hub.address)
    assert "wrongwrong" not in str(caught.value)


def test_a_hub_that_is_not_there(product_run, hub):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(HubError, match="cannot be reached; check the network and HF_ENDPOINT"):
            push_run(product_run, "me/data", endpoint=address)


def test_offline_is_said(product_run, hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        push_run(product_run, "me/data", endpoint=hub.address)


@pytest.mark.parametrize("repo", ["data", "a/b/c", "me/da ta", "me/..", "/x"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(product_run, hub, repo):
    with pytest.raises(InputError, match="no repository's name"):
        push_run(product_run, repo, endpoint=hub.address)
    assert hub.requests == []


def test_a_token_comes_from_the_environment_only(product_run, hub, monkeypatch, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InputError, match="HF_TOKEN is not set"):
        push_run(product_run, "me/data", endpoint=hub.address)
    assert hub.requests == []


def test_rows_that_may_not_be_passed_on_are_named(own_run, hub):
    with_licences(own_run, "CC0-1.0", None, "CC BY-ND 4.0", "All rights\nreserved")
    ids = [row.id for row in dataset_rows(own_run / "dataset")]
    with pytest.raises(LicenceError) as caught:
        push_run(own_run, "me/data", endpoint=hub.address)
    text = str(caught.value)
    assert hub.requests == []
    assert "--allow-licence" in text
    assert "rows, no licence stated (" in text
    assert "licence “CC BY-ND 4.0”: it forbids adapted works" in text
    assert "licence “All rights reserved”: all rights are reserved" in text
    assert ids[1] in text
    assert ids[0] not in text
    push_run(own_run, "me/data", allow_licence=True, endpoint=hub.address)
    assert hub.names("datasets/me/data")


def test_many_licences_are_counted_not_listed(own_run, hub):
    with_licences(own_run, *(f"my own licence {number}" for number in range(10)))
    with pytest.raises(LicenceError, match=r"rows with \d other licences"):
        push_run(own_run, "me/data", endpoint=hub.address)


def test_an_unfinished_dataset_and_no_run_are_refused(own_run, hub, tmp_path):
    (own_run / "dataset/stage.json").unlink()
    with pytest.raises(WorkspaceError, match="dataset is not finished"):
        push_run(own_run, "me/data", endpoint=hub.address)
    with pytest.raises(WorkspaceError, match="no run's folder"):
        push_run(tmp_path, "me/data", endpoint=hub.address)


def trained(run: Path, tiny_model: Path, name: str = "m2") -> Path:
    """Puts a real model where the dry run trained none."""
    folder = run / "models" / name
    for file in tiny_model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def of_builtin(run: Path) -> None:
    file = run / "humpback.yaml"
    lines = [line if not line.startswith("model:") else "model: builtin" for line in file.read_text().splitlines()]
    file.write_text("\n".join(lines) + "\n")


def test_a_model_goes_with_a_card_and_without_what_is_ours_alone(own_run, tiny_model, hub):
    folder = trained(own_run, tiny_model)
    of_builtin(own_run)
    done = push_run(own_run, "me/model", kind="model", endpoint=hub.address)
    sent = hub.files["models/me/model"]
    assert hub.repos["models/me/model"] == {"private": True}
    assert sent["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert {"config.json", "tokenizer.json", "README.md"} <= set(sent)
    assert "stage.json" not in sent
    assert done.address == f"{hub.address}/me/model"
    card = read_front_matter(sent["README.md"].decode())
    assert (card["base_model"], card["license"]) == ("HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0")
    assert str(own_run).encode() not in sent["README.md"]


def test_a_model_from_a_base_without_a_licence_is_refused(own_run, tiny_model, hub):
    trained(own_run, tiny_model)
    with pytest.raises(LicenceError, match="no licence stated"):
        push_run(own_run, "me/model", kind="model", endpoint=hub.address)
    push_run(own_run, "me/model", kind="model", allow_licence=True, endpoint=hub.address)
    assert hub.names("models/me/model")


def test_an_adapter_names_its_base_on_the_hub_or_stays(own_run, tiny_model, hub):
    folder = own_run / "models/m2"
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(tiny_model), "r": 8}))
    for name in ("tokenizer.json", "model.safetensors"):
        (folder / name.replace("model.", "adapter_model.")).write_bytes((tiny_model / name).read_bytes())
    with pytest.raises(InputError, match="an adapter to a model that is not on the hub"):
        push_run(own_run, "me/model", kind="model", allow_licence=True, endpoint=hub.address)
    file = own_run / "humpback.yaml"
    file.write_text(file.read_text().replace(next(line for line in file.read_text().splitlines()
                                                  if line.startswith("model:")), "model: some/base"))  # fmt: skip
    push_run(own_run, "me/model", kind="model", allow_licence=True, endpoint=hub.address)
    sent = json.loads(hub.files["models/me/model"]["adapter_config.json"])
    assert sent == {"base_model_name_or_path": "some/base", "r": 8}


def test_a_model_that_is_not_there_or_not_whole(product_run, hub):
    with pytest.raises(InputError, match=r"no such model; it has backward, m0, m1, m2"):
        push_run(product_run, "me/model", kind="model", model="m7", endpoint=hub.address)
    with pytest.raises(ModelError, match="no complete model folder"):  # of a dry run
        push_run(product_run, "me/model", kind="model", endpoint=hub.address)
    with pytest.raises(InputError, match="give --kind model"):
        push_run(product_run, "me/model", model="m2", endpoint=hub.address)
    assert hub.requests == []


def test_any_error_of_the_client_is_ours(hub, tmp_path):
    with pytest.raises(HumpbackError, match="me/data at "):
        upload("me/data", "dataset", {"x": tmp_path / "missing"}, public=False, message="x", endpoint=hub.address)


def test_the_command_as_a_user_gives_it(product_run):
    with hub_stand_in() as hub:
        given = {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        command = [sys.executable, "-m", "humpback", "push", str(product_run), "--repo", "me/data"]
        done = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=True)
        assert f"{hub.address}/datasets/me/data (private): README.md, train.jsonl, train.parquet" in done.stdout
        assert hub.repos["datasets/me/data"] == {"private": True}
        given["HF_TOKEN"] = "hf_wrongwrongwrong"
        refused = subprocess.run(command, env=os.environ | given, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "wrongwrong" not in refused.stderr + refused.stdout
    assert "not valid" in refused.stderr
