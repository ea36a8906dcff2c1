#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints "PASSED FAILED SKIPPED" of a meson test run.

usage: count-tests.py MESON-LOGS EXIT-STATUS

A run that failed without a failed test, or that ran no test, is one failure.
"""
import glob
import json
import sys

PASSED = ('OK', 'EXPECTEDFAIL')


def main(logs, status):
    passed = failed = skipped = 0
    for name in glob.glob(logs + '/testlog*.json'):
        with open(name, encoding='utf-8') as log:
            for line in log:
                result = json.loads(line)['result']
                if result in PASSED:
                    passed += 1
                elif result == 'SKIP':
                    skipped += 1
                else:
                    failed += 1
    if not failed and (status != 0 or passed + skipped == 0):
        failed = 1
    print(passed, failed, skipped)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
