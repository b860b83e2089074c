"""The flag that names a kit's GPU plugins, which two commands have."""

import click

gpu_option = click.option(
    "--gpu",
    multiple=True,
    type=click.Choice(["vulkan", "cuda"]),
    help="GPU plugin to put in; may be given again",
)
