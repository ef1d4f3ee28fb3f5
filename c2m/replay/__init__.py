"""Replaying a shop's own order lines through the platform: what pooling them would have brought."""
