"""Finding out how good a model is before it is shipped."""
