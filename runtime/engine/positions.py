"""The positions of a sequence's cells, where images take fewer of them than cells."""

from runtime.engine.image_span import ImageSpan


class Positions:
    """Which images each sequence number of the KV cache holds.

    Without any, cell N stands at position N. With M-RoPE an image takes as many positions as its
    longer side has cells.
    """

    def __init__(self) -> None:
        self._images: dict[int, list[ImageSpan]] = {}

    def of(self, seq_id: int, cell: int) -> int:
        """Return a cell's position; in the midst of an image, that of its first cell."""
        num_skipped = 0
        for image in self._images.get(seq_id, ()):
            if cell <= image.start:
                break
            if cell < image.end:
                return image.start - num_skipped
            num_skipped += image.length - image.num_positions
        return cell - num_skipped

    def add(self, seq_id: int, image: ImageSpan) -> None:
        """Note that a sequence number holds an image now, where that has positions of its own."""
        if image.positions is not None:
            self._images.setdefault(seq_id, []).append(image)

    def copy(self, source: int, target: int, length: int) -> None:
        """Note that `target` holds the first `length` cells of `source`."""
        shared = [image for image in self._images.get(source, ()) if image.start < length]
        if shared:
            self._images[target] = shared

    def cut(self, seq_id: int, length: int) -> None:
        """Note that a sequence number lost its cells from `length` on."""
        images = self._images.pop(seq_id, ())
        if kept := [image for image in images if image.start < length]:
            self._images[seq_id] = kept
