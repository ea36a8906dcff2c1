#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints "PASSED FAILED SKIPPED" of a meson test run.

usage: count-tests.py MESON-LOGS EXIT-STATUS

A run that failed without a failed test, or that ran no test, is one failure.
The last lines of what failed tests said go to the standard error.
"""
import glob
import json
import sys

PASSED = ('OK', 'EXPECTEDFAIL')
LINES = 40


def tell(test):
    said = (test.get('stdout') or '') + (test.get('stderr') or '')
    print(f"{test['name']}: {test['result']} {test['returncode']}",
          *said.splitlines()[-LINES:], sep='\n  ', file=sys.stderr)


def main(logs, status):
    passed = failed = skipped = 0
    for name in glob.glob(logs + '/testlog*.json'):
        with open(name, encoding='utf-8') as log:
            for line in log:
                test = json.loads(line)
                result = test['result']
                if result in PASSED:
                    passed += 1
                elif result == 'SKIP':
                    skipped += 1
                else:
                    failed += 1
                    tell(test)
    if not failed and (status != 0 or passed + skipped == 0):
        failed = 1
    print(passed, failed, skipped)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
