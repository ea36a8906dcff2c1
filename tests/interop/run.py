#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lets other people's tools judge what cencencrypt writes, and cencdecrypt what
other people's tools write. First the judges themselves are judged: they must
pass Shaka Packager's files and reject them with a wrong key or damaged.

  run.py [--counts FILE] [--keep DIRECTORY] [PATTERN...]

Only checks whose "case: judge" contains one of the PATTERNs are run.
--counts writes "PASSED FAILED SKIPPED". --keep leaves the files there."""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

import cases
import judges
from tools import Rejected


def expect_rejection(judge, case):
    """Passes if judge rejects case."""
    try:
        judge(case)
    except Rejected:
        return
    raise Rejected('passes what it should reject')


def verdict(name, check):
    """(name, None or the reason, seconds)."""
    started = time.monotonic()
    try:
        check()
        reason = None
    except Rejected as error:
        reason = str(error)
    except Exception as error:  # a judge that breaks down is a failure
        reason = f'{type(error).__name__}: {error}'
    return name, reason, time.monotonic() - started


def report(name, reason, seconds):
    print(f"{'ok' if reason is None else 'FAIL':4} {seconds:5.1f} s  {name}" +
          ('' if reason is None else f'\n       {reason}'), flush=True)
    return reason is None


def make_and_judge(planned, directory, wanted):
    """Makes a planned case, lets each of its judges judge; all verdicts. Files
    that cannot be made are a failure of every judge who waits for them."""
    checks = [name for name in planned.judges if wanted(f'{planned.name}: {name}')]
    if not checks:
        return []
    here = pathlib.Path(directory) / re.sub(r'[^0-9A-Za-z]+', '-', planned.name)
    here.mkdir()
    made = []
    _, reason, _ = verdict('', lambda: made.append(planned.make(here)))
    if reason is not None:
        return [(f'{planned.name}: {name}', f'cannot be made: {reason}' if name == checks[0] else 'likewise', 0)
                for name in checks]
    return [verdict(f'{planned.name}: {name}', lambda n=name: planned.judges[n](made[0])) for name in checks]


def run(directory, wanted):
    """Runs everything; (passed, failed, skipped)."""
    clips = cases.make_clips(directory)
    plan = cases.plan(clips, judges.JUDGES, expect_rejection)
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for verdicts in pool.map(lambda p: make_and_judge(p, directory, wanted), plan):
            for one in verdicts:
                if report(*one):
                    passed += 1
                else:
                    failed += 1
    skipped = 0
    if cases.vectors() is None:
        print(f'skip: no vectors in {cases.VECTORS} (CENC_VECTORS names another place)')
        skipped = 1
    return passed, failed, skipped


@contextlib.contextmanager
def work_directory(keep):
    if keep:
        shutil.rmtree(keep, ignore_errors=True)
        os.makedirs(keep)
        yield os.path.abspath(keep)
    else:
        with tempfile.TemporaryDirectory() as directory:
            yield directory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--counts')
    parser.add_argument('--keep')
    parser.add_argument('patterns', nargs='*')
    args = parser.parse_args()

    def wanted(name):
        return not args.patterns or any(pattern in name for pattern in args.patterns)

    with work_directory(args.keep) as directory:
        passed, failed, skipped = run(directory, wanted)
    if passed + failed == 0:
        failed = 1
    if args.counts:
        pathlib.Path(args.counts).write_text(f'{passed} {failed} {skipped}\n', encoding='ascii')
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
