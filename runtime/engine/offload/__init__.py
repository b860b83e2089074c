"""Computing on GPUs: what there is, and how much of a model goes there."""
