"""The tripwire: nothing slow or outside may be called while a database transaction is open.

A transaction that waits for a model holds a connection and row locks for seconds; a pool of five is then a server of five users.
"""

from contextvars import ContextVar

transaction_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


def assert_no_transaction(action: str) -> None:
    """Raise if the calling task is inside a transaction of the unit of work.

    Raises:
        RuntimeError: A defect in our code, so deliberately not a ``DocentError``.
    """
    if transaction_open.get():
        message = f"{action} inside an open transaction: finish the transaction first"
        raise RuntimeError(message)
