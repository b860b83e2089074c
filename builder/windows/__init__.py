"""What an executable for Windows shows of itself: its icon and its version facts."""
