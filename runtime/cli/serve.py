"""`serve`: the page and the API on this machine."""

import argparse
import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

from runtime.chat.options import chat_options
from runtime.cli.command import Context, answer, end_start, open_context, say
from runtime.deferred_module import defer
from runtime.errors import AppError
from runtime.server.listening import listen

if TYPE_CHECKING:
    from runtime.engine.engine import Engine

SUMMARY = "Serve the chat page and the OpenAI-compatible API (also without any command)."
EXAMPLES = """\
  MODEL
  MODEL serve --port 9000 --no-browser
  MODEL -c 4096 --host 0.0.0.0"""
_EXPOSED = (
    "WARNING: everyone who can reach this address may use the model, without a key. "
    "Start it with --api-key or --api-key-file, or without --host."
)
GROUPS = ("model", "server", "sampling")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments: none."""


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    context = open_context(arguments)
    chat = chat_options(context.settings)
    with listen(context.settings.host, context.settings.port) as listener:
        # Imported while the weights are mapped.
        from runtime.cli.engine_settings import sampling, start_engine

        engine = start_engine(context)
        _defer_modules()
        from runtime.server.app import create_app
        from runtime.server.safety.options import Safety
        from runtime.server.serving import serve
        from runtime.server.state import ServerState

        safety = Safety.of(context.settings, listener)
        state = ServerState(
            engine=engine,
            name=context.settings.alias.partition(",")[0] or context.payload.name,
            system_prompt=chat.system_prompt,
            sampling=sampling(context.settings),
            max_tokens=context.max_tokens(),
            n_keep=context.n_keep(),
            timeout_s=context.settings.timeout or None,
            embd_normalize=context.settings.embd_normalize,
            pooling=context.payload.pooling,
            chat_template=chat.template,
            template_arguments=chat.template_arguments,
            payload=context.payload,
        )
        scheme = "https" if safety.tls else "http"
        address = f"{scheme}://{_reachable(listener.host)}:{listener.port}/"

        def announce() -> None:
            end_start()
            answer(f"{context.payload.name} is at {address}")
            say("Ctrl-C ends it.")
            if safety.is_exposed:
                say(_EXPOSED)
            threading.Thread(target=_tell_when_ready, args=(engine,), daemon=True).start()
            if _wants_browser(context):
                import webbrowser

                webbrowser.open(address)

        serve(create_app(state), listener, engine, safety, when_listening=announce)
        if context.settings.prompt_cache and engine.is_ready:
            engine.stop()
    return 0


def _defer_modules() -> None:
    """Keep away what the server's packages import, and use late or never."""
    defer("uvicorn", Config="uvicorn.config")
    for name in ("anyio", "anyio.abc", "anyio.to_thread", "html", "http.client", "logging.config"):
        defer(name)


def _tell_when_ready(engine: "Engine") -> None:
    with contextlib.suppress(AppError):
        say(f"Ready: {engine.n_ctx} tokens of context, {engine.n_threads} threads.")


def _reachable(host: str) -> str:
    """Return an address a browser on this machine can open."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _wants_browser(context: Context) -> bool:
    """Say whether to open the page: as asked, else where someone sits at a screen.

    Started by a double click there are no arguments and no terminal; started by a script there
    are arguments and no terminal.
    """
    if context.settings.browser is not None:
        return context.settings.browser
    is_remote = "SSH_CONNECTION" in os.environ
    has_screen = sys.platform in ("win32", "darwin") or any(
        name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    is_attended = sys.stdout.isatty() or len(sys.argv) == 1
    return has_screen and is_attended and not is_remote
