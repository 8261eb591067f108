"""Readers of Siemens' private formats: bytes to fields."""
