"""Fields that bodies of several dialects have in common."""
