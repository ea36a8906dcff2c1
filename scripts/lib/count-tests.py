#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints "PASSED FAILED SKIPPED" of a meson test run, and which failed and where.

usage: count-tests.py MESON-LOGS EXIT-STATUS

A run that failed without a failed test, or that ran no test, is one failure.
The last lines of what failed tests said go to the standard error.
"""
import glob
import json
import re
import sys

PASSED = ('OK', 'EXPECTEDFAIL')
LINES = 40


def said_by(test):
    return (test.get('stdout') or '') + (test.get('stderr') or '')


def where(test):
    """Its name, and the first check that did not hold, as libcheck writes it."""
    check = re.search(r'^\S+:\d+:[FE]:.*$', said_by(test), re.MULTILINE)
    name = test['name'].split(' / ')[-1]
    return f'{name} ({check[0][:160] if check else test["result"]})'


def tell(test):
    said = said_by(test)
    print(f"{test['name']}: {test['result']} {test['returncode']}",
          *said.splitlines()[-LINES:], sep='\n  ', file=sys.stderr)


def main(logs, status):
    passed = failed = skipped = 0
    failures = []
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
                    failures.append(where(test))
                    tell(test)
    if not failed and (status != 0 or passed + skipped == 0):
        failed = 1
    print(passed, failed, skipped, *failures)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
