"""Many generations at once, put into the ledger of a server that is running or not."""

import sqlite3
from contextlib import closing

from tests.hosts import PATIENCE_S, Home

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def copies(home: Home, generation_id: str, number: int) -> list[str]:
    """This many copies of a finished generation, under ids that begin with `gen_copy`; answers them, newest first."""
    ids = [f"gen_copy{LETTERS[n // 32]}{LETTERS[n % 32]}{'a' * 20}" for n in range(number)]
    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db, db:
        names = [name for (_, name, *_) in db.execute("PRAGMA table_info(generations)")]
        kept = ", ".join(name for name in names if name not in {"seq", "id", "submit_token", "request_key"})
        for copy in ids:
            sql = f"INSERT INTO generations (id, {kept}) SELECT ?, {kept} FROM generations WHERE id = ?"
            db.execute(sql, (copy, generation_id))
    return ids[::-1]
