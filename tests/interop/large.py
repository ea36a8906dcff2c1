#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progressive files whose samples lie around 4 GiB, encrypted, and judged by
ffmpeg 7.1, which knows nothing of us, and by cencdecrypt:

  co64    half of the chunks behind 4 GiB, 64-bit offsets in the input
  stco    the last chunk starts at 4 GiB - 1: what the moov grows by takes it
          over, and stco becomes co64

Input files are sparse, the encrypted ones take 4 GiB and are piped through. Only
with CENC_LARGE=1: they take a minute. Skipped (77) without."""
import os
import pathlib
import struct
import sys
import tempfile

import tools

KID = '00112233445566778899aabbccddeeff'
KEY = '000102030405060708090a0b0c0d0e0f'
GIB4 = 1 << 32
CONTAINERS = (b'moov', b'trak', b'mdia', b'minf', b'stbl')


def boxes(data, start, end):
    while start < end:
        size, kind = struct.unpack_from('>I4s', data, start)
        yield kind, start, size
        start += size


def rebuild(data, start, size, move, wide):
    """The box at start with its chunk offsets moved; wide: as co64."""
    kind = data[start + 4:start + 8]
    if kind == b'stco':
        count = struct.unpack_from('>I', data, start + 12)[0]
        offsets = [move(o) for o in struct.unpack_from(f'>{count}I', data, start + 16)]
        form, kind = ('Q', b'co64') if wide else ('I', b'stco')
        body = struct.pack(f'>II{count}{form}', 0, count, *offsets)
    elif kind in CONTAINERS:
        body = b''.join(rebuild(data, s, n, move, wide) for _, s, n in boxes(data, start + 8, start + size))
    else:
        body = data[start + 8:start + size]
    return struct.pack('>I4s', len(body) + 8, kind) + body


def chunk_offsets(data, start, size):
    kind = data[start + 4:start + 8]
    if kind == b'stco':
        count = struct.unpack_from('>I', data, start + 12)[0]
        return list(struct.unpack_from(f'>{count}I', data, start + 16))
    if kind in CONTAINERS:
        return [o for _, s, n in boxes(data, start + 8, start + size) for o in chunk_offsets(data, s, n)]
    return []


def spread(small, large, last, wide):
    """small, a progressive file, with the later half of its chunks moved: the last
    one starts at last of large. There is a hole in the mdat in between."""
    data = small.read_bytes()
    places = {kind: (start, size) for kind, start, size in boxes(data, 0, len(data))}
    offsets = sorted(chunk_offsets(data, *places[b'moov']))
    middle, first = offsets[len(offsets) // 2], offsets[0]
    far = last - offsets[-1]
    end = places[b'mdat'][0] + places[b'mdat'][1]

    def build(front):
        moov = rebuild(data, *places[b'moov'], lambda o: o + far if o >= middle else o - first + front, wide)
        return data[:places[b'ftyp'][1]] + moov

    front = len(build(0)) + 16
    with open(large, 'wb') as file:
        file.write(build(front) + struct.pack('>I4sQ', 1, b'mdat', end + far - front + 16))
        file.write(data[first:middle])
        file.seek(middle + far)
        file.write(data[middle:end])


def packets(path):
    """Checksums of a file's packets, by kind."""
    return tools.fingerprint(path, '-c', 'copy')


def expect_packets(what, wanted, path):
    got = packets(path)
    for kind, hashes in wanted.items():
        tools.expect_equal(f'{kind} packets, {what}', hashes, got.get(kind, []))


def judge(name, scheme, small, directory, last, wide):
    large, protected, clear = (directory / f'{n}.mp4' for n in ('large', 'protected', 'clear'))
    spread(small, large, last, wide)
    wanted = packets(small)
    expect_packets('of the input', wanted, large)
    tools.gst(f'filesrc location={large} ! cencencrypt scheme={scheme} key-id={KID} key={KEY} ! '
              f'filesink location={protected}')
    with open(protected, 'rb') as file:
        front = file.read(1 << 20)
    if front.count(b'co64') < 1 or front.count(b'co64') + front.count(b'stco') != 2:
        raise tools.Rejected('an offset beyond 4 GiB stands in 32 bits')
    # Samples of less than a block are clear with cbcs.
    if len(set(packets(protected)['video']) & set(wanted['video'])) > 10:
        raise tools.Rejected('samples are not encrypted')
    tools.ffmpeg7('-decryption_key', KEY, '-i', protected, '-map', '0', '-c', 'copy', clear)
    expect_packets('decrypted by ffmpeg 7.1', wanted, clear)
    tools.gst(f'filesrc location={protected} blocksize=1048576 ! cencdecrypt keys={KID}:{KEY} ! '
              f'filesink location={clear}')
    expect_packets('decrypted by cencdecrypt', wanted, clear)
    print(f'ok     {name} {scheme}', flush=True)
    for path in (large, protected, clear):
        path.unlink()


def main():
    if not os.environ.get('CENC_LARGE'):
        print('not without CENC_LARGE=1: takes 8 GiB of disk and a minute')
        sys.exit(77)
    tools.TIMEOUT = 600
    with tempfile.TemporaryDirectory(dir=os.environ.get('CENC_LARGE_DIR')) as name:
        directory = pathlib.Path(name)
        small = directory / 'small.mp4'
        tools.ffmpeg5('-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=4', '-f', 'lavfi', '-i', 'sine=d=4',
                      '-c:v', 'libx264', '-g', '25', '-c:a', 'aac', '-movflags', 'faststart', small)
        judge('co64', 'cenc', small, directory, GIB4 + 123456789, True)
        judge('stco', 'cbcs', small, directory, GIB4 - 1, False)
    

if __name__ == '__main__':
    main()
