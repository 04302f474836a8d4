"""One upload to a Hugging Face hub through its own client: tried again where that helps, explained where not."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from humpback.errors import HumpbackError, InputError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger(__name__)

T = TypeVar("T")
Kind = Literal["dataset", "model"]

TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the name of a variable
WAITS = (1.0, 4.0, 15.0)  # seconds before another attempt; ours: a hub that restarts is back by then
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class HubError(HumpbackError, RuntimeError):
    """A hub refuses, or does not answer."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Where the files are now, and whether only those who were given access can see them."""

    address: str
    is_private: bool


def upload(
    repo: str, kind: Kind, files: Mapping[str, Path | bytes], *, public: bool, message: str, endpoint: str | None = None
) -> Uploaded:
    """Makes the repository if it is not there, and commits the files, all at once.

    Args:
        repo: `owner/name`.
        kind: what the repository holds.
        files: path in the repository -> file, or content.
        public: whether everybody may see a repository that is made now.
        message: of the commit.
        endpoint: address of the hub; None for the one that `HF_ENDPOINT` names, by default huggingface.co.

    Raises:
        InputError: `repo` is no such name, or no token is given.
        HubError: the hub refuses, does not answer, or has a public repository of that name and `public` is not given.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    if repo.count("/") != 1:
        raise InputError(f"--repo: {repo}: is no repository's name; give owner/name")
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise InputError(
            f"{TOKEN_VARIABLE} is not set: put a token that may write to {repo} into this environment variable "
            "(on huggingface.co: Settings, Access Tokens)"
        )
    api = HfApi(endpoint=endpoint, token=token)
    attempt = _Attempts(api, repo, token)
    attempt.run(lambda: api.create_repo(repo, repo_type=kind, private=not public, exist_ok=True))
    info = attempt.run(lambda: api.repo_info(repo, repo_type=kind))
    if not public and info.private is not True:  # one that was there before stays as it is
        raise HubError(
            f"{repo}: is there already and is public, so nothing was uploaded; give --public if everybody may see "
            "this, or another name"
        )
    operations = attempt.run(lambda: [CommitOperationAdd(path, content) for path, content in files.items()])
    attempt.run(lambda: api.create_commit(repo, operations, commit_message=message, repo_type=kind))
    return Uploaded(f"{api.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo}", info.private is True)


class _Attempts:
    """Requests to a hub, with what each failure means. The token stands in no message."""

    def __init__(self, api: HfApi, repo: str, token: str) -> None:
        self._endpoint = api.endpoint
        self._repo = repo
        self._token = token

    def run(self, request: Callable[[], T]) -> T:
        """What `request` returns; it is sent again where the failure may pass."""
        from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled

        for wait in (*WAITS, None):
            try:
                return request()
            except OfflineModeIsEnabled:
                raise HubError("HF_HUB_OFFLINE is set, so no hub is asked; unset it to push") from None
            except HFValidationError as error:
                raise InputError(f"--repo: {self._repo}: is no repository's name ({error})") from None
            except Exception as error:  # the client raises a dozen unrelated kinds
                status = _status(error)
                if wait is None or not _may_pass(error, status):
                    raise HubError(self._explained(error, status)) from None
                log.warning("%s: %s; trying again in %g s", self._endpoint, self._reason(error, status), wait)
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _explained(self, error: BaseException, status: int | None) -> str:
        reason = self._reason(error, status)
        remedy = {
            401: f"the token in {TOKEN_VARIABLE} is not valid there; make a new one",
            403: f"the token in {TOKEN_VARIABLE} may not write to it; use one with write access for its owner",
            404: f"there is no such owner, or the token in {TOKEN_VARIABLE} may not see it; check the name",
            409: "somebody else is changing it; run the same command again",
            412: "it was changed in the meantime; run the same command again",
        }.get(status or 0)
        if remedy is None and _is_connection(error):
            remedy = "it cannot be reached; check the network and HF_ENDPOINT, and run the same command again"
        remedy = remedy or "run the same command again; files that arrived are not sent twice"
        return f"{self._repo} at {self._endpoint}: {remedy} ({reason})"

    def _reason(self, error: BaseException, status: int | None) -> str:
        """The first line of the cause, without the token."""
        cause = _cause(error)
        said = str(cause).strip() or type(cause).__name__
        said = getattr(cause, "server_message", None) or said
        text = " ".join(said.replace(self._token, "***").split())[:200]
        return text if status is None or str(status) in text else f"{status}: {text}"


def _cause(error: BaseException) -> BaseException:
    """The error below those in which the client wraps it."""
    while isinstance(error, RuntimeError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _status(error: BaseException) -> int | None:
    response = getattr(_cause(error), "response", None)
    return getattr(response, "status_code", None)


def _is_connection(error: BaseException) -> bool:
    """Whether the network failed. By name: which HTTP library the client stands on changes with its version."""
    return any(kind.__name__ in ("TransportError", "ConnectionError") for kind in type(_cause(error)).__mro__)


def _may_pass(error: BaseException, status: int | None) -> bool:
    return status in _AGAIN if status is not None else _is_connection(error)
