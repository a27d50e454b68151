"""The ledger's schema as append-only steps, each recorded by name. A step that has been released never changes.

Each host brings its own Darkroom, so several versions use one ledger for days. A step therefore only adds: a column
has a default, and statements name their columns. The ledger itself says which steps a process must know to write.
"""

from collections.abc import Callable

from darkroom.store.connection import Connection


def _m0001_generations(db: Connection) -> None:
    db.execute(
        """
        CREATE TABLE generations (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            provider TEXT NOT NULL,
            account TEXT NOT NULL,
            request TEXT NOT NULL,
            request_hash TEXT NOT NULL,
            request_key TEXT,
            answered TEXT NOT NULL,
            stage TEXT NOT NULL,
            holder TEXT NOT NULL,
            created_at REAL NOT NULL,
            refused_since REAL,
            submit_token TEXT UNIQUE,
            submitted_at REAL,
            job_id TEXT,
            seed INTEGER,
            provider_queued INTEGER NOT NULL,
            queue_position INTEGER,
            images TEXT NOT NULL,
            failure TEXT,
            finished_at REAL
        ) STRICT
        """
    )
    db.execute("CREATE INDEX generations_by_owner ON generations (owner, seq)")
    db.execute("CREATE UNIQUE INDEX generations_by_key ON generations (owner, request_key) WHERE request_key NOT NULL")
    db.execute("CREATE INDEX generations_unanswered ON generations (owner, request_hash) WHERE answered <> 'delivered'")
    db.execute("CREATE INDEX generations_by_account ON generations (account, stage, seq)")
    db.execute(
        "CREATE INDEX generations_unfinished ON generations (holder)"
        " WHERE stage IN ('accepted', 'submitting', 'running', 'collecting')"
    )


def _m0002_limits(db: Connection) -> None:
    db.execute(
        "CREATE TABLE submissions (submit_token TEXT PRIMARY KEY, account TEXT NOT NULL, at REAL NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX submissions_by_account ON submissions (account, at)")
    db.execute("CREATE TABLE requests (account TEXT NOT NULL, at REAL NOT NULL, count INTEGER NOT NULL) STRICT")
    db.execute("CREATE INDEX requests_by_account ON requests (account, at)")
    db.execute(
        """
        CREATE TABLE accounts (
            account TEXT PRIMARY KEY,
            closed_until REAL NOT NULL,
            narrowed_until REAL NOT NULL
        ) STRICT
        """
    )


def _m0003_tasks(db: Connection) -> None:
    db.execute(
        """
        CREATE TABLE tasks (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            tool TEXT NOT NULL,
            arguments TEXT NOT NULL,
            stage TEXT NOT NULL,
            created_at REAL NOT NULL,
            changed_at REAL NOT NULL,
            questions TEXT NOT NULL,
            generation_ids TEXT NOT NULL,
            refusal TEXT
        ) STRICT
        """
    )
    db.execute("CREATE INDEX tasks_by_age ON tasks (created_at)")


def _m0004_wishes_and_trouble(db: Connection) -> None:
    db.execute("ALTER TABLE generations ADD COLUMN cancel_wished INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE generations ADD COLUMN trouble TEXT")


def _m0005_refusals(db: Connection) -> None:
    db.execute("ALTER TABLE generations ADD COLUMN limited_since REAL")
    db.execute("ALTER TABLE generations ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0")


def _m0006_looked(db: Connection) -> None:
    db.execute("ALTER TABLE generations ADD COLUMN looked_s REAL NOT NULL DEFAULT 0.0")


def _m0007_answering_and_driving(db: Connection) -> None:
    # The process that owes the caller its result; null: the holder.
    db.execute("ALTER TABLE generations ADD COLUMN answering TEXT")
    # How many calls it was given to: only the last one may report the fate of its result.
    db.execute("ALTER TABLE generations ADD COLUMN turn INTEGER NOT NULL DEFAULT 1")
    # The ledger's file that it was accepted in (`identity.py`), and when somebody last could have sent it.
    db.execute("ALTER TABLE generations ADD COLUMN ledger_file TEXT")
    db.execute("ALTER TABLE generations ADD COLUMN driven_at REAL")


def _m0008_indexes(db: Connection) -> None:
    unfinished = "stage IN ('accepted', 'submitting', 'running', 'collecting')"
    db.execute(f"CREATE INDEX generations_under_way ON generations (owner, seq) WHERE {unfinished}")
    db.execute("CREATE INDEX generations_by_stage ON generations (owner, stage, seq)")
    db.execute("CREATE INDEX generations_by_provider ON generations (owner, provider, seq)")
    db.execute("CREATE INDEX generations_by_provider_and_stage ON generations (owner, provider, stage, seq)")
    db.execute("CREATE INDEX generations_by_age ON generations (owner, created_at)")
    db.execute(
        "CREATE INDEX generations_pending ON generations (coalesce(answering, holder)) WHERE answered = 'pending'"
    )


def _m0009_needed(db: Connection) -> None:
    # Whether a version that does not know this step must not start anything.
    db.execute("ALTER TABLE migrations ADD COLUMN needed INTEGER NOT NULL DEFAULT 1")


def _m0010_kept(db: Connection) -> None:
    # What a provider gave for a job besides its id, as JSON.
    db.execute("ALTER TABLE generations ADD COLUMN kept TEXT NOT NULL DEFAULT '{}'")


def _m0011_cost(db: Connection) -> None:
    # Millionths of a unit, which sum up exactly; null: nobody has named a price.
    db.execute("ALTER TABLE generations ADD COLUMN cost_micros INTEGER")
    db.execute("ALTER TABLE generations ADD COLUMN cost_unit TEXT")
    db.execute("ALTER TABLE generations ADD COLUMN cost_estimated INTEGER NOT NULL DEFAULT 1")


