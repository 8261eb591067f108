"""DICOM in archives: read and written with `zipfile` and `tarfile`, and by hand where they can't."""
