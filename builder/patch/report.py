"""What `diff` tells at its end."""

import msgspec

from builder.console import human_bytes


class Carried(msgspec.Struct, frozen=True):
    """A part that a patch carries: how large it is, and how many bytes of the patch it takes."""

    name: str
    size: int
    packed: int


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A finished patch.

    Args:
        path: Where it lies.
        size: Its size in bytes.
        base: What it is for.
        new: What comes out.
        new_size: How large that is, with what lies beside it, in bytes.
        carried: What it carries of it.
        seconds: How long it took.
    """

    path: str
    size: int
    base: str
    new: str
    new_size: int
    carried: list[Carried]
    seconds: float

    def as_text(self) -> str:
        """Return it for people."""
        lines = [f"{self.path}: {human_bytes(self.size)} make {self.new} of {self.base}."]
        lines += [
            f"  {one.name}: {human_bytes(one.packed)}"
            + (f" for {human_bytes(one.size)}" if one.packed != one.size else "")
            for one in self.carried
        ]
        return "\n".join(lines)
