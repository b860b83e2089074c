"""A whole session with a solofile, in a namespace whose network is empty.

`test_no_network.py` starts it there with a solofile and a folder for what it keeps. It traces the
solofile, uses it as people and their programs do, and prints what it saw as JSON.
"""

import fcntl
import json
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import httpx
import ollama
import openai
from playwright.sync_api import sync_playwright

from tests.browser.chat import Chat
from tests.browser.conftest import BROWSER_ARGS
from tests.solofile import ServedSolofile

TIMEOUT_S = 60
# In no network: an address for documentation (RFC 5737).
ELSEWHERE = ("198.51.100.1", 80)
QUESTION = "Name the capital of France."
# Long enough to be kept on disk.
STORY = "The lighthouse keeper counted ships. " * 40

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_INTERFACE = struct.Struct("16sh")


def bring_up_loopback() -> None:
    """Make 127.0.0.1 usable, which a new namespace has asleep."""
    with socket.socket() as any_socket:
        asked = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, _INTERFACE.pack(b"lo", 0))
        flags = _INTERFACE.unpack(asked[: _INTERFACE.size])[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, _INTERFACE.pack(b"lo", flags | _IFF_UP))


def is_elsewhere_reachable() -> bool:
    """Say whether there is a way out of the namespace."""
    with socket.socket() as any_socket:
        try:
            any_socket.connect(ELSEWHERE)
        except OSError:
            return False
    return True


def use_clients(url: str) -> dict[str, Any]:
    """Ask as programs do, by the clients that they have."""
    as_openai = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    as_anthropic = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)
    as_ollama = ollama.Client(url)
    completion = as_openai.chat.completions.create(
        model="any", messages=[{"role": "user", "content": QUESTION}], max_tokens=16, temperature=0
    )
    embedding = as_openai.embeddings.create(model="any", input=QUESTION).data[0].embedding
    message = as_anthropic.messages.create(
        model="any", max_tokens=16, messages=[{"role": "user", "content": STORY}]
    )
    chunks = as_ollama.chat(
        "any", [{"role": "user", "content": QUESTION}], options={"num_predict": 16}, stream=True
    )
    schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}}
    bound = as_ollama.generate("any", QUESTION, format=schema, options={"num_predict": 64})
    return {
        "openai": completion.choices[0].message.content,
        "embedding": len(embedding),
        "anthropic": message.usage.input_tokens,
        "ollama": len(list(chunks)),
        "bound": bound.eval_count,
    }


def use_page(url: str, chromium: str) -> str:
    """Ask on the page, in a real browser, and return the answer."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGS)
        chat = Chat(browser.new_page(), url)
        chat.open()
        chat.wait_until_ready()
        chat.configure(temperature="0", max_tokens="16")
        answer = chat.ask(QUESTION)
        browser.close()
    return answer


def wait_for(found: Callable[[], Any]) -> Any:
    """Return what is found, once it is."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.05)
    return result


def rights(pid: int) -> list[list[str]]:
    """Return of each thread of a process what the kernel says of its rights."""
    tasks = [(task / "status").read_text("utf-8") for task in Path(f"/proc/{pid}/task").iterdir()]
    wanted = ("NoNewPrivs", "Seccomp")
    return [
        [line.split()[1] for line in status.splitlines() if line.partition(":")[0] in wanted]
        for status in tasks
    ]


def main(solofile: str, folder: Path, strace: str, chromium: str) -> None:
    """Use the solofile."""
    bring_up_loopback()
    saved = folder / "prompts"
    # Detached, so that the process that is started is the solofile's own.
    tracing = ("-D", "-f", "-qq", "-s", "64", "-o", str(folder / "trace"))
    calls = ("-e", "trace=%network,%process,%file")
    settings = (
        "--history", str(folder / "chats.db"), "--prompt-cache", str(saved),
        "--log-file", str(folder / "log"), "-lv", "4", "-n", "64", "--port", "0",
    )  # fmt: skip
    server = ServedSolofile(Path(strace), *tracing, *calls, solofile, "serve", *settings)
    with server:
        told: dict[str, Any] = {"is_elsewhere_reachable": is_elsewhere_reachable()}
        told |= use_clients(server.url)
        told["page"] = use_page(server.url, chromium)
        get = httpx.Client(base_url=server.url).get
        told["chats"] = wait_for(lambda: get("/history/chats").json())
        wait_for(lambda: list(saved.glob("*.prompt")))
        told["slots"] = len(get("/slots").json())
        told["sandbox"] = get("/props").json()["sandbox"]
        told["statuses"] = [
            get(path).status_code
            for path in ("/", "/page/about", "/page/app.js", "/openapi.json", "/docs", "/metrics")
        ]
        told["rights"] = rights(server.process.pid)
        told["exit_code"] = server.stop()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
