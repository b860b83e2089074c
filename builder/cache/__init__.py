"""What the builder keeps between runs: its layout, use and removal."""
