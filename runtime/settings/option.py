"""What a setting is on the command line."""

import msgspec


class Option(msgspec.Struct, frozen=True):
    """One setting on the command line.

    Args:
        name: The field of `Settings`.
        flags: How it is spelled; a boolean's second long flag turns it off.
        help: What it does.
        metavar: What stands for its value in the help; empty for a boolean.
        is_list: Whether it may be given again, for more between commas.
    """

    name: str
    flags: tuple[str, ...]
    help: str
    metavar: str = "N"
    is_list: bool = False
