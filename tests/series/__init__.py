"""Files that are planned by another of their series."""

import pytest

pytest.register_assert_rewrite("tests.series.both")
