"""The profiles against PS3.15: what is expected is read from its tables, what happened is read with pydicom."""
