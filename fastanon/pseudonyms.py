"""Keyed replacements: one value becomes the same pseudonym in every run, and only the key's holder can tell which.

Everything is keyed BLAKE2b (RFC 7693; salt and personalization as in Aumasson et al., "BLAKE2: simpler, smaller,
fast as MD5", 2013). The salt says what a digest is for, the personalization which kind of value it is about: no
two uses of the key meet. Patient IDs are few and guessable, so a bare hash of one is undone by trying them all.

A part of every text and every UID is a MAC of the rest: a later run knows its own output where no marker fits.
"""

from __future__ import annotations

import math
import os
import re
import stat
import unicodedata
from hashlib import blake2b
from typing import NamedTuple

from fastanon.errors import AccessError, UsageError

#: Letters of a text: base32 as RFC 4648 has it. No 0, 1, 8 and 9, which people misread.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

_KEY_BYTES = 32
_CHARACTERS = (ALPHABET * 8).encode()  # 256 entries: a byte of a digest gives a character, all 32 alike often
_LETTER_BYTES = 8  # for the first letter: modulo 26, these are uniform to 1 in 2**59
_SH = 16  # VR SH holds 16 characters (PS3.5 table 6.2-1): the shortest text that must carry 64 bits
_STRONG = 13  # characters with 64 bits: log2(26) + 12 * 5 = 64.7
_LONGEST_MAC = 32

_SHORTEST, _UUID, _LONGEST = (
    25,
    44,
    64,
)  # lengths of UIDs: the least that is kept, 2.25.<UUID>, the most (PS3.5 9.1)
_ROOT = "2.25."  # UIDs made of UUIDs: PS3.5 B.2, Rec. ITU-T X.667
_UUIDS = 1 << 128
_MAC_DIGITS, _BODY_DIGITS = 12, 16
_NUMBER_BYTES = (
    32  # 256 bits: both ranges of a UID take 152 at the most, so the rest of them is uniform to 2**-100
)

_MAX_DAYS = 3650  # ten years
_PUBLIC = b"fastanon: for the output of runs without a key; no secret"


