"""`serve`: the page and the API on this machine."""

import argparse
import sys
import threading
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING

from runtime.chat.options import chat_options
from runtime.cli.command import Choice, answer, choose, end_start, let_go_of_stdout, say
from runtime.cli.sandbox_settings import enter_sandbox
from runtime.deferred_module import defer
from runtime.desktop.attendance import has_screen, was_double_clicked
from runtime.desktop.outside import outside
from runtime.errors import AppError, UsageError
from runtime.sandbox.sandbox import Sandbox
from runtime.server.listening import listen
from runtime.settings.values import Settings

if TYPE_CHECKING:
    from runtime.desktop.instance import Instance
    from runtime.engine.engine import Engine
    from runtime.server.history_file import HistoryFile

SUMMARY = "Serve the chat page and the OpenAI-compatible API (also without any command)."
EXAMPLES = """\
  MODEL
  MODEL serve --port 9000 --no-browser
  MODEL -c 4096 --host 0.0.0.0"""
_EXPOSED = (
    "WARNING: everyone who can reach this address may use the model, without a key. "
    "Start it with --api-key or --api-key-file, or without --host."
)
# What the compiler sets in functions that begin with `async`; Include/cpython/code.h.
CO_COROUTINE = 0x80
# Where nobody sees the process, it ends some minutes after its last use.
IDLE_EXIT_S = 600.0
GROUPS = ("model", "server", "sampling")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments: none."""


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    choice = choose(arguments)
    if not was_double_clicked() or choice.settings.browser is False:
        return _serve(choice, None)
    # Imported for such starts alone.
    from runtime.desktop.browser import open_page
    from runtime.desktop.instance import Instance

    with Instance.claim(choice.payload) as instance:
        if address := instance.address_of_other():
            open_page(address)
            return 0
        return _serve(choice, instance)


def _serve(choice: Choice, instance: "Instance | None") -> int:
    """Serve until the end.

    Args:
        choice: What to serve.
        instance: The claim of a process that was double-clicked; None for other starts.
    """
    settings = choice.settings
    chat = chat_options(settings)
    wants_page = _wants_page(settings)
    with listen(settings.host, settings.port) as listener:
        history = _history(settings)
        if wants_page:
            outside.begin()
        sandbox = enter_sandbox(choice, history.files if history else ())
        context = choice.begin_loading()
        # Imported while the weights are mapped.
        from runtime.cli.engine_settings import sampling, start_engine

        engine = start_engine(context)
        _defer_modules()
        from runtime.server.app import create_app
        from runtime.server.ending import Ending
        from runtime.server.safety.options import Safety
        from runtime.server.serving import serve
        from runtime.server.state import ServerState

        safety = Safety.of(settings, listener)
        ending = Ending(
            idle_s=_idle_s(settings, is_double_click=instance is not None),
            can_be_asked=wants_page,
            outlives_failure=instance is not None,
        )
        state = ServerState(
            engine=engine,
            name=settings.alias.partition(",")[0] or context.payload.name,
            system_prompt=chat.system_prompt,
            sampling=sampling(settings),
            max_tokens=context.max_tokens(),
            n_keep=context.n_keep(),
            timeout_s=settings.timeout or None,
            embd_normalize=settings.embd_normalize,
            pooling=context.payload.pooling,
            chat_template=chat.template,
            template_arguments=chat.template_arguments,
            payload=context.payload,
            history=history,
            ending=ending,
            sandbox=sandbox,
        )
        scheme = "https" if safety.tls else "http"
        address = f"{scheme}://{_reachable(listener.host)}:{listener.port}/"

        def announce() -> None:
            end_start()
            if wants_page:
                from runtime.desktop.browser import open_page

                outside.do(lambda: open_page(address))
            if instance:
                instance.tell(address)
            _announce(context.payload.name, address, is_exposed=safety.is_exposed)
            threading.Thread(
                target=_tell_when_ready, args=(engine, instance, sandbox), daemon=True
            ).start()

        serve(create_app(state), listener, engine, safety, ending, when_listening=announce)
        if engine.error:
            say(f"Error: {engine.error}")
            return engine.error.exit_code
        if settings.prompt_cache and engine.is_ready:
            engine.stop()
    return 0


def _announce(name: str, address: str, *, is_exposed: bool) -> None:
    try:
        answer(f"{name} is at {address}")
    except BrokenPipeError:
        # Desktops need not listen to what they start.
        let_go_of_stdout()
    say("Ctrl-C ends it.")
    if is_exposed:
        say(_EXPOSED)


def _history(settings: Settings) -> "HistoryFile | None":
    if not settings.history:
        return None
    # Few servers keep one, and every start would wait for SQLite.
    from runtime.server.history_file import HistoryFile

    return HistoryFile(Path(settings.history))


def _defer_modules() -> None:
    """Keep away what asyncio, starlette and uvicorn import, and use for a few words of it."""
    # Without OpenSSL loaded, no socket is one of its own. The others are defaults of options.
    defer("ssl", {"SSLSocket": (), "CERT_NONE": 0, "PROTOCOL_TLS_SERVER": 16})
    defer("subprocess", {"PIPE": -1, "STDOUT": -2, "DEVNULL": -3})
    defer(
        "inspect",
        {
            "isclass": lambda value: isinstance(value, type),
            "isfunction": lambda value: isinstance(value, FunctionType),
            "ismethod": lambda value: isinstance(value, MethodType),
            "iscoroutinefunction": _is_coroutine_function,
        },
    )
    defer("logging.config")


def _is_coroutine_function(value: object) -> bool:
    code = getattr(value, "__code__", None)
    return isinstance(code, CodeType) and bool(code.co_flags & CO_COROUTINE)


def _tell_when_ready(engine: "Engine", instance: "Instance | None", sandbox: Sandbox) -> None:
    try:
        say(f"Ready: {engine.n_ctx} tokens of context, {engine.n_threads} threads.")
    except AppError:
        # What is in the way may be gone when the next double click comes.
        if instance:
            instance.give_up()
    # No browser is started any more.
    outside.end()
    sandbox.seal()


def _reachable(host: str) -> str:
    """Return an address a browser on this machine can open."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _wants_page(settings: Settings) -> bool:
    """Say whether to open the page: as asked, else where someone sits at a screen.

    Started by a double click there are no arguments and no terminal; started by a script there
    are arguments and no terminal.
    """
    if settings.browser is not None:
        return settings.browser
    return has_screen() and (sys.stdout.isatty() or len(sys.argv) == 1)


def _idle_s(settings: Settings, *, is_double_click: bool) -> float | None:
    """Return after how many idle seconds the server ends; None: never.

    Raises:
        UsageError: The setting is negative.
    """
    asked = settings.idle_exit
    if asked is None:
        return IDLE_EXIT_S if is_double_click else None
    if asked < 0:
        raise UsageError("--idle-exit must not be below 0.")
    return asked or None
