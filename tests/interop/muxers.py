#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the muxers of gst-plugins-rs write (isofmp4mux, cmafmux, dashmp4mux,
isomp4mux), encrypted and decrypted again: each behind its muxer, in one graph, and
from the file that the muxer makes. All is skipped where they are not installed.

  muxers.py [--mp4mux] [--counts FILE] [--keep DIRECTORY] [PATTERN...]

--mp4mux: the modes of mp4mux, in place of these."""
import argparse
import concurrent.futures
import dataclasses
import functools
import os
import pathlib
import re
import sys

import matrix
import matrix_judges
import run
import tools
import untouched
from matrix_plan import Case
from media import Media
from tools import Rejected

KID, KEY = matrix_judges.KEYS['video']
SCHEMES = ('cenc', 'cbcs', 'cens', 'cbc1', 'piff', 'piff-cbc')
# What these muxers want beyond what qtdemux gives.
PARSERS = {**matrix_judges.PARSERS, 'AV1': 'av1parse ! video/x-av1,alignment=tu', 'Opus': 'opusparse',
           'VP9': 'vp9parse ! capssetter caps=video/x-vp9,colorimetry=bt709'}
PAIRS = (('H.264', 'AAC'), ('H.265', 'Opus'), ('AV1', 'FLAC'), ('VP9', 'AAC'))
ALONE = ('H.264', 'H.265', 'AV1', 'AAC', 'Opus')
# Fragments and chunks by time; the header once more at the end, in place of the first
# one or behind all; tables and durations at the end.
FRAGMENTED = ('fragment-duration=500000000', 'fragment-duration=1000000000 chunk-duration=100000000',
              'fragment-duration=500000000 header-update-mode=rewrite write-mehd=true write-mfra=true',
              'fragment-duration=300000000 header-update-mode=update write-mehd=true',
              'fragment-duration=10000000000 interleave-time=100000000')
CHUNKED = ('fragment-duration=1000000000', 'fragment-duration=1000000000 chunk-duration=100000000',
           'fragment-duration=500000000 header-update-mode=rewrite write-mehd=true write-mfra=true')
MP4MUX = ('', 'faststart=true', 'interleave-time=50000000', 'fragment-duration=500',
          'fragment-duration=500 streamable=true', 'fragment-duration=500 fragment-mode=first-moov-then-finalise',
          'fragment-duration=500 force-chunks=true', 'fragment-duration=300 presentation-time=false',
          'reserved-max-duration=20000000000 reserved-moov-update-period=500000000')
# With VP9, mp4mux 1.22.0 crashes and 1.26.2 hangs; of AC-3 in fragments both leave the moof out.
MP4MUX_PAIRS = (('H.264', 'AAC'), ('H.265', 'Opus'), ('AV1', 'MP3'))
PROGRESSIVE = ('', 'interleave-bytes=2000 interleave-time=0', 'movie-timescale=90000')


@dataclasses.dataclass(frozen=True)
class Graph:
    muxer: str
    options: str
    codecs: tuple
    scheme: str
    behind: bool    # cencencrypt stands behind the muxer, not behind its file

    def __str__(self):
        how = 'behind it' if self.behind else 'from its file'
        return f'{self.muxer} {self.options}, {" and ".join(self.codecs)}, {self.scheme}, {how}'


def is_there(element):
    try:
        tools.run('gst-inspect-1.0', '--exists', element)
    except Rejected:
        return False
    return True


def graphs(mp4mux):
    if mp4mux:
        wanted = [('mp4mux', o, c) for o in MP4MUX for c in MP4MUX_PAIRS]
    else:
        wanted = of_plugins_rs()
    number = 0
    for muxer, options, codecs in wanted:
        for behind in (True, False):
            yield Graph(muxer, options, codecs, SCHEMES[(number + number // len(SCHEMES)) % len(SCHEMES)], behind)
            number += 1


def of_plugins_rs():
    """(muxer, options, codecs)"""
    wanted = [('isofmp4mux', o, c) for o in FRAGMENTED for c in PAIRS]
    wanted += [(muxer, o, (c,)) for muxer in ('cmafmux', 'dashmp4mux') for o in CHUNKED for c in ALONE
               if not (muxer == 'dashmp4mux' and c == 'Opus')]
    return wanted + [('isomp4mux', o, c) for o in PROGRESSIVE for c in PAIRS]


# Of a file, the first buffers of flacparse are headers without a time, which they refuse.
FLAC = 'audiotestsrc wave=pink-noise num-buffers=90 ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! flacenc'


def source(codec, sources):
    if codec == 'FLAC':
        return f'{FLAC} ! flacparse ! queue ! mux.'
    path = sources.get((codec,), functools.partial(matrix_judges.make_elementary, codec))
    return f'filesrc location={path} ! qtdemux ! queue ! {PARSERS[codec]} ! queue ! mux.'


def mux(graph, sources, clear, protected):
    """The muxer's file; with protected, what cencencrypt makes of the same stream."""
    sink = f'filesink async=false location={clear}'
    if protected:
        sink = (f'tee name=t ! queue ! {sink} t. ! queue ! {encryptor(graph)} ! '
                f'filesink async=false location={protected}')
    pads = ' '.join(source(codec, sources) for codec in graph.codecs)
    tools.gst(f'{graph.muxer} name=mux {graph.options} ! {sink} {pads}')