class Pseudonyms:
    """Replacements under one key.

    Parameters
    ----------
    secret : bytes, optional
        The 32 bytes of a kept key. Without one, a random key lives as long as this object and is forgotten.

    Attributes
    ----------
    kept : bool
        Whether the key was given. What is made under a kept key is pseudonymised, not anonymous.
    fingerprint : str
        Which key it is: 8 hex digits of a digest of its own, or ``forgotten``.

    Notes
    -----
    Under a kept key nobody else can make or verify a pseudonym. Without one, the MAC's key is a constant of this
    program: any later run without a key knows the output of an earlier one, and so does everybody. What it was
    made of stays unknown, because the rest of a pseudonym comes from the forgotten key.

    The object can be pickled, for other processes of the same run. The pickle holds the key.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        if secret is not None and len(secret) != _KEY_BYTES:
            raise UsageError(f"a key has {_KEY_BYTES} bytes, not {len(secret)}")
        self.kept = secret is not None
        self._secret = os.urandom(_KEY_BYTES) if secret is None else bytes(secret)
        self._mac_key = self._secret if self.kept else _PUBLIC
        self.fingerprint = self._digest(b"fingerprint", "", "")[:4].hex() if self.kept else "forgotten"

    def text(self, domain: str, value: str, length: int = 20) -> str:
        """Give a text for a value: A to Z and 2 to 7, a letter first.

        Parameters
        ----------
        domain : str
            The kind of value, such as ``patient``: at most 16 bytes. A value's texts in two domains are unrelated.
        value : str
            What is replaced. Spellings that mean the same are to be made one before: see `normalised`.
        length : int
            How many characters. The texts of one value begin alike at every length.

        Raises
        ------
        ValueError
            The length is below 1, or the domain has more than 16 bytes.

        Notes
        -----
        ========  ====  ===  =========  ====================================================
        length    body  MAC  body bits  odds that a foreign text of this length verifies
        ========  ====  ===  =========  ====================================================
        1, 2      all   0    4.7, 9.7   does not arise: nothing is verified
        3 to 15   rest  n/3  to 49.7    1 in 32 (3 to 5 characters) to 1 in 2**25 (15)
        16        13    3    64.7       1 in 2**15
        17, 18    13    4,5  64.7       1 in 2**20, 2**25
        19        13    6    64.7       1 in 2**30
        20        14    6    69.7       1 in 2**30
        longer    rest  n/3  more       1 in 2**35 and less; the MAC ends at 32 characters
        ========  ====  ===  =========  ====================================================

        Among N values two share a body of b bits with odds of about N**2 / 2**(b + 1): for a million, 1 in 60
        million at 64.7 bits. From 58 characters of body on they repeat; they hold 280 bits by then.
        """
        if length < 1:
            raise ValueError(f"a text has at least one character, not {length}")
        digest = self._digest(b"text", domain, value)
        letter = ALPHABET[int.from_bytes(digest[:_LETTER_BYTES], "little") % 26]
        rest = digest[_LETTER_BYTES:].translate(_CHARACTERS).decode()
        kept = length - _mac_length(length)
        if kept > len(rest):
            rest *= kept // len(rest) + 1
        body = letter + rest[: kept - 1]
        return body + self._mac(domain, body, length - kept)

    def text_bits(self, domain: str, text: str) -> int:
        """Give by how many bits a text verifies as one of `text`: 5 a character of MAC; 0 if it does not."""
        count = _mac_length(len(text))
        kept = len(text) - count
        return 5 * count if count and self._mac(domain, text[:kept], count) == text[kept:] else 0

    def uid(self, uid: str) -> str:
        """Give the UID that replaces one, of the same length wherever that can be.

        Parameters
        ----------
        uid : str
            A value of VR UI. Blanks and NULs around it do not count. It may hold anything: the result is valid.

        Returns
        -------
        str
            For 25 to 44 characters ``2.25.`` and a number below 2**128; for 45 to 64 one more component, of at
            most 19 digits. For less than 25, 44 characters; for more than 64, 64.

        Notes
        -----
        The first component ends with a MAC of all other digits: 12 digits if it has 36 or more, a third if fewer,
        but 16 others are always left.

        ==========  ======  ====  ===  =======================  ====================
        characters  digits  free  MAC  collision among 10**6    foreign UID verifies
        ==========  ======  ====  ===  =======================  ====================
        25          20      16    4    1 in 18 thousand         1 in 10**4
        29          24      16    8    1 in 18 thousand         1 in 10**8
        35          30      20    10   1 in 180 million         1 in 10**10
        44          39      27    12   1 in 4.8 * 10**14        1 in 10**12
        45 to 64    38, 39  more  12   less                     1 in 10**12
        ==========  ======  ====  ===  =======================  ====================

        Collision: any two of a million UIDs of this length become one. Verifies: a UID of the same shape, that is
        another maker's ``2.25.`` UID; all others never do.
        """
        clean = uid.strip(" \0")
        length = _UUID if len(clean) < _SHORTEST else min(len(clean), _LONGEST)
        number = int.from_bytes(self._digest(b"uid", "", clean)[:_NUMBER_BYTES], "little")
        free, more, mac, _ = _LAYOUTS[length]
        second, first = divmod(number, free.stop - free.start)  # len() ends at 2**63
        head = str(free.start + first)
        tail = f".{more[second % len(more)]}" if more else ""
        return f"{_ROOT}{head}{self._mac_digits(head + tail, mac)}{tail}"

    def uid_bits(self, uid: str) -> int:
        """Give by how many bits a UID verifies as one of `uid`: log2(10) a digit of MAC; 0 if it does not."""
        clean = uid.strip(" \0")
        layout = _LAYOUTS.get(len(clean))
        if layout is None or not clean.startswith(_ROOT):
            return 0
        digits, dot, rest = clean[len(_ROOT) :].partition(".")
        if len(digits) != layout.first:
            return 0
        verified = self._mac_digits(digits[: -layout.mac] + dot + rest, layout.mac) == digits[-layout.mac :]
        return int(layout.mac * math.log2(10)) if verified else 0

    def days(self, patient: str) -> int:
        """Give the whole days by which a patient's dates go back: 1 to 3650, each as likely as any other.

        Parameters
        ----------
        patient : str
            The patient ID as `normalised` gives it.
        """
        return 1 + int.from_bytes(self._digest(b"days", "", patient), "little") % _MAX_DAYS

    def derived(self, domain: str) -> bytes:
        """Give 32 bytes for another use of the key, such as encryption; they tell nothing of the key."""
        return self._digest(b"derived", domain, "")[:_KEY_BYTES]

    def file_id(self, path: str) -> str:
        """Give 16 hex digits that tell a file from others, and nothing of its path."""
        return self._digest(b"file", "", path)[:8].hex()

    def _digest(self, purpose: bytes, domain: str, value: str) -> bytes:
        return blake2b(_bytes(value), key=self._secret, salt=purpose, person=domain.encode()).digest()

    def _mac(self, domain: str, body: str, count: int) -> str:
        """Give the characters that verify a body. How many is hashed too, so that no cut text verifies."""
        salt = b"text MAC %d" % count
        digest = blake2b(_bytes(body), key=self._mac_key, salt=salt, person=domain.encode()).digest()
        return digest[:count].translate(_CHARACTERS).decode()

    def _mac_digits(self, rest: str, count: int) -> str:
        digest = blake2b(_bytes(rest), digest_size=16, key=self._mac_key, salt=b"UID MAC").digest()
        return f"{int.from_bytes(digest, 'little') % 10**count:0{count}}"


def normalised(identifier: str) -> str:
    """Make the spellings of one patient ID one: NFKC, case folded, no blanks around, no runs of blanks."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", identifier).casefold())
    return " ".join(folded.replace("\0", " ").split())


