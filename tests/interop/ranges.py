#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which bytes are protected, judged by Shaka Packager.

Encodes clips that make slice, tile and frame headers differ, has Shaka encrypt
them in cenc and cbcs, and gives them to the test program that compares the
subsamples it wrote with ours:  ranges.py PATH/TO/subsample-ranges
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

import tools

KEYS = '00112233445566778899aabbccddeeff'
CLIP = 'testsrc2=size=640x360:rate=25:duration=2'
LARGE = 'testsrc2=size=1280x720:rate=25:duration=1'
FADE = CLIP + ',fade=in:0:25,fade=out:30:20'

X264 = ('-c:v', 'libx264', '-x264-params')
X265 = ('-c:v', 'libx265', '-tag:v', 'hvc1', '-x265-params')
CLIPS = {
    'h264-slices': (CLIP, *X264, 'slices=8:bframes=3:ref=6:weightp=2:b-pyramid=2'),
    'h264-cavlc': (CLIP, *X264, 'cabac=0:bframes=2:ref=4'),
    'h264-interlaced': (CLIP, '-flags', '+ilme+ildct', *X264, 'tff=1:bframes=3:ref=4'),
    'h264-fields': (CLIP, *X264, 'fake-interlaced=1:slices=4'),
    'h264-weights': (FADE, *X264, 'weightp=2:ref=8:bframes=5:slices=3'),
    'h264-intra': (CLIP, *X264, 'keyint=1:deblock=2,2'),
    'h264-in-band': (CLIP, '-tag:v', 'avc3', *X264, 'repeat-headers=1:aud=1:keyint=10'),
    'h265-wavefront': (CLIP, *X265, 'log-level=none:slices=4:wpp=1:bframes=4:ref=5:weightb=1'),
    'h265-offsets': (CLIP, *X265, 'log-level=none:wpp=0:no-sao=1:deblock=1,1:cbqpoffs=2:crqpoffs=1'),
    'h265-weights': (FADE, *X265, 'log-level=none:weightp=1:weightb=1:bframes=4:ref=6'),
    'h265-layers': (CLIP, *X265, 'log-level=none:open-gop=1:keyint=15:temporal-layers=1:b-intra=1'),
    'h265-small-blocks': (CLIP, *X265, 'log-level=none:ctu=16:max-tu-size=16:wpp=1'),
    'h265-in-band': (CLIP, '-c:v', 'libx265', '-tag:v', 'hev1', '-x265-params',
                     'log-level=none:repeat-headers=1:keyint=10'),
    'av1-tiles': (LARGE, '-c:v', 'libaom-av1', '-cpu-used', '8', '-tiles', '4x2', '-b:v', '1M'),
    'av1-show-existing': (CLIP, '-c:v', 'libsvtav1', '-preset', '12'),
    'av1-film-grain': (LARGE, '-c:v', 'libsvtav1', '-preset', '12', '-svtav1-params',
                       'tile-columns=2:tile-rows=1:film-grain=8'),
    'vp9': (CLIP, '-c:v', 'libvpx-vp9', '-b:v', '500k', '-deadline', 'realtime', '-cpu-used', '8'),
    'vp9-superframes': (CLIP, '-c:v', 'libvpx-vp9', '-b:v', '500k', '-deadline', 'good', '-cpu-used', '5',
                        '-auto-alt-ref', '1', '-lag-in-frames', '16', '-tile-columns', '2'),
}


def schemes(name):
    """VP9's binding knows cenc only; under cbcs Shaka cuts whole blocks."""
    return ('cenc',) if name.startswith('vp9') else ('cenc', 'cbcs')


def encrypt(directory, name):
    clear = directory / f'{name}.clear'
    source, *options = CLIPS[name]
    tools.ffmpeg5('-f', 'lavfi', '-i', source, *options, '-pix_fmt', 'yuv420p', '-f', 'mp4', clear)
    for scheme in schemes(name):
        tools.packager(f'in={clear},stream=video,output={directory}/{name}.{scheme}.mp4,format=mp4',
                       '--enable_raw_key_encryption', '--keys', f'label=:key_id={KEYS}:key={KEYS}',
                       '--protection_scheme', scheme, '--clear_lead', '0')


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for _ in pool.map(lambda clip: encrypt(directory, clip), CLIPS):
                pass  # an error is raised here
        done = subprocess.run([program], env={'CENC_RANGES_DIR': str(directory)}, check=False)
    sys.exit(done.returncode)


if __name__ == '__main__':
    main()
