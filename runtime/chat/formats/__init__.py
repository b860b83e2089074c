"""How families of models write their reasoning and their tool calls."""
