"""Every kind of error is the standard library's kind too."""

from __future__ import annotations

import inspect

import pytest

import humpback
from humpback import errors

KINDS = {
    errors.ConfigError: ValueError,
    errors.InputError: ValueError,
    errors.WorkspaceError: RuntimeError,
    errors.ModelError: RuntimeError,
    errors.EngineError: RuntimeError,
    errors.NothingLeftError: RuntimeError,
    errors.MissingDependencyError: ImportError,
}


@pytest.mark.parametrize(("kind", "standard"), KINDS.items())
def test_a_kind_can_be_caught_by_its_standard_name(kind, standard):
    assert issubclass(kind, errors.HumpbackError)
    with pytest.raises(standard):
        raise kind(["message"] if kind is errors.ConfigError else "message")


def test_no_kind_is_forgotten():
    found = {value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, Exception)}
    assert found == {errors.HumpbackError, *KINDS}


def test_a_configuration_error_holds_every_problem():
    error = errors.ConfigError(["first", "second"])
    assert error.problems == ["first", "second"]
    assert str(error) == "first\nsecond"


def test_the_public_names_are_there():
    for name in humpback.__all__:
        assert getattr(humpback, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = humpback.nothing
