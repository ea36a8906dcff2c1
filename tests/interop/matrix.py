#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scheme × codec × layout × key plan: what cencencrypt makes of each, decrypted by
cencdecrypt and by everyone else who can, is the clear original, each sample byte
for byte; and what a scheme protects is not clear, each block.

  matrix.py [--full] [--table FILE] [--counts FILE] [--keep DIRECTORY] [PATTERN...]
  matrix.py --check-table FILE
  matrix.py --excused [PATTERN...]

First the judges are judged: wrong keys, damaged and pretended files are rejected.
Without --full: a selection in which each two values of two factors meet at least
once. --table writes what was asked of whom, after a full run of all judges without a failure;
--check-table says whether a file has the table that would be written. --excused
asks those who are excused, and says who would have passed. Only cases whose name
contains one of the PATTERNs are looked at."""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import sys
import tempfile
import threading
import time

import matrix_controls
import matrix_judges
import matrix_plan
import matrix_table
import run
from tools import Rejected


class Sources:
    """Clear files, each made once, by whoever needs it first."""

    def __init__(self, directory):
        self.directory, self.lock, self.locks, self.made = directory, threading.Lock(), {}, {}

    def get(self, key, make):
        with self.lock:
            lock = self.locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self.made:
                folder = self.directory / 'sources' / '-'.join(str(k).replace(' ', '-') for k in key)
                folder.mkdir(parents=True)
                self.made[key] = make(folder)
            return self.made[key]


def attempt(check):
    """None, or why it was rejected."""
    try:
        check()
    except Rejected as error:
        return str(error)
    except Exception as error:  # a judge that breaks down is a failure
        return f'{type(error).__name__}: {error}'
    return None


def judge_case(case, sources, questions):
    """All verdicts on one case: [(judge, kinds, reason or None, seconds)]."""
    started = time.monotonic()
    made = []
    reason = attempt(lambda: made.append(matrix_judges.make(case, sources)))
    if reason is not None:
        return [('cencencrypt', case.codecs, f'cannot be made: {reason}', time.monotonic() - started)]
    verdicts = []
    for judge, kinds in questions:
        started = time.monotonic()
        reason = attempt(lambda j=judge, k=kinds: j.check(made[0], k))
        verdicts.append((judge.name, [getattr(case, kind) for kind in kinds], reason, time.monotonic() - started))
    matrix_judges.clean(made[0])
    return verdicts


def report(case, verdicts, failing):
    """Prints; (passed, failed). failing: what is to be said is who fails."""
    failed = [v for v in verdicts if v[2] is not None]
    for judge, codecs, reason, _ in verdicts:
        if not failing and reason is None:
            print(f'PASSED though excused: {case}: {judge} on {" and ".join(codecs)}', flush=True)
        if failing and reason is not None:
            print(f'FAIL {case}: {judge} on {" and ".join(codecs)}\n       {reason}', flush=True)
    if failing:
        asked = ', '.join(f'{judge} {seconds:.1f} s' for judge, _, _, seconds in verdicts)
        print(f"{'FAIL' if failed else 'ok':4} {case}: {asked}", flush=True)
    return len(verdicts) - len(failed), len(failed)


CONTROL = matrix_plan.Case('cenc', 'H.264', 'AAC', 'fragments by ffmpeg', 'one key')


def judge_judges(sources):
    """(passed, failed): whether the judges reject what they should."""
    passed = failed = 0
    for name, check in matrix_controls.plan(CONTROL, sources):
        reason = attempt(check)
        print(f'ok   judges, {name}' if reason is None else f'FAIL judges, {name}\n       {reason}', flush=True)
        passed, failed = passed + (reason is None), failed + (reason is not None)
    return passed, failed


def run_all(plan, directory, failing=True):
    sources = Sources(pathlib.Path(directory))
    passed, failed = judge_judges(sources) if failing else (0, 0)
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = {pool.submit(judge_case, case, sources, questions): case for case, questions in plan}
        for job in concurrent.futures.as_completed(jobs):
            good, bad = report(jobs[job], job.result(), failing)
            passed, failed = passed + good, failed + bad
    return passed, failed


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for option in ('--full', '--excused'):
        parser.add_argument(option, action='store_true')
    for option in ('--table', '--check-table', '--counts', '--keep'):
        parser.add_argument(option, metavar='FILE')
    parser.add_argument('patterns', nargs='*')
    return parser.parse_args()


def planned(args):
    """[(case, [(judge, kinds)])] by what was asked for."""
    cases = matrix_plan.everything() if args.full or args.excused else matrix_plan.selection()
    if args.patterns:
        cases = [c for c in cases if any(p in str(c) for p in args.patterns)]
    return matrix_judges.questions(cases, excused=args.excused, short=not (args.full or args.excused))


def main():
    args = parse()
    if args.check_table:
        return matrix_table.check(args.check_table)
    plan = planned(args)
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(run.work_directory(args.keep)) if args.keep else \
            stack.enter_context(tempfile.TemporaryDirectory(dir=os.environ.get('MATRIX_DIR')))
        passed, failed = run_all(plan, directory, failing=not args.excused)
    if not args.excused:
        print(matrix_table.text(plan))
        print(''.join(f'{name}: not installed here\n' for name in matrix_table.absent()), end='')
    if passed + failed == 0:
        failed = 1
    if args.table and args.full and not args.patterns and not failed and not matrix_table.absent():
        matrix_table.write(args.table)
    if args.counts:
        pathlib.Path(args.counts).write_text(f'{passed} {failed} 0\n', encoding='ascii')
    print(f'{len(plan)} files, {passed} judgments passed, {failed} failed')
    return failed > 0 and not args.excused


if __name__ == '__main__':
    sys.exit(main())
