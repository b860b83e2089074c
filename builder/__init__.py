"""Everything that happens on the build machine."""
