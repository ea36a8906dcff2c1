# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tools that judge, and takes fingerprints of files with ffmpeg."""
import functools
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent
MODULES = HERE / 'node_modules'
PACKAGER = MODULES / 'shaka-packager' / 'bin' / 'packager-linux-x64'
FFMPEG7 = MODULES / '@remotion' / 'compositor-linux-x64-gnu'
TIMEOUT = 180


class Rejected(Exception):
    """A judge's verdict, with its reason."""


def run(*command, env=None, **kwargs):
    """Runs command and gives its standard output; Rejected if it fails."""
    command = [str(argument) for argument in command]
    try:
        done = subprocess.run(command, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
                              check=False, **kwargs)
    except subprocess.TimeoutExpired as error:
        raise Rejected(f'{command[0]} hangs') from error
    except OSError as error:
        raise Rejected(f'cannot run {command[0]}: {error}') from error
    if done.returncode != 0:
        last = done.stderr.decode(errors='replace').strip()[-600:]
        raise Rejected(f'{pathlib.Path(command[0]).name} exits with {done.returncode}: {last}')
    return done.stdout


def gst(graph, **kwargs):
    """Runs a graph, a gst-launch line as one string."""
    return run('gst-launch-1.0', '-q', *graph.split(), **kwargs)


def packager(*arguments):
    return run(PACKAGER, '--quiet', *arguments)


def ffmpeg5(*arguments):
    return run('ffmpeg', '-v', 'error', '-nostdin', '-y', *arguments)


def ffmpeg7(*arguments):
    return run(FFMPEG7 / 'ffmpeg', '-v', 'error', '-nostdin', '-y', *arguments,
               env={'LD_LIBRARY_PATH': str(FFMPEG7)})


def fingerprint(path, *options):
    """{'video': [MD5, …], 'audio': […]} of the decoded frames of a file; with
    '-c', 'copy' in options of its packets."""
    before = [o for o in options if o not in ('-c', 'copy')]
    after = [o for o in options if o in ('-c', 'copy')]
    text = ffmpeg5(*before, '-i', path, '-map', '0', *after, '-f', 'framemd5', '-').decode()
    kinds, hashes = {}, {}
    for line in text.splitlines():
        if line.startswith('#media_type'):
            number, kind = line.split()[1:]
            kinds[number.rstrip(':')] = kind
            hashes[kind] = []
        elif not line.startswith('#'):
            fields = [field.strip() for field in line.split(',')]
            hashes[kinds[fields[0]]].append(fields[5])
    return hashes


@functools.lru_cache(maxsize=None)
def reference(path, *options):
    """fingerprint of a clear file, taken once."""
    return fingerprint(path, *options)


def expect_equal(what, wanted, got):
    """Compares two lists; Rejected tells the first difference."""
    if len(wanted) != len(got):
        raise Rejected(f'{what}: {len(got)} instead of {len(wanted)}')
    if not wanted:
        raise Rejected(f'{what}: nothing to compare')
    for number, (one, other) in enumerate(zip(wanted, got)):
        if one != other:
            different = sum(a != b for a, b in zip(wanted, got))
            raise Rejected(f'{what}: {different} of {len(wanted)} differ, the first is number {number}')


def expect_same_media(clear, path, kinds=None, options=()):
    """The file at path has the clear one's packets and, decoded, its frames."""
    for what, more in (('packets', ('-c', 'copy')), ('frames', ())):
        wanted, got = reference(clear, *more), fingerprint(path, *options, *more)
        for kind in kinds or wanted:
            expect_equal(f'{kind} {what}', wanted[kind], got.get(kind, []))
