"""What stands between the network and the routes: checks, limits, and what is logged."""
