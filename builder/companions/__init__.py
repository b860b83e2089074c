"""What goes along with the weights: adapters, a draft model, a projector."""
