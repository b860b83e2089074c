"""What is taken over of another program's settings, and what of them is not."""

from dataclasses import dataclass, field

from runtime.manifest import SettingValue


@dataclass(frozen=True, slots=True)
class Taken:
    """Settings, and sentences on what has no counterpart among them."""

    settings: dict[str, SettingValue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
