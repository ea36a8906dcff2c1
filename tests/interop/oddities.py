#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of odd structure, and samples, lengths and IVs at the limits, encrypted and
decrypted again: every byte that was not to be touched is what it was, and other
people's decryptors agree.

  oddities.py [--counts FILE] [--keep DIRECTORY] [PATTERN...]"""
import argparse
import concurrent.futures
import dataclasses
import functools
import os
import pathlib
import re
import struct
import sys

import cases
import matrix
import matrix_judges
import run
import structures
import tools
import untouched
from matrix_plan import Case
from media import Media
from structures import Fragments, Progressive
from tools import Rejected

KID, KEY = matrix_judges.KEYS['video']
PROGRESSIVE = {
    'moov last': Progressive(first=False), 'co64': Progressive(wide=True),
    'mdat of 64 bits': Progressive(data='large'), 'mdat of 64 bits, moov last': Progressive(False, True, 'large'),
    'many mdats': Progressive(data='many'), 'many mdats, moov last': Progressive(False, True, 'many'),
    'mdat to the end': Progressive(data='open'), 'chunks in reverse': Progressive(data='reversed'),
    'bytes of no sample': Progressive(data='gaps'), 'bytes of no sample, moov last': Progressive(False, data='gaps'),
    'boxes all over it': Progressive(noise=True, data='many'), 'one size of all': Progressive(same_sizes=True),
    'time stamps': Progressive(stamped=True), 'time stamps, moov last': Progressive(False, stamped=True),
    'time stamps, co64, chunks in reverse': Progressive(wide=True, data='reversed', stamped=True)}
FRAGMENTED = {
    'plain': Fragments(), 'several trafs': Fragments(trafs=2), 'several truns': Fragments(truns=3),
    'several of both': Fragments(trafs=2, truns=2), 'base-data-offset': Fragments(base='offset'),
    'base-data-offset, several of both': Fragments(base='offset', trafs=2, truns=2),
    'no base': Fragments(base='none'), 'no base, several of both': Fragments(base='none', trafs=2, truns=2),
    'mdat of 64 bits': Fragments(mdats='large'), 'mdat of 64 bits, base-data-offset': Fragments('offset', mdats='large'),
    'many mdats': Fragments(mdats='many', truns=2), 'boxes all over it': Fragments(noise=True, truns=2),
    'boxes all over it, indexed': Fragments(noise=True, indexed=True, mdats='many'),
    'an empty traf': Fragments(empty=True), 'indexed': Fragments(indexed=True),
    'time stamps': Fragments(stamped=True), 'time stamps, base-data-offset': Fragments('offset', truns=2, stamped=True)}
# What ffmpeg writes without `empty_moov`: a moov with samples of its own, and fragments.
MIXED = {'plain': ('frag_keyframe', 'cenc', 'pull'), 'base is moof': ('frag_keyframe+default_base_moof', 'cbcs', 'push'),
         'a moof a track': ('frag_keyframe+separate_moof', 'cbc1', 'push'),
         'indexed': ('frag_keyframe+default_base_moof+global_sidx', 'cens', 'pull'),
         'without mfra': ('frag_keyframe+skip_trailer', 'piff', 'pull')}
WAYS = {'pull': '', 'push': ' ! queue'}


@dataclasses.dataclass
class Job:
    name: str
    check: object       # directory → None; raises Rejected


def encrypt(clear, protected, options, way='pull'):
    tools.gst(f'filesrc location={clear}{WAYS[way]} ! cencencrypt key-id={KID} key={KEY} {options} ! '
              f'filesink location={protected}')


def survives(clear, scheme, way, directory):
    """Encrypted, then decrypted, from a file and through a queue."""
    protected, out = directory / 'protected.mp4', directory / 'decrypted.mp4'
    encrypt(clear, protected, f'scheme={scheme}', way)
    case = Case(scheme, '', '', '', '')
    kinds = [t.kind for t in Media(clear).tracks.values()]
    matrix_judges.check_reference(matrix_judges.Files(case, directory, [(protected, clear, kinds)], least=0.3), kinds)
    tools.gst(f'filesrc location={protected}{WAYS[way]} ! cencdecrypt keys={KID}:{KEY} ! filesink location={out}')
    untouched.expect(clear, out, scheme)


# --- structures ---

def base_file(directory, sound):
    path = directory / f'{"plain" if sound else "silent"}.mp4'
    audio = ['-filter_complex', matrix_judges.NOISE, '-ac', '2', *matrix_judges.ENCODERS['AAC'].split()]
    tools.ffmpeg5('-f', 'lavfi', '-i', matrix_judges.SOURCE, *(audio if sound else []), '-pix_fmt', 'yuv420p',
                  *matrix_judges.ENCODERS['H.264'].split(), path)
    return path


def structure_jobs(plain):
    for kind, styles, build in (('progressive', PROGRESSIVE, structures.progressive),
                                ('fragments', FRAGMENTED, structures.fragmented)):
        for number, (name, style) in enumerate(styles.items()):
            for way in WAYS:
                scheme = ('cenc', 'cbcs', 'cens', 'cbc1', 'piff')[(number + (way == 'push')) % 5]
                yield Job(f'{kind}, {name}, {scheme}, {way}',
                          functools.partial(check_structure, plain, build, style, scheme, way))


def check_structure(plain, build, style, scheme, way, directory):
    media, clear = Media(plain), directory / 'clear.mp4'
    clear.write_bytes(build(media, structures.streams_of(media), style))
    survives(clear, scheme, way, directory)


# --- a moov with samples, and fragments ---

def mixed_jobs(plain):
    for name, values in MIXED.items():
        yield Job(f'moov and fragments, {name}, {", ".join(values[1:])}', functools.partial(check_mixed, plain, *values))


def packets(path):
    """Of each its stream, when it is decoded and shown, and its bytes; how long it
    is, ffmpeg takes from the codec."""
    text = tools.run('ffprobe', '-v', 'error', '-show_entries', 'packet=stream_index,pts,dts,data_hash',
                     '-show_data_hash', 'md5', '-of', 'csv', path).decode()
    return sorted(text.splitlines())


def check_mixed(plain, flags, scheme, way, directory):
    """Everyone reads it, as one that is in fragments from its start."""
    clear, out = directory / 'clear.mp4', directory / 'decrypted.mp4'
    tools.ffmpeg5('-i', plain, '-c', 'copy', '-movflags', flags, clear)
    if not (Media(clear).top.all(b'moof') and Media(clear).of_kind('video').stbl.all(b'stss')):
        raise Rejected('not mixed')
    ask_all(clear, f'scheme={scheme}', 'moov and fragments', ['video', 'audio'], 0.3, directory, way)
    if Media(directory / 'protected.mp4').of_kind('video').stbl.all(b'stss'):
        raise Rejected('still mixed')
    tools.gst(f'filesrc location={directory / "protected.mp4"}{WAYS[way]} ! cencdecrypt keys={KID}:{KEY} ! '
              f'filesink location={out}')
    tools.expect_equal('packets', packets(clear), packets(out))


def vector_jobs():
    folder = cases.VECTORS / 'clear'
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        for scheme in ('cenc', 'cens', 'cbc1', 'cbcs', 'piff', 'piff-cbc'):
            yield Job(f'{path.name}, {scheme}', functools.partial(survives, path, scheme, 'pull'))


# --- limits ---

def with_clear_bytes(streams, count):
    """A SEI message of so many bytes, which stay clear, in each tenth picture."""
    sizes = b'\xff' * ((count - 16) // 255) + bytes([(count - 16) % 255])
    nal = b'\x06\x05' + sizes + b'\x5a' * (count - 16) + b'\x80'
    for stream in streams:
        if stream.kind == 'video':
            stream.samples = [struct.pack('>I', len(nal)) + nal + s if i % 10 == 0 else s
                              for i, s in enumerate(stream.samples)]
    return streams


def of_slices(directory, count):
    """As many slices a picture: one for each row of macroblocks."""
    path = directory / f'{count}-slices.mp4'
    tools.ffmpeg5('-f', 'lavfi', '-i', f'testsrc2=size=320x{16 * count}:rate=24:duration=1', '-pix_fmt', 'yuv420p',
                  '-c:v', 'libx264', '-x264-params', f'slices={count}:keyint=12:scenecut=0', path)
    return path


# NAL units of less than 256 bytes: their lengths fit into any field.
TINY = 'smptebars=size=64x64:rate=24:duration=1'
TINY_ENCODERS = {'H.264': '-c:v libx264 -crf 20 -x264-params slice-max-size=200:keyint=12:scenecut=0',
                 'H.265': '-c:v libx265 -tag:v hvc1 -crf 36 -x265-params keyint=12:scenecut=0:log-level=none'}
CONFIGURATIONS = {'H.264': (b'avcC', 4), 'H.265': (b'hvcC', 21)}


def tiny(directory, codec):
    path = directory / f'tiny-{codec}.mp4'
    tools.ffmpeg5('-f', 'lavfi', '-i', TINY, '-pix_fmt', 'yuv420p', *TINY_ENCODERS[codec].split(), path)
    return path


def with_lengths(streams, size):
    """Length fields of so many bytes, where there were four. Messages that do not
    fit, the encoder's own, are left out."""
    for stream in streams:
        for i, sample in enumerate(stream.samples):
            out, at = b'', 0
            while at < len(sample):
                end = at + 4 + int.from_bytes(sample[at:at + 4], 'big')
                if end - at - 4 < 1 << 8 * size:
                    out += (end - at - 4).to_bytes(size, 'big') + sample[at + 4:end]
                at = end
            stream.samples[i] = out
    return streams


