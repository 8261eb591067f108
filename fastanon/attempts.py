"""One file of many, tried: what goes wrong with it becomes its result, and harms no other."""

from __future__ import annotations

import os
from collections.abc import Callable

from fastanon.errors import AccessError, FileError, NotMedicalError, UsageError
from fastanon.files import Source
from fastanon.report import FileResult


def attempted(do: Callable[[], FileResult | None], item: Source, shown: Callable[[str], str]) -> FileResult | None:
    """Give what is done to a file, or why it failed or was refused.

    Parameters
    ----------
    do : callable
        Does it; None puts it off.
    item : Source
        The file.
    shown : callable
        Masks a path.
    """
    medical = True
    try:
        return do()
    except FileError as error:
        medical = not isinstance(error, NotMedicalError)
        status, reason = ("failed" if isinstance(error, AccessError) else "refused"), error.where
    except UsageError:
        raise  # of the whole run: the vault can't be written
    except OSError as error:
        status, reason = "failed", os.strerror(error.errno or 0)
    except Exception as error:  # noqa: BLE001  # its text could quote the file, so only its place is told
        status, reason = "failed", f"internal error, {_place(error)}"
    reasons = (reason, "nor the payload beside it") if item.payload else (reason,)
    return FileResult(shown(item.path), status, messages=reasons, listed=item.listed, medical=medical)


def failure(error: FileError, item: Source, shown: Callable[[str], str]) -> FileResult:
    """Give the result of a file that an error kept from being done."""

    def fail() -> FileResult:
        raise error

    result = attempted(fail, item, shown)
    assert result is not None
    return result


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {at}"
