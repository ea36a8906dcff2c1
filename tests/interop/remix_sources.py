# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes what the remixed playlists are made of, with ffmpeg, and reads what is
in them: pictures as ffmpeg decodes them, samples as the tables say."""
import concurrent.futures
import dataclasses
import functools
import os
import pathlib
import struct
from fractions import Fraction

import remix_tables
import tools

ENCODER = '-c:v libx264 -preset veryfast -threads 1 -sc_threshold 0 -pix_fmt yuv420p'
SOUND = '-c:a aac -b:a 96k -ac 2 -ar 48000'
GOP = '-g 50 -keyint_min 50 -bf 2'
OPEN = 'open-gop=1:keyint=50:min-keyint=25:bframes=3:b-adapt=0:scenecut=0'
FRAGMENTS = '-movflags frag_keyframe+empty_moov+default_base_moof+cmaf'
# Sources of one encoder setting share a sample description, in spite of the frame
# rate, which x264 writes into it.
ONE_RATE = '-bsf:v h264_metadata=tick_rate=50:fixed_frame_rate_flag=0'
ARCHIVE_EPOCH = 1640995200  # 2022-01-01T00:00:00Z
ARCHIVE_SEGMENTS = 4


@dataclasses.dataclass
class Clip:
    """How a source is encoded. No two frames of it are equal, and no two of its
    sound: noise, since a tone repeats itself."""
    picture: str
    seconds: str
    seed: int
    options: str


SOURCES = {
    'M': Clip('testsrc2=s=160x90:r=25', '20', 1, GOP),
    'F': Clip('testsrc2=s=160x90:r=25,hue=h=140', '40', 2, GOP),
    'A5': Clip('testsrc2=s=160x90:r=25,hue=h=70', '5', 3, f'{GOP} -crf 30 -refs 2'),
    'A3': Clip('testsrc2=s=160x90:r=25,negate', '3', 4, '-g 50 -keyint_min 50 -profile:v baseline -bf 0'),
    'N': Clip('testsrc2=s=160x90:r=30000/1001,hflip', '4.004', 5, GOP),
}
ONLY_MIXED = {
    'P': Clip('testsrc2=s=160x90:r=25,vflip', '4', 6, '-g 50 -bf 4 -b_strategy 0 -x264-params b-pyramid=normal:ref=4'),
    'O': Clip('testsrc2=s=160x90:r=25,hue=h=20', '10', 7, f'-x264-params {OPEN}:b-pyramid=none'),
    'Q': Clip('testsrc2=s=160x90:r=25,hue=h=40', '6', 11, f'-x264-params {OPEN}:b-pyramid=normal'),
    'S': Clip('testsrc2=s=640x360:r=25', '1', 8, GOP),
    'L': Clip('testsrc2=s=1280x720:r=25', '1', 9, f'{GOP} -preset ultrafast'),
    'G': Clip('testsrc2=s=160x90:r=25,hue=h=200', '20', 10, f'-g 25 -keyint_min 25 -bf 2 {FRAGMENTS}'),
}
LADDER = {'low': 44, 'middle': 30, 'high': 16}
# Made from others: options, with {} for the folder.
DERIVED = {
    'video': '-i M.mp4 -map 0:v -c copy',
    'audio': '-i M.mp4 -map 0:a -c copy',
    'swapped': '-i A5.mp4 -map 0:a -map 0:v -c copy',
    'mute': '-i A3.mp4 -map 0:v -c copy',
    'slow': '-i A3.mp4 -c:v copy -c:a aac -ar 44100',
    'mono': '-i A3.mp4 -c:v copy -c:a aac -ac 1',
    'other': '-i A3.mp4 -an -c:v mpeg4',
    'quicktime.mov': '-i A3.mp4 -c copy',
    'smooth.ismv': '-i M.mp4 -t 8 -c copy -f ismv',
    'smooth.isma': '-i M.mp4 -t 8 -map 0:a -c copy -f ismv',
}
TFXD = bytes.fromhex('6d1d9b0542d544e680e2141daff757b2')
CUES = """WEBVTT

00:01.000 --> 00:03.000
one