def check_lengths(path, codec, size, scheme, layout, directory):
    clear = directory / 'clear.mp4'
    box, place = CONFIGURATIONS[codec]
    built = bytearray(build(Media(path), lambda s: with_lengths(s, size), layout))
    at = built.index(box) + 4 + place
    built[at] = built[at] & 0xfc | size - 1
    clear.write_bytes(built)
    if Media(clear).of_kind('video').samples[0].size < 100:
        raise Rejected('the slices were left out')
    ask_all(clear, f'scheme={scheme}', layout, ['video'], 0.3, directory)


LIKE = {'fragments': 'fragments by shaka-packager', 'moov and fragments': 'fragments by ffmpeg'}


def ask_all(clear, options, layout, kinds, least, directory, way='pull'):
    """Encrypts; everyone who decrypts such a file is asked."""
    protected = directory / 'protected.mp4'
    encrypt(clear, protected, options, way)
    scheme = re.match('scheme=([a-z0-9-]+)', options)[1]
    # For whom to ask: two streams never share a pattern.
    case = Case(scheme, 'H.264', 'AAC', LIKE.get(layout, 'moov last'), 'one key')
    made = matrix_judges.Files(case, directory, [(protected, clear, kinds)], least=least)
    for judge in matrix_judges.JUDGES:
        wanted = [kind for kind in kinds if judge.excuse(case, kind) is None]
        if judge.here and not judge.slow and wanted:
            try:
                judge.check(made, wanted)
            except Rejected as error:
                raise Rejected(f'{judge.name}: {error}') from error


