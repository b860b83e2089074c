"""Finding a model that was named without saying whose it is, in the places of other programs."""

from builder.errors import SourceError
from builder.sources.llamacpp_cache import flat_files, hub_snapshots
from builder.sources.lmstudio import model_folders
from builder.sources.ollama_name import parse_name
from builder.sources.ollama_store import find_stores


def lies_elsewhere(text: str) -> list[str]:
    """Return the sources on this machine that a plain name may mean, as one writes them.

    Args:
        text: A name such as `llama3.2:3b`, `PUBLISHER/MODEL` or `model.gguf`.
    """
    wanted = text.casefold()
    found = [f"ollama:{text}"] if _is_in_ollama(text) else []
    for name, folder in model_folders().items():
        files = [path.name for path in sorted(folder.rglob("*.gguf"))]
        if wanted in (name.casefold(), name.rpartition("/")[2].casefold()):
            found.append(f"lmstudio:{name}")
        else:
            found += [f"lmstudio:{name}:{file}" for file in files if file.casefold() == wanted]
    for name, snapshot in hub_snapshots().items():
        files = [path.name for path in sorted(snapshot.rglob("*.gguf"))]
        if wanted in (name.casefold(), name.rpartition("/")[2].casefold()):
            found.append(f"llamacpp:{name}")
        else:
            found += [f"llamacpp:{name}:{file}" for file in files if file.casefold() == wanted]
    found += [f"llamacpp:{path.name}" for path in flat_files() if path.name.casefold() == wanted]
    return found


def _is_in_ollama(text: str) -> bool:
    try:
        name = parse_name(text)
        return any(store.find(name) for store in find_stores())
    except (SourceError, OSError):
        return False
