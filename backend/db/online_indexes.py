"""Indexes that are built while everybody goes on writing: for revisions that index a table which may be long."""

from sqlalchemy import text

INVALID = text("select exists (select from pg_index where indexrelid = to_regclass(:name) and not indisvalid)")


def build_index(name: str, on: str, *, unique: bool = False) -> None:
    """Build an index without holding up writers; ``on`` is what SQL has after ``on``: ``documents (owner_id) where pages is null``.

    One that an earlier attempt left unfinished is dropped and built anew, one that is there is left. The revision contains nothing
    else: its transaction is committed before this begins.
    """
    from alembic import op  # noqa: PLC0415 - a start that has nothing to migrate does not pay for the import

    with op.get_context().autocommit_block():
        # It waits for the end of every transaction that is open, and nobody waits for it meanwhile.
        op.execute("set lock_timeout = 0")
        try:
            if op.get_bind().execute(INVALID, {"name": name}).scalar():
                op.execute(f"drop index concurrently {name}")
            op.execute(f"create {'unique ' if unique else ''}index concurrently if not exists {name} on {on}")
        finally:
            op.execute("reset lock_timeout")


def drop_index(name: str) -> None:
    """Drop an index without holding up anybody; the revision contains nothing else."""
    from alembic import op  # noqa: PLC0415 - as above

    with op.get_context().autocommit_block():
        op.execute(f"drop index concurrently if exists {name}")