def build(media, change, layout):
    streams = change(structures.streams_of(media))
    if layout == 'fragments':
        return structures.fragmented(media, streams, Fragments(indexed=True))
    return structures.progressive(media, streams, Progressive(False))


def check_limit(plain, change, options, layout, least, directory):
    media, clear = Media(plain), directory / 'clear.mp4'
    clear.write_bytes(build(media, change, layout))
    ask_all(clear, options, layout, [t.kind for t in media.tracks.values()], least, directory)


def limit_jobs(plain, silent, slices):
    """Counters that wrap within the first samples, as 8 bytes and as the low half
    of 16; more slices than a sample's information has room for; more clear bytes
    than one subsample counts. Shaka Packager keeps one pattern for a KID: no sound
    where there is a pattern."""
    for layout in ('fragments', 'moov last'):
        for options in ('scheme=cenc iv=fffffffffffffffd', 'scheme=cenc iv-size=16 iv=0011223344556677fffffffffffffffe',
                        'scheme=cenc iv-size=16 iv=fffffffffffffffffffffffffffffff0',
                        'scheme=cens iv-size=16 iv=0011223344556677fffffffffffffffe'):
            yield Job(f'{layout}, {options}', functools.partial(
                check_limit, silent if 'cens' in options else plain, list, options, layout, 0.5))
        for scheme in ('cenc', 'cens', 'cbc1', 'cbcs'):
            yield Job(f'{layout}, 45 slices, {scheme}', functools.partial(
                check_limit, slices, list, f'scheme={scheme}', layout, 0.5))
            yield Job(f'{layout}, 70,000 clear bytes, {scheme}', functools.partial(
                check_limit, silent if scheme in ('cens', 'cbcs') else plain, lambda s: with_clear_bytes(s, 70000),
                f'scheme={scheme}', layout, 0))


def length_jobs(directory):
    """A length of three bytes is not in the standards."""
    for codec in TINY_ENCODERS:
        path = tiny(directory, codec)
        for size, scheme, layout in ((1, 'cenc', 'fragments'), (1, 'cbcs', 'moov last'), (2, 'cbcs', 'fragments'),
                                     (2, 'cenc', 'moov last')):
            yield Job(f'{layout}, {codec}, NAL lengths of {size} bytes, {scheme}', functools.partial(
                check_lengths, path, codec, size, scheme, layout))


# --- running ---

def run_job(job, directory):
    here = pathlib.Path(directory) / re.sub(r'[^0-9A-Za-z]+', '-', job.name)
    here.mkdir()
    reason = matrix.attempt(lambda: job.check(here))
    return job, reason


def jobs(directory):
    plain = base_file(directory, True)
    yield from structure_jobs(plain)
    yield from mixed_jobs(plain)
    yield from limit_jobs(plain, base_file(directory, False), of_slices(directory, 45))
    yield from length_jobs(directory)
    yield from vector_jobs()


def run_jobs(directory, wanted):
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        chosen = [job for job in jobs(pathlib.Path(directory)) if wanted(job.name)]
        for job, reason in pool.map(lambda job: run_job(job, directory), chosen):
            print(f'ok   {job.name}' if reason is None else f'FAIL {job.name}\n       {reason}', flush=True)
            passed, failed = passed + (reason is None), failed + (reason is not None)
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--counts')
    parser.add_argument('--keep')
    parser.add_argument('patterns', nargs='*')
    args = parser.parse_args()
    with run.work_directory(args.keep) as directory:
        passed, failed = run_jobs(directory, lambda name: not args.patterns or any(p in name for p in args.patterns))
    failed += passed + failed == 0
    if args.counts:
        pathlib.Path(args.counts).write_text(f'{passed} {failed} 0\n', encoding='ascii')
    print(f'{passed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
