"""The task scheduler's tasks (Windows)."""

import subprocess
from html import escape

from runtime.desktop.services.service import Plan, Service
from runtime.user_folders import user_cache_dir

_TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{title} (solofile)</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <UserId>{user}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{user}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>3</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def windows_plan(service: Service, *, user: str) -> Plan:
    """Return how the task scheduler is told of a service.

    Args:
        service: The service.
        user: The name of the user whose login starts it.
    """
    name = service.identity.id
    file = user_cache_dir() / "tasks" / f"{name}.xml"
    return Plan(
        file=file,
        content=task(service, user=user),
        start=[
            ("schtasks", "/Create", "/F", "/TN", name, "/XML", str(file)),
            ("schtasks", "/Run", "/TN", name),
        ],
        stop=[
            ("schtasks", "/End", "/TN", name),
            ("schtasks", "/Delete", "/F", "/TN", name),
        ],
        status=("schtasks", "/Query", "/V", "/FO", "LIST", "/TN", name),
    )


def task(service: Service, *, user: str) -> bytes:
    """Return the task's XML, in UTF-16 as the scheduler wants it."""
    program, *arguments = service.command
    text = _TASK.format(
        title=escape(service.identity.title),
        user=escape(user),
        program=escape(program),
        arguments=escape(subprocess.list2cmdline(arguments)),
    )
    return text.encode("utf-16")
