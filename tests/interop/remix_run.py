# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the checks of a program."""
import pathlib
import time

from tools import Rejected


class Run:
    """What is wanted, and what came of it."""

    def __init__(self, patterns):
        self.patterns = patterns
        self.passed = self.failed = self.skipped = 0

    def wants(self, name):
        return not self.patterns or any(pattern in name for pattern in self.patterns)

    def check(self, name, function, *args):
        """Calls function; a judge that breaks down is a failure."""
        if not self.wants(name):
            return
        started = time.monotonic()
        try:
            function(*args)
            reason = None
        except Rejected as error:
            reason = str(error)
        except Exception as error:
            reason = f'{type(error).__name__}: {error}'
        self.passed += reason is None
        self.failed += reason is not None
        print(f"{'ok' if reason is None else 'FAIL':4} {time.monotonic() - started:5.1f} s  {name}" +
              ('' if reason is None else f'\n       {reason}'), flush=True)

    def skip(self, reason):
        self.skipped += 1
        print(f'skip: {reason}')

    def finish(self, counts):
        """Writes the file counts, if there is one; gives the exit status."""
        if self.passed + self.failed + self.skipped == 0:
            self.failed = 1
        text = f'{self.passed} {self.failed} {self.skipped}\n'
        if counts:
            pathlib.Path(counts).write_text(text, encoding='ascii')
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        return 1 if self.failed else 0
