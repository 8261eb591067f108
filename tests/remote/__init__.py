"""Stores behind URLs, and pipes."""
