"""What attackers try: each case is refused, or does no harm."""
