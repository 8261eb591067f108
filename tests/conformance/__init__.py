"""What fastanon reads against what others read."""
