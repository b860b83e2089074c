"""The `llm` program, a client that people have, asks a real solofile."""

import os
import subprocess
import sys
from pathlib import Path

from tests.solofile import ServedSolofile

QUESTION = "Name the capital of France."


def test_llm_chats(served: ServedSolofile, tmp_path: Path) -> None:
    """Configured with one base URL it answers, streamed and not, and by a schema."""
    (tmp_path / "extra-openai-models.yaml").write_text(
        f"- model_id: ours\n  model_name: any\n  api_base: {served.url}/v1\n"
        "  supports_schema: true\n",
        encoding="utf-8",
    )

    def ask(*arguments: str) -> str:
        completed = subprocess.run(
            [sys.executable, "-m", "llm", "-m", "ours", "-o", "temperature", "0", *arguments],
            env=os.environ | {"LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "none"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    assert "Paris" in ask(QUESTION)
    assert "Paris" in ask("--no-stream", QUESTION)
    assert '"city"' in ask("--schema", "city str", QUESTION)
