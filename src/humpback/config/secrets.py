"""Finds keys and passwords in a configuration: it is copied into the run's folder, and parts of it into logs, messages,
the report and the source of every row."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PASSWORD = re.compile(r"://[^/@\s:]*:[^/@\s]+@|\bhttps?://[^/@\s]+@", re.IGNORECASE)
_PARAMETER = re.compile(r"[?&;]([\w.-]+)=[^&#\s]", re.IGNORECASE)
_SIGNED = """
access_token accesskey api-key api_key apikey auth auth_token authorization awsaccesskeyid client_secret key passwd
password pwd secret sig signature token x-amz-credential x-amz-security-token x-amz-signature x-goog-credential
x-goog-signature
"""
_SECRET_PARAMETERS = frozenset(_SIGNED.split())
"""Parameters by which addresses carry their permission: those of S3, Google's and Azure's storage, and usual ones."""
_KEY = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{36,}|AKIA[0-9A-Z]{16}|AIza[\w-]{35})\b"
)
"""Keys by their first letters: Hugging Face, OpenAI and its like, GitHub, Amazon, Google."""
_OPTION = re.compile(
    r"(?:^|\s)--?(?:api-?key|(?:(?:access|auth|bearer|hf)-)?token|password|secret)[=\s]+\S", re.IGNORECASE
)
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


def secret_in(text: str) -> str | None:
    """What kind of secret stands in a text; None where there is none. The secret itself is not repeated."""
    if "://" in text:
        if _PASSWORD.search(text):
            return "a user with a password"
        for parameter in _PARAMETER.findall(text):
            if parameter.casefold() in _SECRET_PARAMETERS:
                return f"`{parameter}=`, a permission"
    return "a key" if _KEY.search(text) else None


def secrets_in(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every place in a tree of dictionaries and lists that holds a secret, as `a.b`, and the kind of the secret."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from secrets_in(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets_in(inner, key)
    elif isinstance(value, str) and (found := secret_in(value)):
        yield key, found


def passes_secret(command: str) -> bool:
    """Whether a command has a key among its arguments, where every user of the machine can read it."""
    return bool(_OPTION.search(command))


def is_variable(name: str) -> bool:
    """Whether a text is the name of an environment variable in capitals, which no key looks like."""
    return _NAME.fullmatch(name) is not None
