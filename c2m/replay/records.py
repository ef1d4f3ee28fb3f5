"""Records of a CSV or CSV.gz file, streamed, with every way a file can be bad answered by name."""

import codecs
import csv
import gzip
import io
import os
import stat
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from c2m.errors import N_, Refusal

LONGEST_RECORD = 65_536
GZIP_MAGIC = b"\x1f\x8b"
# Order lines pack 5 to 40 times, deflate up to 1032: what unpacks further than this was made to fill a disk.
WIDEST_EXPANSION = 250
EXPANSION_ALWAYS_ALLOWED = 16 * 1024 * 1024


class UnreadableFile(Refusal):
    sentence = N_("%(path)s can't be opened: %(problem)s.")


class NotText(Refusal):
    sentence = N_("%(path)s is no CSV text. A spreadsheet must first be saved as CSV.")


class WrongEncoding(Refusal):
    sentence = N_("%(path)s is not %(encoding)s text near line %(line_no)s. Name its encoding in the map.")


class EmptyFile(Refusal):
    sentence = N_("%(path)s is empty.")


class NoOrderLines(Refusal):
    sentence = N_("%(path)s holds a header and no order lines.")


class NotGzip(Refusal):
    sentence = N_("%(path)s is called .gz but is not packed with gzip.")


class DamagedFile(Refusal):
    sentence = N_("%(path)s is damaged near line %(line_no)s: %(problem)s.")


class LineTooLong(Refusal):
    sentence = N_("Line %(line_no)s of %(path)s is longer than %(longest)s characters.")


class ExpandsTooFar(Refusal):
    sentence = N_("%(path)s unpacks to more than %(times)s times its size, as no order file does.")


class FileChanged(Refusal):
    sentence = N_("%(path)s changed while it was being read.")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in the file; `fields` is None where its quoting is broken."""

    line_no: int
    fields: list[str] | None
    raw: str


class CsvFile:
    """A CSV file, plain or gzipped, that can be read through several times and stays the same meanwhile."""

    def __init__(self, path: Path, *, encoding: str = "utf-8", delimiter: str = ",") -> None:
        self.path = path
        self.encoding = encoding
        self.delimiter = delimiter
        self._seen: tuple[int, int, int] | None = None

    def records(self) -> Iterator[Record]:
        """All records from the header on, blank lines too, each with the number of its first physical line.

        Where quoting is broken, that one line is the broken record and reading resumes at the next.

        Raises:
            UnreadableFile, NotText, NotGzip, WrongEncoding, EmptyFile, NoOrderLines, DamagedFile, LineTooLong,
            ExpandsTooFar, FileChanged.
        """
        with closing(self._open()) as packed:
            lines = _Lines(self.path, packed, self.encoding)
            parsed = csv.reader(lines, delimiter=self.delimiter, strict=True)
            while True:
                lines.begin_record()
                try:
                    fields = next(parsed)
                except StopIteration:
                    break
                except (csv.Error, _RunsOn):
                    yield Record(lines.first, None, lines.only_first())
                else:
                    yield Record(lines.first, fields, lines.raw)
            if not lines.taken:
                raise EmptyFile(path=self.path)
            if lines.taken == 1:
                raise NoOrderLines(path=self.path)

    def _open(self) -> io.BufferedReader:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise UnreadableFile(path=self.path, problem="it is no regular file")
            packed = self.path.open("rb")
        except (OSError, ValueError) as why:
            problem = why.strerror if isinstance(why, OSError) else why
            raise UnreadableFile(path=self.path, problem=problem) from why
        now = os.fstat(packed.fileno())
        seen = (now.st_ino, now.st_size, now.st_mtime_ns)
        if self._seen not in (None, seen):
            packed.close()
            raise FileChanged(path=self.path)
        self._seen = seen
        return packed


class _RunsOn(Exception):
    """A quote is left open and the record swallows line after line."""


class _Lines:
    """Physical lines, bounded in length, with those of the record under way kept for a second look."""

    def __init__(self, path: Path, packed: io.BufferedReader, encoding: str) -> None:
        self.path = path
        self.encoding = encoding
        self.first = 0
        self.taken = 0
        self._record: list[str] = []
        self._length = 0
        self._again: deque[str] = deque()
        self._unpacked = 0
        gzipped = packed.peek(2).startswith(GZIP_MAGIC)
        if path.suffix == ".gz" and not gzipped:
            raise NotGzip(path=path)
        self._most = EXPANSION_ALWAYS_ALLOWED + WIDEST_EXPANSION * os.fstat(packed.fileno()).st_size
        plain = gzip.GzipFile(fileobj=packed) if gzipped else packed
        # A byte order mark, which spreadsheets write, is no part of the first header.
        marked = codecs.lookup(encoding).name == "utf-8"
        self._text = io.TextIOWrapper(cast(BinaryIO, plain), "utf-8-sig" if marked else encoding, newline="")

    def begin_record(self) -> None:
        self.first = self.taken + 1
        self._record.clear()
        self._length = 0

    @property
    def raw(self) -> str:
        """The record's text as it stands in the file."""
        return "".join(self._record).rstrip("\r\n")

    def only_first(self) -> str:
        """The record's first line; the others will be read again as records of their own."""
        first, *others = self._record
        self._again.extendleft(reversed(others))
        self.taken -= len(others)
        return first.rstrip("\r\n")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read_line()
        if not line:
            raise StopIteration
        self.taken += 1
        self._record.append(line)
        self._length += len(line)
        if self._length > LONGEST_RECORD:
            raise _RunsOn
        return line

    def _read_line(self) -> str:
        line_no = self.taken + 1
        try:
            line = self._text.readline(LONGEST_RECORD + 1)
        except UnicodeDecodeError as broken:
            if b"\0" in broken.object:
                raise NotText(path=self.path) from broken
            raise WrongEncoding(path=self.path, encoding=self.encoding, line_no=line_no) from broken
        except (OSError, EOFError, zlib.error) as broken:
            raise DamagedFile(path=self.path, line_no=line_no, problem=broken) from broken
        if "\0" in line:
            raise NotText(path=self.path)
        if len(line) > LONGEST_RECORD:
            raise LineTooLong(path=self.path, line_no=line_no, longest=LONGEST_RECORD)
        self._unpacked += len(line)
        if self._unpacked > self._most:
            raise ExpandsTooFar(path=self.path, times=WIDEST_EXPANSION)
        return line
