"""The shared assertions explain themselves as those in a test file do."""

import pytest

pytest.register_assert_rewrite("tests.faults.table", "tests.faults.scene")
