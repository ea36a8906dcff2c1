#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the commands of a Markdown page, word for word.

  readme.py [--counts FILE] PAGE

Every block fenced by ```sh runs, in order, in one empty directory, each in a
shell of its own that stops at the first failure; blocks fenced otherwise are
not for running. A block whose first line is "# fails: TEXT" must fail, and say
TEXT. --counts writes "PASSED FAILED SKIPPED"."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TIMEOUT = 300
# autovideosink and autoaudiosink fall back to a fakesink where nothing else is
# left: the test needs no display, and what DirectFB's sink does without one (it
# crashes) is no news.
SINKS = ('alsasink dfbvideosink fbdevsink glimagesink gtkglsink gtksink jackaudiosink kmssink openalsink '
         'oss4sink osssink pipewiresink pulsesink sdlvideosink waylandsink ximagesink xvimagesink').split()
ENVIRONMENT = {**os.environ, 'GST_PLUGIN_FEATURE_RANK': ','.join(f'{name}:NONE' for name in SINKS)}
BLOCK = re.compile(r'^```sh\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def run_block(block, directory):
    """None, or what went wrong."""
    expected = re.match(r'# fails: (.*)\n', block)
    try:
        done = subprocess.run(['bash', '-euo', 'pipefail', '-c', block], cwd=directory, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return 'hangs'
    said = done.stdout.decode(errors='replace')
    if expected and done.returncode == 0:
        return 'succeeds, and should fail'
    if expected and expected.group(1).strip() not in said:
        return f'does not say "{expected.group(1)}" but:\n{said}'
    if not expected and done.returncode != 0:
        return f'exits with {done.returncode}:\n{said}'
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--counts')
    parser.add_argument('page', type=pathlib.Path)
    args = parser.parse_args()

    blocks = BLOCK.findall(args.page.read_text(encoding='utf-8'))
    failed = 0 if blocks else 1
    with tempfile.TemporaryDirectory() as directory:
        for block in blocks:
            problem = run_block(block, directory)
            print(f"{'FAIL' if problem else 'ok'}\n{block}{problem or ''}", flush=True)
            failed += problem is not None
    if args.counts:
        pathlib.Path(args.counts).write_text(f'{max(0, len(blocks) - failed)} {failed} 0\n', encoding='ascii')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
