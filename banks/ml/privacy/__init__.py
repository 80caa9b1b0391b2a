"""What a model gives away about whom it learned from, measured before it is offered."""
