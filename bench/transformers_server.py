"""Serves a GGUF through Hugging Face transformers on the CPU; run by an environment of its own.

A stand-in with just the chat route that the workloads use: one request at a time, nothing kept
between requests, as a script around `generate` would do.
"""

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
import transformers


class Generator:
    """The model, dequantized to 32-bit floats, and its tokenizer."""

    def __init__(self, gguf: Path) -> None:
        source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(**source)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            **source, dtype=torch.float32
        ).eval()
        self._lock = threading.Lock()

    def generate(self, body: dict[str, Any], emit: "TextStreamer") -> dict[str, int]:
        """Answer one request greedily, and return its `usage`."""
        inputs = self.tokenizer.apply_chat_template(
            body["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        max_tokens = body["max_tokens"]
        with self._lock, torch.inference_mode():
            output = self.model.generate(
                **inputs,
                do_sample=False,
                max_new_tokens=max_tokens,
                min_new_tokens=max_tokens if body.get("ignore_eos") else 0,
                streamer=emit,
            )
        num_prompt_tokens = inputs["input_ids"].shape[1]
        return {
            "prompt_tokens": num_prompt_tokens,
            "completion_tokens": output.shape[1] - num_prompt_tokens,
        }


class TextStreamer(transformers.generation.streamers.BaseStreamer):  # type: ignore[misc] # no stubs
    """Writes each token's text as an event of a chat completion stream."""

    def __init__(self, tokenizer: Any, write: Any) -> None:
        self._tokenizer = tokenizer
        self._write = write
        self._tokens: list[int] | None = None
        self._text = ""

    def put(self, value: Any) -> None:
        """Take the prompt first, and then one token at a time."""
        if self._tokens is None:
            self._tokens = []
            return
        self._tokens += value.tolist()
        text = self._tokenizer.decode(self._tokens, skip_special_tokens=True)
        if text.endswith("\ufffd"):
            return
        self._write({"choices": [{"delta": {"content": text[len(self._text) :]}}]})
        self._text = text

    def end(self) -> None:
        """Note the end; `usage` follows by itself."""


class Handler(BaseHTTPRequestHandler):
    """Answers chat completions, always as a stream."""

    generator: Generator

    def do_POST(self) -> None:
        """Answer a request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        streamer = TextStreamer(self.generator.tokenizer, self._write)
        usage = self.generator.generate(body, streamer)
        self._write({"choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _write(self, data: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
        self.wfile.flush()


def main() -> None:
    """Load the model and serve it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    Handler.generator = Generator(arguments.gguf)
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
