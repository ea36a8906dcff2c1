# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is judged: clips, the layouts in which they come to cencencrypt, schemes,
and which judges each meets."""
import csv
import dataclasses
import hashlib
import os
import pathlib

import boxes
import judges
import tools
from tools import Rejected

KID = 'a7e61c373e219033c21091fa607bf3b8'
KEY = '76a6c65c5ea762046bd749a2e632ccbb'
WRONG = '76a6c65c5ea762046bd749a2e632ccbc'
# Not 150: of a last fragment with one picture, stock qtdemux in push mode loses it.
FRAMES = 140
VECTORS = pathlib.Path(os.environ.get('CENC_VECTORS') or
                       pathlib.Path(__file__).resolve().parents[3] / 'shared' / 'vectors')
SCHEMES = ('cenc', 'cbcs')


@dataclasses.dataclass
class Clip:
    """A clear progressive file, H.264 or H.265 with AAC."""
    path: pathlib.Path
    parser: str
    codecs: dict
    caps: str = ''


@dataclasses.dataclass
class Plan:
    """A case to be made and the judges that it meets."""
    name: str
    make: object        # directory → judges.Case
    judges: dict        # name → function of a Case


PICTURES = (f'videotestsrc num-buffers={FRAMES} pattern=smpte horizontal-speed=3 ! '
            'video/x-raw,format=I420,width=320,height=180,framerate=25/1')
SOUND = ('audiotestsrc num-buffers=263 wave=pink-noise volume=0.3 ! '
         'audio/x-raw,rate=48000,channels=2 ! audioconvert ! avenc_aac ! aacparse')
# Several slices a picture and B-frames: several protected ranges, reordering.
ENCODERS = {
    'h264': ('x264enc key-int-max=50 bframes=2 bitrate=600 option-string=slices=3 ! h264parse', 'h264parse',
             'avc1.64000d'),
    'h265': ('x265enc key-int-max=50 bitrate=600 option-string=slices=2:bframes=2:log-level=none ! h265parse',
             'h265parse', 'hvc1.1.6.L60.90'),
}


def make_clips(directory):
    clips = {}
    for name, (encoder, parser, codec) in ENCODERS.items():
        path = pathlib.Path(directory) / f'{name}.mp4'
        tools.gst(f'mp4mux name=mux ! filesink location={path} {PICTURES} ! {encoder} ! queue ! mux. '
                  f'{SOUND} ! queue ! mux.')
        clips[name] = Clip(path, parser, {'video': codec, 'audio': 'mp4a.40.2'})
    return clips


def remuxed(clip, muxer):
    """A graph that ends in the bytes of clip, muxed anew."""
    return (f'mp4mux name=mux {muxer} filesrc location={clip.path} ! qtdemux name=demux '
            f'demux.video_0 ! queue ! {clip.parser} {clip.caps} ! mux. '
            f'demux.audio_0 ! queue ! aacparse ! mux. mux.')


# Each layout: (clip, directory) → graphs that end in bytes, one a file.

def from_mp4mux(clip, _directory):
    return [remuxed(clip, 'fragment-duration=2000')]


def from_progressive_mp4mux(clip, _directory):
    return [remuxed(clip, '')]


def from_streamable_mp4mux(clip, _directory):
    return [remuxed(clip, 'fragment-duration=2000 streamable=true')]


def from_ffmpeg(clip, directory, flags='frag_keyframe+empty_moov+default_base_moof'):
    path = directory / 'source.mp4'
    tools.ffmpeg5('-i', clip.path, '-c', 'copy', '-movflags', flags, path)
    return [f'filesrc location={path}']


def from_ffmpeg_with_sidx(clip, directory):
    return from_ffmpeg(clip, directory, 'frag_keyframe+empty_moov+dash+global_sidx')


def from_shaka(clip, directory):
    graphs = []
    for kind in ('video', 'audio'):
        path = directory / f'source-{kind}.mp4'
        tools.packager(f'in={clip.path},stream={kind},output={path}', '--segment_duration', '2')
        graphs.append(f'filesrc location={path}')
    return graphs


def write(graph, path, pipe):
    """Lets graph write a file; pipe: to where it cannot seek."""
    if pipe:
        path.write_bytes(tools.gst(f'{graph} ! fdsink fd=1'))
    else:
        tools.gst(f'{graph} ! filesink location={path}')


def encrypted(name, clip, layout, scheme, options='', pipe=False):
    """A case made by cencencrypt."""
    def make(directory):
        files = []
        for number, graph in enumerate(layout(clip, directory)):
            clear, protected = directory / f'clear{number}.mp4', directory / f'protected{number}.mp4'
            write(graph, clear, False)
            write(f'{graph} ! cencencrypt scheme={scheme} key-id={KID} key={KEY} {options}', protected, pipe)
            files.append((protected, clear))
        return judges.Case(name, scheme, {KID: KEY}, {'video': KID, 'audio': KID}, files, clip.codecs,
                           FRAMES, directory)
    return make


ROTATING = {f'c{n}e61c373e219033c21091fa607bf3b8': f'{n}6a6c65c5ea762046bd749a2e632ccbb' for n in range(3)}


def rotating(name, clip, layout, scheme):
    """A case made by cencencrypt with another key each 2 s."""
    def make(directory):
        keys = ';'.join(':'.join(pair) for pair in ROTATING.items())
        files = []
        for number, graph in enumerate(layout(clip, directory)):
            clear, protected = directory / f'clear{number}.mp4', directory / f'protected{number}.mp4'
            write(graph, clear, False)
            write(f'{graph} ! cencencrypt scheme={scheme} crypto-period=2000000000 period-keys={keys}',
                  protected, False)
            files.append((protected, clear))
        return judges.Case(name, scheme, ROTATING, {f'period {i}': kid for i, kid in enumerate(ROTATING)}, files,
                           clip.codecs, FRAMES, directory)
    return make


def by_shaka(name, clip, scheme, clear_lead):
    """A case made by Shaka Packager."""
    def make(directory):
        files = []
        for kind in ('video', 'audio'):
            clear, protected = directory / f'clear-{kind}.mp4', directory / f'protected-{kind}.mp4'
            tools.packager(f'in={clip.path},stream={kind},output={clear}', '--segment_duration', '2')
            tools.packager(f'in={clip.path},stream={kind},output={protected}', '--segment_duration', '2',
                           '--enable_raw_key_encryption', '--keys', f'label=:key_id={KID}:key={KEY}',
                           '--protection_scheme', scheme, '--clear_lead', clear_lead)
            files.append((protected, clear))
        return judges.Case(name, scheme, {KID: KEY}, {'video': KID, 'audio': KID}, files, clip.codecs,
                           FRAMES, directory)
    return make


def damaged(make):
    """Some protected bytes of each file of a case turned over."""
    def make_damaged(directory):
        case = make(directory)
        for path, _ in case.files:
            movie = boxes.Movie(path)
            data = bytearray(movie.data)
            sample = max((s for t in movie.tracks.values() for s in t.samples), key=lambda s: s.size)
            begin, end = boxes.protected_ranges(sample)[-1]
            for at in range(sample.offset + begin, sample.offset + end):
                data[at] ^= 0xff
            pathlib.Path(path).write_bytes(data)
        return case
    return make_damaged


def pretended(make):
    """The clear files of a case, said to be protected."""
    def make_pretended(directory):
        case = make(directory)
        return dataclasses.replace(case, files=[(clear, clear) for _, clear in case.files])
    return make_pretended


def shifted(make):
    """Eight bytes more in front of the first moof: indexes lead astray."""
    def make_shifted(directory):
        case = make(directory)
        for path, _ in case.files:
            at = min(boxes.Movie(path).moofs)
            data = pathlib.Path(path).read_bytes()
            pathlib.Path(path).write_bytes(data[:at] + b'\0\0\0\x08free' + data[at:])
        return case
    return make_shifted


def chosen(available, *names):
    return {name: available[name] for name in names}


STRANGERS = ('structure', 'ffmpeg 7.1', 'ffmpeg 5.1', 'shaka-packager', 'Chromium')
FILE_DECRYPTORS = ('cencdecrypt to a file', 'cencdecrypt in front, pull', 'cencdecrypt in front, push',
                   'cencdecrypt behind, pull', 'cencdecrypt behind, push',
                   'seeks, cencdecrypt in front', 'seeks, cencdecrypt behind', 'playbin3')


def judging_judges(clips, available, expect_rejection):
    """Each judge passes what is right and rejects what is not."""
    def rejecting(names, change=lambda case: case):
        return {name: lambda case, judge=available[name]: expect_rejection(judge, change(case))
                for name in names}

    def hasty(case):
        return judges.browser(case, patience=10)

    wrong_key = lambda case: case.with_keys({KID: WRONG})  # noqa: E731
    plans = []
    for scheme in SCHEMES:
        make = by_shaka('', clips['h264'], scheme, 0)
        plans.append(Plan(f'judges on h264 {scheme} by shaka', make, chosen(available, *STRANGERS)))
        refusing = rejecting(('ffmpeg 7.1', 'ffmpeg 5.1', 'shaka-packager'), wrong_key)
        refusing['Chromium'] = lambda case: expect_rejection(hasty, wrong_key(case))
        plans.append(Plan(f'judges, wrong key, on h264 {scheme}', make, refusing))
        plans.append(Plan(f'judges, damaged h264 {scheme}', damaged(make),
                          rejecting(('ffmpeg 7.1', 'ffmpeg 5.1', 'shaka-packager'))))
        for what, change in (('clear', pretended), ('shifted', shifted)):
            plans.append(Plan(f'judges, {what} h264 {scheme}', change(make), rejecting(('structure',))))
    return plans


def vectors():
    """The rows of the vectors' manifest that can be decrypted here; None where
    there are no vectors."""
    if not VECTORS.is_dir():
        return None
    with open(VECTORS / 'manifest.tsv', encoding='utf-8', newline='') as manifest:
        rows = list(csv.DictReader(manifest, delimiter='\t', quoting=csv.QUOTE_NONE))
    return [row for row in rows if row['keys (kid:key)'] and row['scheme'] in SCHEMES]


def from_vector(row):
    """A case of a file that others made. Its clear original is what cencdecrypt
    makes of it in front of the demuxer, if the manifest says that this is right."""
    def make(directory):
        protected, clear = VECTORS / row['file'], directory / 'clear.mp4'
        keys = row['keys (kid:key)']
        tools.gst(f'filesrc location={protected} ! cencdecrypt keys={keys} ! filesink location={clear}')
        digest = hashlib.sha256()
        for start, end in boxes.media_data(clear):
            digest.update(clear.read_bytes()[start:end])
        if digest.hexdigest() != row['sha256 of all mdat payloads after decryption']:
            raise Rejected('cencdecrypt in front of the demuxer: other bytes than the manifest says')
        return judges.Case(row['file'], row['scheme'], dict(pair.split(':') for pair in keys.split(',')),
                           {}, [(protected, clear)], {}, 0, directory)
    return make


# Vectors of which qtdemux 1.22.0 does not say what decrypting needs.
NOT_BEHIND_QTDEMUX = {
    '-prog-': 'senc is never read, and saiz and saio only in a moof',
    'key-rotation': 'no seig before 1.24',
    'encryption-cbcs_bear-640x360-audio': 'a cbcs clear lead looks protected before 1.22.6',
    'vp9-opus-audio': 'of Opus it cannot be told whether the lead is clear',
    'media3_drm_sample': 'its saio leads astray, and its senc is not read',
    'bento4-frag-MPEG-CBCS': 'senc only, no saiz',
}


def plan(clips, available, expect_rejection):
    """All that is judged."""
    plans = judging_judges(clips, available, expect_rejection)
    for row in vectors() or ():
        refusable = any(part in row['file'] for part in NOT_BEHIND_QTDEMUX)
        judge = 'cencdecrypt behind, or refused' if refusable else 'cencdecrypt behind, pull'
        plans.append(Plan(f"vector {row['file']}", from_vector(row), chosen(available, judge)))

    for codec in ('h264', 'h265'):
        for scheme in SCHEMES:
            for lead in (0, 2):
                name = f'{codec} {scheme} by shaka, clear lead {lead} s'
                names = [n for n in FILE_DECRYPTORS + ('no key',)]
                if lead:
                    names = FILE_DECRYPTORS[:3] + ('seeks, cencdecrypt in front',)
                plans.append(Plan(name, by_shaka(name, clips[codec], scheme, lead), chosen(available, *names)))

    avc3 = dataclasses.replace(clips['h264'], caps='! video/x-h264,stream-format=avc3',
                               codecs={**clips['h264'].codecs, 'video': 'avc3.64000d'})
    hev1 = dataclasses.replace(clips['h265'], caps='! video/x-h265,stream-format=hev1',
                               codecs={**clips['h265'].codecs, 'video': 'hev1.1.6.L60.90'})
    without_5 = tuple(name for name in STRANGERS if name != 'ffmpeg 5.1')
    # Name, clip, layout, what cencencrypt gets beside, where to, judges. ffmpeg
    # 5.1 needs a global sidx: no judge where the output cannot be seeked.
    # Debian's Chromium plays no H.265.
    table = [
        ('h264 mp4mux', clips['h264'], from_mp4mux, '', False, STRANGERS),
        ('h264 streamable mp4mux', clips['h264'], from_streamable_mp4mux, '', False, STRANGERS),
        ('h264 mp4mux to a pipe', clips['h264'], from_streamable_mp4mux, '', True, without_5),
        ('h264 ffmpeg', clips['h264'], from_ffmpeg, '', False, STRANGERS),
        ('h264 ffmpeg with sidx', clips['h264'], from_ffmpeg_with_sidx, '', False, STRANGERS),
        ('h264 shaka', clips['h264'], from_shaka, '', False, STRANGERS),
        ('avc3 mp4mux', avc3, from_mp4mux, '', False, STRANGERS),
        ('h265 mp4mux', clips['h265'], from_mp4mux, '', False, STRANGERS[:-1]),
        ('h265 shaka', clips['h265'], from_shaka, '', False, STRANGERS[:-1]),
        ('hev1 mp4mux', hev1, from_mp4mux, '', False, STRANGERS[:-1]),
    ]
    for what, clip, layout, options, pipe, strangers in table:
        for scheme in SCHEMES:
            name = f'{what} {scheme}'
            plans.append(Plan(name, encrypted(name, clip, layout, scheme, options, pipe),
                              chosen(available, *strangers, *FILE_DECRYPTORS, 'no key', 'truncated')))
    name = 'h264 mp4mux cenc, 16-byte IVs'
    plans.append(Plan(name, encrypted(name, clips['h264'], from_mp4mux, 'cenc', 'iv-size=16'),
                      chosen(available, *STRANGERS, 'cencdecrypt to a file', 'cencdecrypt behind, pull')))

    # ffmpeg takes one key, Shaka Packager decrypts with that of tenc only; stock
    # qtdemux reads sample groups since 1.24.
    front = ('cencdecrypt to a file', 'cencdecrypt in front, pull', 'seeks, cencdecrypt in front',
             'cencdecrypt behind, or refused', 'truncated')
    for what, layout, others in (('mp4mux', from_mp4mux, ('Chromium', 'cencdecrypt in front, push')),
                                 ('ffmpeg', from_ffmpeg, ('Chromium', 'cencdecrypt in front, push')),
                                 ('progressive mp4mux', from_progressive_mp4mux, ())):
        for scheme in SCHEMES:
            name = f'h264 {what} {scheme}, keys that rotate'
            plans.append(Plan(name, rotating(name, clips['h264'], layout, scheme),
                              chosen(available, *others, *front)))
    return plans
