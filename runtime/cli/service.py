"""`service`: have the system start the server whenever this user logs in."""

import argparse
import getpass
import os
import subprocess
import sys
from collections.abc import Sequence

from runtime.cli import serve
from runtime.cli.command import Parser, answer
from runtime.desktop.files import remove, write_whole
from runtime.desktop.identity import own_identity
from runtime.desktop.services.service import Command, Plan, Service
from runtime.errors import AppError, UnsupportedError
from runtime.settings.flags import add_options

SUMMARY = "Have this system start the server whenever you log in, by its own means."
EXAMPLES = """\
  MODEL service install --port 9000
  MODEL service status
  MODEL service remove"""
GROUPS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("action", choices=("install", "remove", "status"), help="what to do")
    parser.add_argument(
        "arguments",
        nargs=argparse.REMAINDER,
        metavar="...",
        help="what serve gets, behind install; files by their whole paths",
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    _check(arguments.arguments)
    identity, _ = own_identity()
    plan = _plan(Service(identity, tuple(arguments.arguments)))
    if arguments.action == "install":
        _install(plan)
        answer(f"{identity.title} serves from now on, and after each login, by {plan.file}")
        if plan.note:
            answer(plan.note)
    elif not plan.file.exists():
        answer(f"{identity.title} is not installed as a service.")
        return 0 if arguments.action == "remove" else 1
    elif arguments.action == "remove":
        _run_all(plan.stop)
        remove(plan.file)
        _run_all(plan.forget)
        answer(f"{identity.title} is no service any more.")
    else:
        return subprocess.run(plan.status, check=False).returncode
    return 0


def _check(arguments: list[str]) -> None:
    """Find mistakes in what `serve` is to get while there is someone to tell."""
    parser = Parser("serve", serve.SUMMARY, serve.EXAMPLES)
    add_options(parser, serve.GROUPS, arguments)
    parser.parse_args(arguments)


def _plan(service: Service) -> Plan:
    """Return how this system is told of a service; each has a module of its own."""
    if sys.platform == "darwin":
        from runtime.desktop.services.launchd import launchd_plan

        return launchd_plan(service, user_id=os.getuid())
    if sys.platform == "win32":
        from runtime.desktop.services.windows_task import windows_plan

        return windows_plan(service, user=getpass.getuser())
    from runtime.desktop.services.systemd import systemd_plan

    return systemd_plan(service)


def _install(plan: Plan) -> None:
    was_there = plan.file.exists()
    write_whole(plan.file, plan.content)
    try:
        _run_all(plan.start)
    except AppError:
        if not was_there:
            remove(plan.file)
        raise


def _run_all(commands: Sequence[Command]) -> None:
    for command in commands:
        _run(command)


def _run(command: Command) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UnsupportedError(
            f"This system has no {command[0]}, by which services are kept.",
            hint="Have it start `serve --no-browser` of this file by its own means.",
        ) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise UnsupportedError(f"{' '.join(command)} failed: {said[-1]}")
