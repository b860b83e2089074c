"""The servers that are compared: what each is started with, and how it is set up."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.environments import LLAMA_CPP_PYTHON, TRANSFORMERS, environment_python

OURS = "solofile"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What every server of a workload gets alike.

    Args:
        num_clients: Requests it works on at once.
        n_ctx_per_client: Tokens of context for each of them.
        n_threads: Threads.
    """

    num_clients: int
    n_ctx_per_client: int
    n_threads: int

    @property
    def n_ctx(self) -> int:
        """Tokens of context for all clients; llama-server divides them evenly."""
        return self.num_clients * self.n_ctx_per_client


@dataclass(frozen=True, slots=True)
class Server:
    """A program that serves the model over OpenAI's API.

    Args:
        name: What the tables call it.
        program: The program and what it is always started with.
        size_options: Its options for sizes.
        endless: Request fields that keep an answer from ending before its limit.
        variables: What its environment has besides ours.
        is_concurrent: Whether it works on several requests at once.
    """

    name: str
    program: list[str]
    size_options: Callable[[Sizes], list[str]]
    endless: dict[str, Any] = field(default_factory=lambda: {"ignore_eos": True})
    variables: dict[str, str] = field(default_factory=dict)
    is_concurrent: bool = True

    def command(self, sizes: Sizes) -> list[str]:
        """Return how it is started; `--port N` is still to be added."""
        return [*self.program, *self.size_options(sizes)]


def solofile(output: Path | None = None, *, is_baked: bool = False) -> Server:
    """Return the demo's solofile, made anew.

    Args:
        output: The folder to make it in; None for the default.
        is_baked: Whether its system prompt is computed, and in it.
    """
    from builder.bake.prompt import BakeOptions
    from builder.demo import make_demo

    bake = BakeOptions(has_system=True) if is_baked else None
    path = Path(make_demo(output, bake).path).resolve()
    return Server(OURS, [str(path), "serve", "--no-browser"], _llama_cpp_options)


def llama_server(*options: str) -> Server:
    """Return llama-server, built on first use, with a user's defaults but for `options`."""
    from builder.native.llamacpp import llama_server as build_llama_server

    name = " ".join(["llama-server", *options])
    program = [str(build_llama_server()), "-m", str(_gguf()), "--no-ui", *options]
    return Server(name, program, _llama_cpp_options)


def llama_cpp_python() -> Server:
    """Return llama-cpp-python's server, on the solofile's own libraries.

    It works on one request at a time. Its defaults are kept but for two: a new request would end
    the one before it, and logits of every token of the context would be stored.
    """
    from builder.native.llamacpp import native_libraries, source_folder
    from builder.targets import host_target

    python = environment_python("llama-cpp-python", LLAMA_CPP_PYTHON)
    script = Path(__file__).with_name("llama_cpp_python_server.py")
    options = ["--interrupt_requests", "false", "--logits_all", "false", "--verbose", "false"]
    return Server(
        "llama-cpp-python",
        [str(python), str(script), "--model", str(_gguf()), *options],
        lambda sizes: ["--n_ctx", str(sizes.n_ctx), "--n_threads", str(sizes.n_threads)],
        # It knows no ignore_eos: the model's <|endoftext|> and <|im_end|> are made impossible.
        endless={"logit_bias": {"0": -100, "2": -100}},
        variables={
            "LLAMA_CPP_LIB_PATH": str(native_libraries(host_target())),
            "PYTHONPATH": str(source_folder()),
        },
        is_concurrent=False,
    )


def transformers() -> Server:
    """Return transformers behind a small server, on the weights dequantized to 32-bit floats."""
    python = environment_python("transformers", TRANSFORMERS)
    script = Path(__file__).with_name("transformers_server.py")
    return Server(
        "transformers",
        [str(python), str(script), str(_gguf())],
        lambda sizes: ["--threads", str(sizes.n_threads)],
        variables={"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(os.cpu_count() or 1)},
        is_concurrent=False,
    )


OTHERS: dict[str, Callable[[], Server]] = {
    "llama-server": llama_server,
    "llama-server-no-repack": lambda: llama_server("--no-repack"),
    "llama-cpp-python": llama_cpp_python,
    "transformers": transformers,
}


def _gguf() -> Path:
    from builder.demo import demo_source

    return demo_source().fetch().files[0].path


def _llama_cpp_options(sizes: Sizes) -> list[str]:
    return [
        *("-c", str(sizes.n_ctx)),
        *("-t", str(sizes.n_threads)),
        *("-np", str(sizes.num_clients)),
    ]