def new_key(path: str | os.PathLike[str]) -> None:
    """Write a new key: 64 hex digits of 256 random bits and a newline, for the owner alone (mode 0600).

    Raises
    ------
    UsageError
        Something has this name already. A key is never overwritten.
    AccessError
        The file could not be made or written.
    """
    try:
        # O_EXCL follows no symlink either (POSIX), O_NOFOLLOW says so once more
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{os.fspath(path)}: exists; a key is never overwritten") from None
    except OSError as error:
        raise AccessError(error.strerror or "cannot be made", path=path) from None
    try:
        with open(fd, "wb") as file:
            file.write(os.urandom(_KEY_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(fd)
    except OSError as error:
        os.unlink(path)  # a part of a key is no key
        raise AccessError(error.strerror or "cannot be written", path=path) from None


def read_key(path: str | os.PathLike[str]) -> bytes:
    """Read a key that `new_key` wrote.

    Returns
    -------
    bytes
        32 bytes.

    Raises
    ------
    UsageError
        The file is missing, a symlink or no regular file, its group or others may use it, or it holds no 256 bits
        in hex. The message names the path and the reason, never what the file holds.
    """
    try:
        # O_NONBLOCK: a FIFO must be refused, not waited for
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "a symlink is not followed to a key" if os.path.islink(path) else error.strerror
        raise UsageError(f"{os.fspath(path)}: {reason}") from None
    try:
        mode = os.fstat(fd).st_mode
        reason = _why_not(mode)
        text = b"" if reason else os.read(fd, 2 * _KEY_BYTES + 16)
    finally:
        os.close(fd)
    if not reason and not re.fullmatch(rb"[0-9A-Fa-f]{64}\r?\n?", text):
        reason = "holds no key: a key is 64 hex digits, 256 bits"
    if reason:
        raise UsageError(f"{os.fspath(path)}: {reason}")
    return bytes.fromhex(text.decode())


def _why_not(mode: int) -> str:
    if not stat.S_ISREG(mode):
        return "a key is a regular file"
    if mode & 0o077:
        return f"group or others may use the key (mode {stat.S_IMODE(mode):04o}); take that back with chmod 600"
    return ""


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")  # bytes that are no text arrive as lone surrogates


def _mac_length(length: int) -> int:
    """Count the characters of MAC in a text: a third; from 16 on, 64 bits must fit beside it."""
    third = min(length // 3, _LONGEST_MAC)
    return third if length < _SH else min(third, length - _STRONG)


class _Layout(NamedTuple):
    """How a UID of one length is made up: the free digits and the second component lie in ranges."""

    free: range
    more: range  # empty without a second component
    mac: int  # digits
    first: int  # digits of the first component, MAC included


def _layout(length: int) -> _Layout:
    digits = min(39, length - len(_ROOT) - (2 if length > _UUID else 0))
    mac = min(_MAC_DIGITS, digits // 3, digits - _BODY_DIGITS)
    # a UUID's number has at most 39 digits and is below 2**128 whatever its last digits are
    free = range(10 ** (digits - mac - 1), min(10 ** (digits - mac), _UUIDS // 10**mac))
    more = length - len(_ROOT) - digits - 1
    return _Layout(free, range(10 ** (more - 1), 10**more) if more > 0 else range(0), mac, digits)


_LAYOUTS = {length: _layout(length) for length in range(_SHORTEST, _LONGEST + 1)}
