"""The ledger's SQL in PostgreSQL's own words."""

import re
from functools import lru_cache

_EVERYWHERE = (
    (re.compile(r" ->> "), "::json ->> "),
    (re.compile(r"\bmax\((?![\w.]+\))"), "greatest("),  # of several values; of one it is the largest of a column
    (re.compile(r"\bIN \(\)"), "IN (SELECT NULL::text WHERE false)"),
    (re.compile(r"\bjson_each\(\?\)"), "json_array_elements_text(?::json)"),
    (re.compile(r"\?"), "%s"),
)
_IN_SCHEMAS = (
    (re.compile(r"\bINTEGER PRIMARY KEY AUTOINCREMENT\b"), "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bREAL\b"), "DOUBLE PRECISION"),
    # Compared byte by byte, as SQLite does, whatever the database's own language is.
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
    (re.compile(r"\) STRICT\b"), ")"),
    (re.compile(r"\brequest_key NOT NULL$"), "request_key IS NOT NULL"),
)
_SCHEMA = re.compile(r"\s*(?:CREATE|ALTER) ")


@lru_cache(maxsize=1000)
def translated(sql: str) -> str:
    """The same statement; every value is bound, so none of these words is a user's."""
    for pattern, words in (*_EVERYWHERE, *(_IN_SCHEMAS if _SCHEMA.match(sql) else ())):
        sql = pattern.sub(words, sql)
    return sql
