"""The vault: who is behind a pseudonym, kept apart from the data.

An SQLite file that only its owner may read, with one row a pseudonym and kind::

    originals  pseudonym (UTF-8), kind, sealed      vault  fingerprint, sealed

``sealed`` is a nonce of 12 random bytes, then ciphertext and tag of AES-256-GCM (NIST SP 800-38D) over the
original in UTF-8, under ``pseudonyms.derived("vault")``. Associated data is ``LENGTH:KIND:PSEUDONYM`` in UTF-8,
where LENGTH is that of the kind in characters: a sealed original that was moved to another row is refused. The
table ``vault`` has one row: the fingerprint of the key, and the word ``fastanon``, sealed with the kind ``vault``
and the fingerprint, which shows that the key is the very same.

Nothing but sealed originals reaches SQLite, so none stands in the file, its journal or a temporary file. Who lacks
the key still sees pseudonyms, kinds, their number, and how long each original is. Rows that were taken out, or a
vault that was exchanged for an older one, are not noticed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fastanon.errors import UsageError

if TYPE_CHECKING:
    from fastanon.pseudonyms import Pseudonyms

#: Stands in SQLite's header at offset 68, big-endian, and tells a vault from other databases: "fanV".
APPLICATION_ID = 0x66616E56
#: The layout; a newer one is refused.
SCHEMA = 1

_TABLES = (
    "CREATE TABLE vault (fingerprint TEXT NOT NULL, sealed BLOB NOT NULL)",
    "CREATE TABLE originals (pseudonym BLOB NOT NULL, kind TEXT NOT NULL, sealed BLOB NOT NULL, "
    "PRIMARY KEY (pseudonym, kind)) WITHOUT ROWID",
)

#: All are of the connection, not of the file. Under the exclusive lock a commit overwrites the journal's header,
#: and needs no sync of the folder (SQLite, PRAGMA locking_mode). The journal goes when the vault is closed.
_SETTINGS = ("cell_size_check=ON", "temp_store=MEMORY", "secure_delete=ON",
             "journal_mode=DELETE", "synchronous=FULL")  # fmt: skip

#: Kinds of which every original has a pseudonym of its own.
_EXACT = ("uid",)

_NONCE = 12
_WORD = "fastanon"
_WAIT = 3.0  # seconds for another process to be done

_DAMAGED = "the vault is damaged or was changed"
_REASONS = {
    sqlite3.SQLITE_BUSY: "the vault is in use by another process",
    sqlite3.SQLITE_LOCKED: "the vault is in use by another process",
    sqlite3.SQLITE_NOTADB: "not a vault",
    sqlite3.SQLITE_FULL: "the disk is full; the vault is as it was",
    sqlite3.SQLITE_IOERR: "the vault can't be read or written; it is as it was",
    sqlite3.SQLITE_READONLY: "the vault can't be written",
    sqlite3.SQLITE_CANTOPEN: "the vault or its journal can't be opened",
    sqlite3.SQLITE_PERM: "the vault can't be opened",
    sqlite3.SQLITE_NOMEM: "out of memory; the vault is as it was",
}


class Row(NamedTuple):
    """One pseudonym and what it stands for.

    Attributes
    ----------
    kind : str
        "patient", "name", "id", "uid", "path", "days" and so on.
    pseudonym : str
        What stands in the output.
    original : str
        What stood in the input.
    """

    kind: str
    pseudonym: str
    original: str


class VaultError(UsageError):
    """A vault can't be used or written; the message holds no value."""


