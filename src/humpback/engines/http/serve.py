"""Reaching the server: checks that the model is served, or starts the user's command and waits for it."""

from __future__ import annotations

import logging
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from humpback.config import HttpConfig
from humpback.engines.http import guard
from humpback.engines.http.client import Client, NoAnswerError, RefusedError
from humpback.engines.http.setup import command_to_serve, served_name, start_command
from humpback.engines.http.wire import ServedModel
from humpback.errors import EngineError

log = logging.getLogger(__name__)

POLL_S = 0.5
SAY_EVERY_S = 60.0
_LOG_LINES = 8


class StartedServer:
    """A server that the user's command runs, under a guard that ends it when this process ends, however it does."""

    def __init__(self, config: HttpConfig, folder: Path) -> None:
        command = start_command(config, folder)
        self.command = shlex.join(command)
        with tempfile.NamedTemporaryFile(prefix="humpback-server-", suffix=".log", delete=False) as file:
            self.log = Path(file.name)
            # The guard runs as a plain script without site packages, to be there in no time.
            self._guard = subprocess.Popen(  # noqa: S603 - the user's own command
                [sys.executable, "-I", "-S", guard.__file__, *command],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        log.info("engine.http: started `%s`, log in %s", self.command, self.log)

    def check(self) -> None:
        """Raises:
        EngineError: the server has ended.
        """
        if (code := self._guard.poll()) is not None:
            raise EngineError(f"engine.http.start: `{self.command}` ended with {code}; {self._last_words()}")

    def stop(self) -> None:
        """Ends the server and waits until it is gone."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()

    def late(self, minutes: float, problem: object) -> EngineError:
        """The error of a server that does not come up."""
        return EngineError(
            f"engine.http.start: `{self.command}` does not serve the model after {minutes:g} minutes: {problem}; "
            f"{self._last_words()}"
        )

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LOG_LINES:]
        return f"its log is {self.log} and ends with\n" + "\n".join(f"  {line[:300]}" for line in lines)


def reach(client: Client, config: HttpConfig, folder: Path) -> ServedModel:
    """The entry of the model in `folder` among those that the server serves; waits while it is loading.

    Raises:
        EngineError: nothing answers there, or the model is not served.
    """
    deadline = time.monotonic() + config.deadline_minutes * 60
    said = float("-inf")
    while True:
        try:
            return _entry(client.run(client.models()), config, folder)
        except RefusedError as error:
            raise _refused(config, error) from None
        except NoAnswerError as error:
            problem = error
        # A server that is loading says so; where nothing listens, nobody has started one.
        if problem.failure.reason == "connection" or time.monotonic() >= deadline:
            raise EngineError(
                f"engine.http: {config.url}: no server answers: {problem}; start one, for example with "
                f"`{command_to_serve(config, folder)}`, or correct engine.http.url; then repeat the command, which "
                "goes on here"
            )
        if time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            log.warning("engine.http: %s: %s; waiting for it", config.url, problem)
        time.sleep(max(POLL_S, min(problem.failure.pause_s, deadline - time.monotonic())))


def start(client: Client, config: HttpConfig, folder: Path) -> StartedServer:
    """Runs the user's command and waits until it serves the model.

    Raises:
        EngineError: something else answers at its address already, or it ends or stays silent.
    """
    if (there := _served_now(client)) is not None:
        raise EngineError(
            f"engine.http.start: a server answers at {config.url} already, with {there}; end it, give another port, or "
            "set engine.http.start to null to use it"
        )
    server = StartedServer(config, folder)
    deadline = time.monotonic() + config.deadline_minutes * 60
    try:
        problem: object = None
        while time.monotonic() < deadline:
            server.check()
            try:
                _entry(client.run(client.models()), config, folder)
                return server
            except NoAnswerError as error:
                problem = error
            except RefusedError as error:
                raise _refused(config, error) from None
            time.sleep(POLL_S)
        raise server.late(config.deadline_minutes, problem)
    except BaseException:
        server.stop()
        raise


def _served_now(client: Client) -> str | None:
    """The names of the models at the address, None where nothing answers."""
    try:
        return _names(client.run(client.models()))
    except RefusedError as error:
        return str(error)
    except NoAnswerError as error:
        return None if error.failure.reason == "connection" else str(error)


def _entry(models: list[ServedModel], config: HttpConfig, folder: Path) -> ServedModel:
    name = served_name(config, folder)
    entry = next((model for model in models if model.id == name), None)
    advice = f"`{command_to_serve(config, folder)}` would; then repeat the command, which goes on here"
    if entry is None:
        raise EngineError(f"engine.http: {config.url} serves {_names(models)}, not {name} ({folder}); {advice}")
    root = Path(entry.root) if entry.root else None
    if root is not None and root.is_absolute() and root.is_dir() and root.resolve() != folder.resolve():
        raise EngineError(f"engine.http: {config.url} serves {root} as {name}, not {folder}; {advice}")
    return entry


def _refused(config: HttpConfig, error: RefusedError) -> EngineError:
    if error.status in (401, 403):
        key = config.api_key_env or "no key; name its variable in engine.http.api_key_env"
        return EngineError(f"engine.http: {config.url} refuses the key ({key}): {error}")
    return EngineError(
        f"engine.http: {config.url}/models: {error}; engine.http.url must be that of an OpenAI-compatible server, with "
        "its /v1"
    )


def _names(models: list[ServedModel]) -> str:
    return ", ".join(model.id for model in models[:10]) or "no model"