00:05.000 --> 00:07.000
two
"""
LADDER_FILE = '-i high.mp4 -i low.mp4 -i middle.mp4 -i audio.mp4 -map 0:v -map 3:a -map 1:v -map 2:v -c copy -t 4'


def ffmpeg(folder, arguments, name):
    """An MP4, unless name says otherwise."""
    name = name if '.' in name else f'{name}.mp4'
    tools.run('ffmpeg', '-v', 'error', '-nostdin', '-y', *arguments.split(), name, cwd=folder)


def encode(folder, name, clip, options):
    ffmpeg(folder, f'-f lavfi -i {clip.picture} -f lavfi -i anoisesrc=r=48000:a=0.1:seed={clip.seed} '
           f'-t {clip.seconds} {ENCODER} {SOUND} {options}', name)


def cut_archive(folder):
    """G as segments of 5 s, each with the moov in front, whose timeline counts from
    1970: as Unified Capture writes an archive."""
    whole = remix_tables.Tables(folder / 'G.mp4')
    timescales = {track.id: track.timescale for track in whole.tracks}
    data = bytearray(whole.data)
    for moof in whole.fragments:
        for traf in whole.find(list(whole.boxes(*moof[2:])), b'traf'):
            boxes = list(whole.boxes(*traf[2:]))
            tfdt = whole.one(boxes, b'tfdt')
            assert data[tfdt] == 1
            shift = ARCHIVE_EPOCH * timescales[whole.u32(whole.one(boxes, b'tfhd') + 4)]
            struct.pack_into('>Q', data, tfdt + 4, whole.u64(tfdt + 4) + shift)
    head = b''.join(data[b[1]:b[3]] for b in whole.top if b[0] in (b'ftyp', b'moov'))
    media = [bytes(data[b[1]:b[3]]) for b in whole.top if b[0] in (b'moof', b'mdat')]
    share = len(media) // ARCHIVE_SEGMENTS
    assert share * ARCHIVE_SEGMENTS == len(media)
    for number in range(ARCHIVE_SEGMENTS):
        (folder / f'archive{number}.mp4').write_bytes(head + b''.join(media[number * share:(number + 1) * share]))


def cut_smooth_archive(folder):
    """smooth.ismv as two segments of 4 s, in 2022. Where others have a tfdt, a fragment
    has a tfxd: version 1, so that its time is behind flags, 4 bytes on."""
    data = bytearray((folder / 'smooth.ismv').read_bytes())
    at = data.find(TFXD)
    while at >= 0:
        time, = struct.unpack_from('>q', data, at + 20)
        struct.pack_into('>q', data, at + 20, time + ARCHIVE_EPOCH * 10 ** 7)
        at = data.find(TFXD, at + 1)
    boxes, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from('>I4s', data, at)
        boxes.append((kind, bytes(data[at:at + size])))
        at += size
    head = b''.join(box for kind, box in boxes if kind in (b'ftyp', b'moov'))
    media = [box for kind, box in boxes if kind in (b'moof', b'mdat')]
    for number, share in enumerate((media[:8], media[8:])):
        (folder / f'smooth{number}.ismv').write_bytes(head + b''.join(share))


def package(folder):
    """What shaka-packager makes: CMAF tracks in files of their own, WebVTT, TTML."""
    (folder / 'cues.vtt').write_text(CUES)
    tools.packager(*(f'in={folder}/M.mp4,stream={kind},output={folder}/cmaf-{kind}.mp4' for kind in ('video', 'audio')),
                   '--segment_duration', '2')
    tools.packager(f'in={folder}/cues.vtt,stream=text,output={folder}/wvtt.mp4')
    tools.packager(f'in={folder}/cues.vtt,stream=text,output={folder}/stpp.mp4,format=ttml+mp4')


def make_mixed(folder, pool, only=None):
    """Each source with parameter sets of its own; only some, and nothing from them."""
    folder.mkdir()
    clips = {name: clip for name, clip in {**SOURCES, **ONLY_MIXED}.items() if only is None or name in only}
    list(pool.map(lambda name: encode(folder, name, clips[name], clips[name].options), clips))
    if only is None:
        make_derived(folder, pool)


def make_derived(folder, pool):
    (folder / 'cues.srt').write_text('1\n00:00:01,000 --> 00:00:03,000\none\n\n'
                                     '2\n00:00:05,000 --> 00:00:07,000\ntwo\n\n')
    ladder = [(f'-i M.mp4 -map 0:v -t 4 {ENCODER} {GOP} -crf {crf}', name) for name, crf in LADDER.items()]
    derived = [(options, name) for name, options in DERIVED.items()]
    list(pool.map(lambda job: ffmpeg(folder, *job), ladder + derived))
    ffmpeg(folder, LADDER_FILE, 'all')
    ffmpeg(folder, '-i M.mp4 -i cues.srt -map 0:v -map 0:a -map 1 -c copy -c:s mov_text', 'cues')
    cut_archive(folder)
    cut_smooth_archive(folder)
    package(folder)


def make_uniform(folder, pool):
    """The sources as one encoder setting makes them: one sample description."""
    folder.mkdir()
    list(pool.map(lambda name: encode(folder, name, SOURCES[name], f'{GOP} {ONE_RATE}'), SOURCES))
    for name in ('swapped', 'mute', 'video', 'audio'):
        ffmpeg(folder, DERIVED[name], name)


def make(folder):
    """Both sets, in folders of their own; gives their paths."""
    folders = {name: pathlib.Path(folder) / name for name in ('mixed', 'uniform')}
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        make_mixed(folders['mixed'], pool)
        make_uniform(folders['uniform'], pool)
    return folders


@functools.lru_cache(maxsize=None)
def tables(path):
    return remix_tables.Tables(path)


def shown(track):
    """[(time, MD5)] of a track's samples, in the order in which they are shown."""
    return sorted((track.time(sample), sample.md5) for sample in track.samples)


@functools.lru_cache(maxsize=None)
def samples(path, handler, number=0):
    return shown(tables(path).of(handler)[number])


def decoded(path, number=0, *options):
    """[(time, MD5)] of the pictures that ffmpeg decodes of a video track."""
    text = tools.ffmpeg5('-copyts', '-i', path, '-map', f'0:v:{number}', '-vsync', 'passthrough',
                         '-enc_time_base', '-1', '-autoscale', '0',
                         *options, '-f', 'framemd5', '-').decode()
    base, found = None, []
    for line in text.splitlines():
        if line.startswith('#tb 0:'):
            base = Fraction(line.split()[2])
        elif not line.startswith('#'):
            fields = [field.strip() for field in line.split(',')]
            found.append((int(fields[2]) * base, fields[5]))
    return found


def sound_durations(path):
    """Of each frame that ffmpeg decodes of the sound, in seconds."""
    text = tools.ffmpeg5('-xerror', '-i', path, '-map', '0:a', '-f', 'framemd5', '-').decode()
    return [Fraction(line.split(',')[3].strip()) / 48000 for line in text.splitlines() if not line.startswith('#')]


@functools.lru_cache(maxsize=None)
def pictures(path, number=0):
    """MD5s of a source's decoded pictures, as they are shown."""
    return [md5 for _, md5 in decoded(path, number)]
