"""Writing one zstd stream as several frames, which as many threads can decompress."""

import struct
from typing import IO

import zstandard

from runtime.package import INDEX_HEADER, INDEX_MAGIC, INDEX_SIZE


class FrameWriter:
    """A file to write into, compressed, whose frames' sizes stand in front of them.

    Args:
        file: Where the stream goes, from its present position on; it must be able to seek.
        num_frames: How many frames there will be.
        parameters: How each is compressed.
    """

    def __init__(
        self,
        file: IO[bytes],
        num_frames: int,
        parameters: zstandard.ZstdCompressionParameters,
    ) -> None:
        self._file = file
        self._begin = file.tell()
        self._sizes = struct.Struct(f"<{num_frames}{INDEX_SIZE}")
        self._frame_sizes: list[int] = []
        self._compressor = zstandard.ZstdCompressor(compression_params=parameters)
        self._frame = self._compressor.compressobj()
        self._num_bytes = 0
        file.write(bytes(INDEX_HEADER.size + self._sizes.size))
        self._frame_begin = file.tell()

    def write(self, data: bytes) -> int:
        """Add to the present frame."""
        self._file.write(self._frame.compress(data))
        self._num_bytes += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written, as they were before compression."""
        return self._num_bytes

    def end_frame(self) -> None:
        """End the present frame; what is written from now on belongs to the next."""
        self._file.write(self._frame.flush())
        end = self._file.tell()
        self._frame_sizes.append(end - self._frame_begin)
        self._frame_begin = end
        self._frame = self._compressor.compressobj()

    def write_index(self) -> None:
        """Write the sizes in front, after the last frame has ended."""
        end = self._file.tell()
        self._file.seek(self._begin)
        self._file.write(INDEX_HEADER.pack(INDEX_MAGIC, self._sizes.size))
        self._file.write(self._sizes.pack(*self._frame_sizes))
        self._file.seek(end)
