#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Protected files in every shape that the standards allow, drawn by lot, which
no packager at hand writes: encrypted here by the standards' letter out of clear
samples, then decrypted by cencdecrypt, from a file and through a queue. Each
sample has to be where it was and clear, each byte that is none of a sample's and
none of a box's name what it was.

  variants.py [--counts FILE] [--keep DIRECTORY] [--first SEED] [--number N]

One seed makes one file: a failure names it."""
import argparse
import pathlib
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

import cases  # noqa: E402
import run  # noqa: E402
from media import Media  # noqa: E402
from variants_files import build  # noqa: E402


class Wrong(Exception):
    """What cencdecrypt makes of a file."""


def play(graph):
    """Runs a graph to its end."""
    pipeline = Gst.parse_launch(graph)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    if message is None:
        raise Wrong('it hangs')
    if message.type == Gst.MessageType.ERROR:
        raise Wrong('{0.message} {1}'.format(*message.parse_error()).replace('\n', ' '))


NAMES = (b'encv', b'enca', b'sinf', b'pssh', b'senc', b'uuid', b'saiz', b'saio', b'sgpd', b'sbgp', b'csgp')


def check(before, after, samples):
    if len(before) != len(after):
        raise Wrong(f'{len(after)} bytes instead of {len(before)}')
    rest = bytearray(after)
    for number, (at, clear) in enumerate(samples):
        if after[at:at + len(clear)] != clear:
            raise Wrong(f'sample {number} of {len(samples)} at {at} is wrong')
        rest[at:at + len(clear)] = before[at:at + len(clear)]
    at = 0
    while rest != before:
        at = next(i for i in range(at, len(rest)) if rest[i] != before[i])
        start = next((s for s in range(at - 3, at + 1) if before[s:s + 4] in NAMES), None)
        if start is None:
            raise Wrong(f'the byte at {at} is none of a sample, and another one')
        rest[start:start + 4] = before[start:start + 4]
    if any(entry[1] for track in Media.of(bytes(after)).tracks.values() for entry in track.entries):
        raise Wrong('it is said to be protected still')


def judge(seed, sources, directory):
    data, samples, lot = build(seed, sources)
    protected, out = directory / 'protected.mp4', directory / 'out.mp4'
    protected.write_bytes(data)
    keys = ','.join(f'{kid}:{key.hex()}' for kid, key in lot.keys.items())
    cut_runs = '' if lot.writer else f'cut-runs={lot.cut_runs}'
    for way in ('', '! queue '):
        if way and lot.aux == 'saiz' and lot.place == 'front':
            continue    # it has gone by: an error, and documented
        try:
            play(f'filesrc location={protected} {way}! cencdecrypt keys={keys} {cut_runs} ! '
                 f'filesink location={out}')
            check(data, out.read_bytes(), samples)
        except Wrong as error:
            raise Wrong(f'{"pushed" if way else "pulled"}: {error}') from error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--counts')
    parser.add_argument('--keep')
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--number', type=int, default=250)
    args = parser.parse_args()
    Gst.init(None)
    sources = sorted((cases.VECTORS / 'clear').glob('bear-*.mp4'))
    if not sources:
        print('no vectors: skipped')
        args.number = 0
    failed = 0
    with run.work_directory(args.keep) as directory:
        for seed in range(args.first, args.first + args.number):
            try:
                judge(seed, sources, pathlib.Path(directory))
            except Wrong as error:
                failed += 1
                print(f'FAIL seed {seed}: {error}', flush=True)
    if args.counts:
        pathlib.Path(args.counts).write_text(f'{args.number - failed} {failed} {int(not sources)}\n', encoding='ascii')
    print(f'{args.number - failed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