class Vault:
    """An open vault, locked for this process until it is closed.

    An empty file counts as a vault that was not begun: a crash or a full disk while one is made leaves it. A
    connection of SQLite must not be carried into a forked process: fork first.

    Parameters
    ----------
    path : str or os.PathLike
        Made with mode 0600 if there is nothing.
    pseudonyms : Pseudonyms
        Of the vault's key.

    Raises
    ------
    VaultError
        If the key is not kept; if the file is a symbolic link, no regular file, or open to group or others; if it
        is no vault, of another key or of a newer fastanon; if another process has it open; if the operating system
        refuses.
    """

    def __init__(self, path: str | os.PathLike[str], pseudonyms: Pseudonyms) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.path = os.fspath(path)
        if not pseudonyms.kept:
            raise VaultError(f"{self.path}: a vault needs a key that is kept")
        self._pseudonyms = pseudonyms
        self._cipher = AESGCM(pseudonyms.derived("vault"))
        _create(self.path)
        before = _status(self.path)
        for ending in ("-journal", "-wal", "-shm"):  # SQLite would wait for a FIFO, and follow a link
            if os.path.lexists(self.path + ending):
                _status(self.path + ending)
        with _told(self.path):
            uri = Path(self.path).absolute().as_uri() + "?mode=rw"
            self._db = sqlite3.connect(uri, uri=True, timeout=_WAIT, isolation_level=None)
        try:
            with _told(self.path):
                self._open(before)
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def existing(cls, path: str | os.PathLike[str], pseudonyms: Pseudonyms) -> Vault:
        """Open a vault that must be there.

        Raises
        ------
        VaultError
            If it is not, or as the class says.
        """
        _status(os.fspath(path))
        return cls(path, pseudonyms)

    def _open(self, before: os.stat_result) -> None:
        """Lock the file, and make its tables or check them."""
        for setting in _SETTINGS:
            self._db.execute(f"PRAGMA {setting}")
        with self._transaction():
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")  # the lock outlives the transaction
            status = _status(self.path)
            if not os.path.samestat(before, status):
                raise VaultError(f"{self.path}: the vault was exchanged while it was opened")
            if status.st_size == 0:
                self._begin()
            self._check()

    def _begin(self) -> None:
        fingerprint = self._pseudonyms.fingerprint
        for statement in (f"PRAGMA application_id={APPLICATION_ID}", f"PRAGMA user_version={SCHEMA}", *_TABLES):
            self._db.execute(statement)
        sealed = self._seal(Row("vault", fingerprint, _WORD))
        self._db.execute("INSERT INTO vault VALUES (?, ?)", (fingerprint, sealed))

    def _check(self) -> None:
        """Refuse what is no vault, and a vault of another key."""
        numbers = [self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if numbers[0] != APPLICATION_ID:
            raise VaultError(f"{self.path}: not a vault")
        if numbers[1] > SCHEMA:
            raise VaultError(f"{self.path}: the vault was made by a newer fastanon")
        tables = tuple(sql for (sql,) in self._db.execute("SELECT sql FROM sqlite_master ORDER BY rowid"))
        keys = self._db.execute("SELECT fingerprint, sealed FROM vault").fetchall() if tables == _TABLES else []
        if numbers[1] != SCHEMA or len(keys) != 1:
            raise VaultError(f"{self.path}: {_DAMAGED}")
        if keys[0][0] != self._pseudonyms.fingerprint:
            raise VaultError(f"{self.path}: the vault belongs to another key")
        self._unseal("vault", *keys[0])  # fingerprints are short: two keys may share one

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and let other processes have it."""
        self._db.close()

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows, all or none; a row that is there already is no error.

        Raises
        ------
        VaultError
            If a pseudonym stands for another original of its kind already, or the rows can't be written.
        """
        with _told(self.path), self._transaction():
            for row in rows:
                self._put(row, self.path)

    def keep(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Add kinds, pseudonyms and originals that may be spelled in several ways, of which the first is kept.

        One patient has one pseudonym in every spelling of the ID, and one of the name in whatever form it comes.
        """
        with _told(self.path), self._transaction():
            for row in map(Row._make, rows):
                known = next((one.original for one in self.lookup(row.pseudonym) if one.kind == row.kind), None)
                if known is None or (row.kind in _EXACT and known != row.original):
                    self._put(row, self.path)

    def drop(self, kind: str, pseudonym: str) -> None:
        """Take a row out, if it is there; SQLite overwrites what it held."""
        with _told(self.path), self._transaction():
            self._db.execute("DELETE FROM originals WHERE pseudonym = ? AND kind = ?", (_utf8(pseudonym), kind))

    def lookup(self, pseudonym: str) -> list[Row]:
        """Give the rows of a pseudonym, one for each kind.

        Raises
        ------
        VaultError
            If a row was changed.
        """
        return list(self._select("WHERE pseudonym = ? ORDER BY kind", [_utf8(pseudonym)]))

    def rows(self, kinds: Collection[str] = ()) -> Iterator[Row]:
        """Give all rows, or those of some kinds, sorted by kind and pseudonym.

        Raises
        ------
        VaultError
            If a row was changed.
        """
        where = f"WHERE kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
        return self._select(f"{where} ORDER BY kind, pseudonym", list(kinds))

    def merge(self, others: Iterable[str | os.PathLike[str]]) -> int:
        """Add the rows of other vaults of the same key, all or none.

        Parameters
        ----------
        others : iterable of paths
            They are not changed.

        Returns
        -------
        int
            How many rows are new.

        Raises
        ------
        VaultError
            As `add` and the class say.
        """
        new = 0
        with _told(self.path), self._transaction():
            for path in others:
                if os.path.samestat(_status(os.fspath(path)), _status(self.path)):
                    raise VaultError(f"{self.path}: a vault can't be merged into itself")
                with Vault.existing(path, self._pseudonyms) as other:
                    new += sum(self._put(row, other.path) for row in other.rows())
        return new

    def _put(self, row: Row, source: str) -> bool:
        """Insert one row that came from `source`; say whether it is new."""
        key = _utf8(row.pseudonym), row.kind
        found = self._db.execute("SELECT sealed FROM originals WHERE pseudonym = ? AND kind = ?", key).fetchone()
        if found is None:
            self._db.execute("INSERT INTO originals VALUES (?, ?, ?)", (*key, self._seal(row)))
            return True
        if self._unseal(row.kind, row.pseudonym, found[0]) != row.original:
            raise VaultError(f"{source}: a pseudonym of the kind {row.kind!r} has another original in {self.path}")
        return False

    def _select(self, condition: str, values: list[str | bytes]) -> Iterator[Row]:
        with _told(self.path):
            found = self._db.execute(f"SELECT kind, pseudonym, sealed FROM originals {condition}", values)
            for kind, pseudonym, sealed in found:
                try:
                    text = pseudonym.decode("utf-8", "surrogatepass")
                except (AttributeError, UnicodeDecodeError):
                    raise VaultError(f"{self.path}: {_DAMAGED}") from None
                yield Row(kind, text, self._unseal(kind, text, sealed))

    def _seal(self, row: Row) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, _utf8(row.original), _place(row.kind, row.pseudonym))

    def _unseal(self, kind: str, pseudonym: str, sealed: bytes) -> str:
        from cryptography.exceptions import InvalidTag

        try:
            place = _place(kind, pseudonym)
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place).decode("utf-8", "surrogatepass")
        except (InvalidTag, TypeError, ValueError):  # a changed file may hold a value of any type and length
            raise VaultError(f"{self.path}: {_DAMAGED}") from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN EXCLUSIVE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite ends it by itself after some errors
                with contextlib.suppress(
                    sqlite3.Error
                ):  # what can't be undone now is undone by the next to open it
                    self._db.execute("ROLLBACK")
            raise


def refuse_inside(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Refuse a key or a vault that lies inside an output folder, or is reached through it.

    Raises
    ------
    UsageError
        If it does. Neither has to exist.
    """
    real, inside = os.path.realpath(path), os.path.realpath(folder)
    if os.path.commonpath([real, inside]) == inside:
        raise UsageError(f"{os.fspath(path)}: a key or a vault may not lie inside the output folder")


def _create(path: str) -> None:
    """Make an empty file, unless there is one."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise VaultError(f"{path}: {os.strerror(error.errno or 0)}") from None


def _status(path: str) -> os.stat_result:
    """Look at a file without opening it: closing it again would end the locks that this process has on it."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise VaultError(f"{path}: {os.strerror(error.errno or 0)}") from None
    mode = status.st_mode
    if not stat.S_ISREG(mode):
        raise VaultError(
            f"{path}: {'a symbolic link, not followed' if stat.S_ISLNK(mode) else 'not a regular file'}"
        )
    if mode & 0o077:
        raise VaultError(
            f"{path}: group or others may use the vault (mode {stat.S_IMODE(mode):04o}); take that back"
        )
    return status


def _place(kind: str, pseudonym: str) -> bytes:
    """Give the associated data that binds a sealed original to its row."""
    return _utf8(f"{len(kind)}:{kind}:{pseudonym}")


def _utf8(text: str) -> bytes:
    """Encode; paths may hold lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ours, which hold no value."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # the rest says more than is used
        raise VaultError(f"{path}: {_REASONS.get(code, _DAMAGED)}") from None