def encryptor(graph):
    return f'cencencrypt key-id={KID} key={KEY} scheme={graph.scheme}'


def check(graph, sources, directory):
    clear, protected, out = (directory / f'{name}.mp4' for name in ('clear', 'protected', 'decrypted'))
    mux(graph, sources, clear, protected if graph.behind else None)
    if not graph.behind:
        tools.gst(f'filesrc location={clear} ! {encryptor(graph)} ! filesink location={protected}')
    case = Case(graph.scheme, graph.codecs[0], graph.codecs[-1], '', '')
    kinds = [t.kind for t in Media(clear).tracks.values()]
    if len(kinds) != len(graph.codecs) or not all(t.samples for t in Media(clear).tracks.values()):
        raise Rejected('the muxer left something out')
    made = matrix_judges.Files(case, directory, [(protected, clear, kinds)], least=0.3)
    matrix_judges.check_reference(made, kinds)
    tools.gst(f'filesrc location={protected} ! cencdecrypt keys={KID}:{KEY} ! filesink location={out}')
    untouched.expect(clear, out, graph.scheme)
    for path in (clear, protected, out):
        path.unlink()


def run_all(directory, wanted, mp4mux):
    """(passed, failed, skipped)"""
    passed = failed = skipped = 0
    plan = list(graphs(mp4mux))
    there = {name: is_there(name) for name in dict.fromkeys(g.muxer for g in plan)}
    for name in (name for name, found in there.items() if not found):
        print(f'skip: no {name}')
        skipped += 1
    chosen = [g for g in plan if there[g.muxer] and wanted(str(g))]
    sources = matrix.Sources(pathlib.Path(directory))

    def job(graph):
        here = pathlib.Path(directory) / re.sub(r'[^0-9A-Za-z]+', '-', str(graph))
        here.mkdir()
        return graph, matrix.attempt(lambda: check(graph, sources, here))

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for graph, reason in pool.map(job, chosen):
            print(f'ok   {graph}' if reason is None else f'FAIL {graph}\n       {reason}', flush=True)
            passed, failed = passed + (reason is None), failed + (reason is not None)
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--mp4mux', action='store_true')
    parser.add_argument('--counts')
    parser.add_argument('--keep')
    parser.add_argument('patterns', nargs='*')
    args = parser.parse_args()
    with run.work_directory(args.keep) as directory:
        passed, failed, skipped = run_all(directory, lambda name: not args.patterns or
                                          any(p in name for p in args.patterns), args.mp4mux)
    failed += passed + failed + skipped == 0
    if args.counts:
        pathlib.Path(args.counts).write_text(f'{passed} {failed} {skipped}\n', encoding='ascii')
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
