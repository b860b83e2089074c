"""The llama.cpp library inside a kit: the states of prompts are for it alone."""

import fnmatch
import hashlib
import tarfile
from pathlib import PurePosixPath

import zstandard

from builder.errors import ToolError
from builder.kit.kit import Kit
from builder.kit.package import WINDOW_LOG
from builder.native.llamacpp import LLAMA_CPP_COMMIT
from runtime.engine.state_facts import LIBRARY_PATTERN
from runtime.errors import DamagedFileError
from runtime.package import HEADER_BYTES


def library_sha256(kit: Kit) -> str:
    """Return the digest of a kit's library, in hex.

    Raises:
        DamagedFileError: The kit holds none.
        ToolError: It is of another llama.cpp than the one that computes prompts here.
    """
    if kit.info.llama_cpp_commit != LLAMA_CPP_COMMIT:
        raise ToolError(
            f"Prompts are computed by llama.cpp {LLAMA_CPP_COMMIT}, and the kit for "
            f"{kit.info.target} has {kit.info.llama_cpp_commit}.",
            hint="Make that kit anew with this version of solofile.",
        )
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << WINDOW_LOG)
    with kit.runtime_pkg.open("rb") as package:
        package.seek(HEADER_BYTES)
        try:
            with (
                decompressor.stream_reader(package, read_across_frames=True) as plain,
                tarfile.open(fileobj=plain, mode="r|") as archive,
            ):
                for member in archive:
                    name = PurePosixPath(member.name).name
                    if member.isreg() and fnmatch.fnmatch(name, LIBRARY_PATTERN):
                        library = archive.extractfile(member)
                        assert library, "it is a file"
                        return hashlib.sha256(library.read()).hexdigest()
        except (zstandard.ZstdError, tarfile.TarError) as error:
            raise _damaged(kit) from error
    raise _damaged(kit)


def _damaged(kit: Kit) -> DamagedFileError:
    return DamagedFileError(
        f"{kit.runtime_pkg} holds no library of llama.cpp.",
        hint="Make the kit anew with `kit build`.",
    )
