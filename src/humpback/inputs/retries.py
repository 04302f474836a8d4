"""Requests to hosts that fail: which are made again, and what the user is told of the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from humpback.errors import InputError

log = logging.getLogger(__name__)

T = TypeVar("T")

WAITS = (0.5, 2.0, 8.0)
"""Seconds before a request that failed is made again (ours: what takes longer is no hiccup)."""

WEB = ("http://", "https://")

_REFUSED = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError, ValueError)
_ASKED_AGAIN = {400, 408, 425, 429}
"""Answers of a web server that may be others a second later; 400 is aiohttp's own for one that breaks off."""

_KEYS = (
    "for s3:// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile, for gs:// Google's default credentials; "
    "FSSPEC_S3_ANON=1 or FSSPEC_GS_TOKEN=anon for what is open to everybody"
)


def persistently(
    ask: Callable[[], T], url: str, option: str, verb: str = "read", *, waits: Sequence[float] | None = None
) -> T:
    """What `ask` answers, asked again where it fails in a way that may pass, after `waits` or else `WAITS`.

    Raises:
        InputError: it fails for good; the message names `option` and `url`, and says that it cannot be `verb`.
    """
    for wait in WAITS if waits is None else waits:
        try:
            return ask()
        except Exception as error:  # each file system has errors of its own
            if not may_pass(error):
                raise unreachable(url, option, error, verb) from error
            log.warning("%s: %s; again in %s s", url, reason(error), wait)
            time.sleep(wait)
    try:
        return ask()
    except Exception as error:
        raise unreachable(url, option, error, verb) from error


def may_pass(error: Exception) -> bool:
    """Whether trying again may help: not where there is no such file, no permission, or nobody to ask for it."""
    cause = _cause(error)
    status = _status(cause)
    if status is not None:
        return status >= 500 or (status in _ASKED_AGAIN and not _is_botocore(cause))
    return not isinstance(cause, _REFUSED) and not _lacks_keys(cause)


def unreachable(url: str, option: str, error: Exception, verb: str = "read") -> InputError:
    """The error for an address that cannot be read or written, with what to do about it."""
    cause = _cause(error)
    advice = "Check the address."
    if url.startswith(WEB) and "*" in url:
        advice += " On the web it names one file: there are no patterns."
    elif _status(cause) in {401, 403} or isinstance(cause, PermissionError) or _lacks_keys(cause):
        advice = f"Check the address and the keys: {_KEYS}." if not url.startswith(WEB) else "It is not open to you."
    elif may_pass(error):
        advice = "Check the address and the connection, and run the same command again."
    return InputError(f"{option}: {url!r} cannot be {verb} ({reason(error)}). {advice}")


def reason(error: Exception) -> str:
    """What went wrong, in a line: of web servers the status and what they call it."""
    cause = _cause(error)
    status, message = getattr(cause, "status", None), getattr(cause, "message", "")
    told = f"{status} {message}" if isinstance(status, int) and message else f"{cause.__class__.__name__}: {cause}"
    return " ".join(told.split())[:300].strip(" .:")


def _cause(error: Exception) -> BaseException:
    return error.__cause__ or error


def _status(cause: BaseException) -> int | None:
    """The HTTP status that the host answered with, as aiohttp, Google's and Amazon's libraries tell it."""
    if _is_botocore(cause):
        told = getattr(cause, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        told = getattr(cause, "status", None) or getattr(cause, "code", None)
    return told if isinstance(told, int) else None


def _is_botocore(cause: BaseException) -> bool:
    return isinstance(getattr(cause, "response", None), dict)


def _lacks_keys(cause: BaseException) -> bool:
    return "Credential" in cause.__class__.__name__
