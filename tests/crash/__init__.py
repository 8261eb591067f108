"""No crash and no error of the operating system harms a file."""
