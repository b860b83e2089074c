"""A folder with all that the builder needs: filling it, and building from it without a network."""