def _m0012_durations(db: Connection) -> None:
    # Seconds since the submission: the end, the last look that said "not done yet", and the first that said "done".
    db.execute(
        """
        CREATE TABLE durations (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            account TEXT NOT NULL,
            model TEXT NOT NULL,
            count INTEGER NOT NULL,
            ended_s REAL NOT NULL,
            not_yet_s REAL,
            ready_s REAL
        ) STRICT
        """
    )
    db.execute("CREATE INDEX durations_by_kind ON durations (account, model, count, seq)")
    # Until when somebody waits for it, in whichever process.
    db.execute("ALTER TABLE generations ADD COLUMN awaited_until REAL")


def _m0013_made_from(db: Connection) -> None:
    """Changes no table: it marks that a request may name pictures, without which an older version would send it."""


def _m0014_owners(db: Connection) -> None:
    # When an account's queue last came to an owner, as a number that grows: owners take turns.
    db.execute(
        "CREATE TABLE served (account TEXT NOT NULL, owner TEXT NOT NULL, number INTEGER NOT NULL,"
        " PRIMARY KEY (account, owner)) STRICT"
    )
    db.execute("CREATE INDEX generations_by_turn ON generations (account, owner, seq) WHERE stage = 'accepted'")
    # Bytes of its saved pictures.
    db.execute("ALTER TABLE generations ADD COLUMN saved_bytes INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX generations_by_size ON generations (owner, saved_bytes) WHERE saved_bytes > 0")


def _m0015_traceparent(db: Connection) -> None:
    # The call that it was asked for with, where that is traced.
    db.execute("ALTER TABLE generations ADD COLUMN traceparent TEXT")


def _m0016_removed(db: Connection) -> None:
    # The names of rows that are removed. An older version would generate what a request key names once more.
    db.execute(
        """
        CREATE TABLE removed (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            request_key TEXT,
            request_hash TEXT NOT NULL,
            finished_at REAL NOT NULL
        ) STRICT
        """
    )
    db.execute("CREATE INDEX removed_by_key ON removed (owner, request_key)")
    db.execute("CREATE INDEX generations_by_end ON generations (finished_at)")


def _m0017_favourites(db: Connection) -> None:
    # The pictures that its owner likes best, a bit each. An older version would prune those.
    db.execute("ALTER TABLE generations ADD COLUMN favourites INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX generations_favourite ON generations (owner, seq) WHERE favourites <> 0")
    # Where the pictures of a removed row are; and of one that was removed soon, what a budget still counts.
    db.execute("ALTER TABLE removed ADD COLUMN pictures TEXT NOT NULL DEFAULT 'kept'")
    db.execute("ALTER TABLE removed ADD COLUMN paid_at REAL")
    db.execute("ALTER TABLE removed ADD COLUMN provider TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE removed ADD COLUMN cost_micros INTEGER")
    db.execute("ALTER TABLE removed ADD COLUMN cost_unit TEXT")
    db.execute("CREATE INDEX removed_paid ON removed (owner, paid_at) WHERE paid_at IS NOT NULL")


MIGRATIONS: tuple[tuple[str, Callable[[Connection], None]], ...] = (
    ("0001_generations", _m0001_generations),
    ("0002_limits", _m0002_limits),
    ("0003_tasks", _m0003_tasks),
    ("0004_wishes_and_trouble", _m0004_wishes_and_trouble),
    ("0005_refusals", _m0005_refusals),
    ("0006_looked", _m0006_looked),
    ("0007_answering_and_driving", _m0007_answering_and_driving),
    ("0008_indexes", _m0008_indexes),
    ("0009_needed", _m0009_needed),
    ("0010_kept", _m0010_kept),
    ("0011_cost", _m0011_cost),
    ("0012_durations", _m0012_durations),
    ("0013_made_from", _m0013_made_from),
    ("0014_owners", _m0014_owners),
    ("0015_traceparent", _m0015_traceparent),
    ("0016_removed", _m0016_removed),
    ("0017_favourites", _m0017_favourites),
)
KNOWN = frozenset(name for name, _ in MIGRATIONS)
NOT_NEEDED = frozenset({"0008_indexes", "0010_kept", "0011_cost", "0012_durations", "0014_owners", "0015_traceparent"})
"""Steps that change nothing for a writer that does not know them."""


class NewerLedger(Exception):
    """The file holds steps that this version does not know, and not all of those that it does."""


def migrate(db: Connection, now: float, begin: str = "BEGIN IMMEDIATE") -> None:
    """Brings a blank or older ledger up to date, in one transaction, which `begin` starts and lets nobody else do.

    One that a newer version has brought further is left as it is: see `is_outdated`.

    Raises:
        NewerLedger: it cannot be used beside that version; nothing was changed.
    """
    db.execute(begin)
    try:
        db.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, at REAL NOT NULL) STRICT")
        applied = {name for (name,) in db.execute("SELECT name FROM migrations")}
        if applied - KNOWN and KNOWN - applied:
            raise NewerLedger
        for name, step in MIGRATIONS:
            if name not in applied:
                step(db)
                db.execute("INSERT INTO migrations (name, at) VALUES (?, ?)", (name, now))
        if KNOWN - applied:
            db.executemany("UPDATE migrations SET needed = 0 WHERE name = ?", [(name,) for name in NOT_NEEDED])
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def is_outdated(db: Connection) -> bool:
    """True where the ledger has a step by now that a writer must know and this version does not."""
    return any(name not in KNOWN for (name,) in db.execute("SELECT name FROM migrations WHERE needed <> 0"))
