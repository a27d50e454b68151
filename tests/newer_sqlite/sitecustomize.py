"""Python runs this at its start where this folder is on its path: SQLite is then one that new machines have."""

import sys
from importlib import import_module

sys.modules["sqlite3"] = import_module("pysqlite3")
