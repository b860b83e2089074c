"""Every setting once: its name, flags, type and default, and where its value comes from.

A flag beats the environment (`SOLOFILE_NAME`), which beats `NAME.toml` beside the solofile,
which beats the manifest's defaults. Flags carry llama.cpp's names where it has one.
"""
