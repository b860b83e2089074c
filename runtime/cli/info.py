"""`info`: what is inside."""

import argparse
import json
import shlex
from pathlib import Path

import msgspec

from runtime.cli.command import answer
from runtime.errors import UsageError
from runtime.glibc import system_needed
from runtime.manifest import Manifest, ModelFacts
from runtime.payload import find_payload
from runtime.sandbox.sandbox import possible_here

SUMMARY = "Show what this solofile, or another one, holds and where it came from."
EXAMPLES = """\
  MODEL info
  MODEL info --json
  MODEL info --cpu
  MODEL info --devices
  MODEL info other-solofile"""
GROUPS = ()
_SHOWN_CHARS = 200
_GATES = {
    "auto": "people who accepted its terms",
    "manual": "people who accepted its terms and whom its owners let in",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    subject = parser.add_mutually_exclusive_group()
    subject.add_argument("file", nargs="?", type=Path, metavar="FILE", help="another solofile")
    subject.add_argument(
        "--cpu", action="store_true", help="show which code runs on this processor, and why"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument(
        "--devices", action="store_true", help="show what this machine can compute on instead"
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.cpu and arguments.devices:
        raise UsageError("--cpu and --devices show one thing each.", hint="Leave one of them out.")
    if arguments.cpu:
        return _show_cpu(arguments)
    payload = find_payload(arguments.file)
    if arguments.devices:
        from runtime.cli.device_report import device_report, device_rows

        rows = device_rows(payload)
        answer(json.dumps(rows, indent=2) if arguments.json else device_report(rows))
        return 0
    if payload.manifest is None:
        raise UsageError(f"{payload.path} is a plain GGUF and has no manifest.")
    if arguments.json:
        answer(json.dumps(msgspec.to_builtins(payload.manifest), indent=2))
    else:
        answer(_describe(payload.manifest))
    return 0


def _show_cpu(arguments: argparse.Namespace) -> int:
    from runtime.cli.cpu_report import cpu_report
    from runtime.engine.cpu_variants import cpu_variants

    found = cpu_variants()
    as_json = json.dumps(msgspec.to_builtins(found), indent=2)
    answer(as_json if arguments.json else cpu_report(found))
    return 0


def _describe(manifest: Manifest) -> str:
    model, origin, kit = manifest.model, manifest.origin, manifest.kit
    came_from = " ".join(filter(None, [origin.kind, origin.repository, origin.revision]))
    rows = [
        ("name", manifest.name),
        ("architecture", model.architecture),
        ("parameters", f"{model.n_params / 1e6:.0f} million"),
        ("quantization", model.quantization),
        ("trained context", f"{model.n_ctx_train} tokens"),
        ("made for", _purpose(model.pooling)),
        ("licence", _licence(model)),
        *(("terms", one.sentence) for one in manifest.terms),
        *(("base model", name) for name in model.base_model),
        ("came from", came_from),
        *([("given to", _GATES.get(origin.gated, origin.gated))] if origin.gated else []),
        *((step.kind, shlex.join(step.command)) for step in origin.steps),
        *(("parity", str(found)) for found in [manifest.parity] if found),
        *([("GPU plugins", ", ".join(kit.gpu))] if kit.gpu else []),
        ("runs on", f"{kit.target}, {system_needed(kit.glibc)}" if kit.glibc else kit.target),
        ("made by", f"solofile {kit.solofile}, llama.cpp {kit.llama_cpp} ({kit.llama_cpp_commit})"),
        ("format", manifest.format_version),
        ("sandbox here", _sandbox()),
    ]
    rows += [
        (f"default {name.replace('_', '-')}", str(value))
        for name, value in sorted(manifest.defaults.items())
    ]
    for name, value in msgspec.structs.asdict(manifest.branding).items():
        texts = [value] if isinstance(value, str) else value
        rows += [(f"page {name}", text) for text in texts if text]
    lines = [f"{label:16} {_on_a_line(value)}" for label, value in rows]
    lines.append("entries:")
    lines += [
        f"  {entry.size:>14,}  {entry.sha256[:16]}  {entry.name}" for entry in manifest.entries
    ]
    return "\n".join(lines)


def _on_a_line(text: str) -> str:
    """Return the beginning of a long text, such as a handbook; `--json` has all of it."""
    line = " ".join(text[:_SHOWN_CHARS].split())
    rest = len(text) - _SHOWN_CHARS
    return f"{line} ... ({rest:,} characters more)" if rest > 0 else line


def _sandbox() -> str:
    """Say what of the sandbox this system has for a server."""
    found = possible_here()
    missing = found.missing()
    there = ", ".join(name for name in ("files", "network", "programs") if name not in missing)
    why = "; ".join(f"{name} {state}" for name, state in missing.items())
    return "; ".join(filter(None, [there, why]))


def _licence(model: ModelFacts) -> str:
    told = [model.license, model.license_name, model.license_link]
    return ", ".join(filter(None, told)) or "not stated"


def _purpose(pooling: str) -> str:
    if not pooling:
        return "text"
    return (
        "ranking documents, not chat" if pooling == "rank" else f"embeddings ({pooling}), not chat"
    )
