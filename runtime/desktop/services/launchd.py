"""launchd's agents (macOS)."""

import plistlib
from pathlib import Path

from runtime.desktop.services.service import Plan, Service


def launchd_plan(service: Service, *, user_id: int) -> Plan:
    """Return how launchd is told of a service.

    Args:
        service: The service.
        user_id: The number of the user whose login starts it.
    """
    label = service.identity.id
    file = Path.home() / "Library" / "LaunchAgents" / f"{label}.plist"
    domain = f"gui/{user_id}"
    return Plan(
        file=file,
        content=agent(service),
        start=[("launchctl", "bootstrap", domain, str(file))],
        stop=[("launchctl", "bootout", f"{domain}/{label}")],
        status=("launchctl", "print", f"{domain}/{label}"),
    )


def agent(service: Service) -> bytes:
    """Return the agent's property list."""
    return plistlib.dumps(
        {
            "Label": service.identity.id,
            "ProgramArguments": service.command,
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ProcessType": "Interactive",
        }
    )
