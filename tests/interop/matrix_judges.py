# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the matrix's files, and who is asked of them: each judge, and of whom or
what it cannot say anything, and why. Every judge decrypts in its own way; what it
gives is compared with the clear original's samples here, byte for byte."""
import base64
import dataclasses
import functools
import pathlib
import tempfile
import uuid

import chromium
import judges as players
import matrix_others
import matrix_plan
import reference
import tools
from media import Media
from tools import Rejected

KEYS = {'video': ('a7e61c373e219033c21091fa607bf3b8', '76a6c65c5ea762046bd749a2e632ccbb'),
        'audio': ('0b5fc7a94d0f4a6e9e1d6c1a2b3c4d5e', '13f1d2c3b4a5968778695a4b3c2d1e0f')}
LABELS = {'video': 'SD', 'audio': 'AUDIO'}


def rotating(number):
    """(KID, key) of each crypto period of a second; the sound is a bit longer than
    the picture."""
    return [('%032x' % (number << 64 | i), '%032x' % (number << 80 | i)) for i in range(3)]


ROTATING = {'video': rotating(0xabcdef), 'audio': rotating(0xfedcba)}
PICTURES, RATE, GROUP = 48, 24, 12
# Less would leave shares of a sample's bytes clear that no scheme does: headers
# of slices, tiles and frames, and what a range has less than a block.
LEAST_PROTECTED = 0.5

SOURCE = f'testsrc2=size=192x128:rate={RATE}:duration={PICTURES / RATE}'
NOISE = f'anoisesrc=r=48000:a=0.2:d={PICTURES / RATE}:seed=7[n];sine=440:r=48000:d={PICTURES / RATE}[s];[n][s]amix'
# Several slices, tiles and references; superframes: more than one range a sample.
ENCODERS = {
    'H.264': f'-c:v libx264 -x264-params keyint={GROUP}:scenecut=0:slices=3:bframes=2',
    'H.265': f'-c:v libx265 -tag:v hvc1 -x265-params keyint={GROUP}:scenecut=0:slices=2:bframes=2:log-level=none',
    'AV1': f'-c:v libaom-av1 -cpu-used 8 -g {GROUP} -tiles 2x1 -b:v 400k',
    'VP9': f'-c:v libvpx-vp9 -deadline good -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 12 -g {GROUP} -b:v 400k',
    'AAC': '-c:a aac', 'AC-3': '-c:a ac3', 'E-AC-3': '-c:a eac3', 'Opus': '-c:a libopus', 'FLAC': '-c:a flac',
    'MP3': '-c:a libmp3lame', 'ALAC': '-c:a alac'}
PARSERS = {'H.264': 'h264parse', 'H.265': 'h265parse', 'AV1': 'av1parse', 'VP9': 'vp9parse', 'AAC': 'aacparse',
           'AC-3': 'ac3parse', 'MP3': 'mpegaudioparse'}
MIME = {'H.264': 'avc1.64000a', 'AV1': 'av01.0.00M.08', 'VP9': 'vp09.00.10.08', 'AAC': 'mp4a.40.2',
        'Opus': 'opus', 'FLAC': 'flac'}


# --- making ---

@dataclasses.dataclass
class Files:
    """A case's files: of (protected, clear, kinds)."""
    case: matrix_plan.Case
    directory: pathlib.Path
    files: list
    least: float = LEAST_PROTECTED

    def output(self, name):
        return self.directory / name

    def kinds_of(self, protected):
        return next(kinds for path, _, kinds in self.files if path == protected)

    def keys(self, kind):
        """{KID: key} that the case encrypts it with."""
        keys = ROTATING if self.case.rotates else {k: [pair] for k, pair in KEYS.items()}
        return dict(keys[kind if self.case.by_kind else 'video'])

    @property
    def all_keys(self):
        return {**self.keys('video'), **self.keys('audio')}

    def only_key(self, kind):
        """For ffmpeg, which takes one."""
        return next(iter(self.keys(kind).values()))

    @property
    def key_list(self):
        return ','.join(':'.join(pair) for pair in self.all_keys.items())


def ffmpeg(*arguments):
    return tools.ffmpeg5(*(word for a in arguments for word in (a.split() if isinstance(a, str) else [a])))


def make_elementary(codec, folder):
    path = folder / 'clip.mp4'
    if codec in matrix_plan.VIDEO:
        tools.ffmpeg5('-f', 'lavfi', '-i', SOURCE, '-pix_fmt', 'yuv420p', *ENCODERS[codec].split(), path)
    else:
        tools.ffmpeg5('-filter_complex', NOISE, '-ac', '2', *ENCODERS[codec].split(), '-strict', '-2', path)
    return path


FLAGS = {'moov last': '', 'moov first': '-movflags faststart',
         'fragments by ffmpeg': '-movflags frag_keyframe+delay_moov+default_base_moof'}


def make_clear(case, sources, folder):
    """The clear files of a case, as (path, kinds)."""
    if case.separate:
        whole = source(dataclasses.replace(case, layout='moov first'), sources)[0][0]
        paths = [(folder / f'{kind}.mp4', (kind,)) for kind in KEYS]
        tools.packager(*(f'in={whole},stream={kinds[0]},output={path}' for path, kinds in paths),
                       '--segment_duration', GROUP / RATE, '--fragment_duration', GROUP / RATE)
        return paths
    video, audio = (sources.get((codec,), functools.partial(make_elementary, codec)) for codec in case.codecs)
    path = folder / 'clear.mp4'
    if case.layout in FLAGS:
        ffmpeg('-i', video, '-i', audio, '-c copy -map 0:v -map 1:a -strict -2', FLAGS[case.layout], path)
    else:
        streams = ' '.join(f'filesrc location={name} ! qtdemux ! queue ! {PARSERS[codec] + " ! " if codec in PARSERS else ""}mux.'
                           for name, codec in ((video, case.video), (audio, case.audio)))
        tools.gst(f'mp4mux name=mux fragment-duration={1000 * GROUP // RATE} ! filesink location={path} {streams}')
    return [(path, ('video', 'audio'))]


def source(case, sources):
    return sources.get((case.layout, *case.codecs), lambda folder: make_clear(case, sources, folder))


CPIX = """<CPIX xmlns="urn:dashif:org:cpix" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc">
<ContentKeyList>{keys}</ContentKeyList><ContentKeyPeriodList>{periods}</ContentKeyPeriodList>
<ContentKeyUsageRuleList>{rules}</ContentKeyUsageRuleList></CPIX>"""


def cpix_document():
    """The rotating keys of both kinds, by labels and periods of a second."""
    keys, rules = [], []
    for kind, pairs in ROTATING.items():
        for period, (kid, key) in enumerate(pairs):
            value = base64.b64encode(bytes.fromhex(key)).decode()
            keys.append(f'<ContentKey kid="{uuid.UUID(kid)}"><Data><pskc:Secret><pskc:PlainValue>{value}'
                        '</pskc:PlainValue></pskc:Secret></Data></ContentKey>')
            rules.append(f'<ContentKeyUsageRule kid="{uuid.UUID(kid)}"><LabelFilter label="{LABELS[kind]}"/>'
                         f'<KeyPeriodFilter periodId="p{period}"/></ContentKeyUsageRule>')
    # The last one is as long as the sound may be.
    periods = [f'<ContentKeyPeriod id="p{i}" startOffset="PT{i}S" endOffset="PT{i + 1 if i < 2 else 60}S"/>'
               for i in range(3)]
    return CPIX.format(keys=''.join(keys), periods=''.join(periods), rules=''.join(rules))


def options(case, directory):
    """What cencencrypt gets: the case's scheme and keys."""
    if case.plan == 'track keys':
        keys = 'track-keys=' + ','.join(f'{LABELS[k]}={kid}:{key}' for k, (kid, key) in KEYS.items())
    elif case.plan == 'rotation':
        keys = 'crypto-period=1000000000 period-keys=' + ';'.join(map(':'.join, ROTATING['video']))
    elif case.plan == 'rotating track keys':
        keys = 'crypto-period=1000000000 period-keys=' + ';'.join(
            ','.join(f'{LABELS[kind]}={":".join(ROTATING[kind][i])}' for kind in KEYS) for i in range(3))
    elif case.plan == 'CPIX, periods and labels':
        document = directory / 'keys.xml'
        document.write_text(cpix_document(), encoding='utf-8')
        keys = f'cpix={document}'
    else:
        keys = 'key-id={} key={}'.format(*KEYS['video'])
    # One group and a half: two fragments begin in it.
    lead = f' clear-lead={1500000000 * GROUP // RATE}' if case.plan == 'clear lead' else ''
    return f'scheme={case.scheme} {keys}{lead}'


def encrypt(case, clear, protected):
    tools.gst(f'filesrc location={clear} ! cencencrypt {options(case, protected.parent)} ! filesink location={protected}')


def make(case, sources):
    folder = pathlib.Path(tempfile.mkdtemp(dir=sources.directory))
    made = Files(case, folder, [])
    for number, (clear, kinds) in enumerate(source(case, sources)):
        protected = folder / f'protected{number}.mp4'
        encrypt(case, clear, protected)
        made.files.append((protected, clear, kinds))
    return made


def clean(made):
    """Away with a case's files: a full run makes hundreds of them."""
    for path in made.directory.iterdir():
        path.unlink()
    made.directory.rmdir()


# --- comparing ---

@functools.lru_cache(maxsize=64)
def clear_media(path):
    return Media(path)


def expect_same_bytes(clear, path, kinds):
    """The samples of the file at path are those of the clear one."""
    wanted, got = clear_media(clear), Media(path)
    for kind in kinds:
        one, other = wanted.of_kind(kind), got.of_kind(kind)
        tools.expect_equal(f'{kind}: bytes of samples', [wanted.sample_bytes(s) for s in one.samples],
                           [got.sample_bytes(s) for s in other.samples])


def by_kind(check):
    """A judge that looks at each stream for itself: check (files, protected, clear, kind)."""
    def checked(made, kinds):
        for protected, clear, there in made.files:
            for kind in there:
                if kind in kinds:
                    check(made, protected, clear, kind)
    return checked


# --- the judges ---

def expect_protection(case, track, number, sample):
    """Whether the sample has to be protected, and the file says that it is."""
    if sample.protection is None and case.plan != 'clear lead':
        raise Rejected(f'{track.kind}: sample {number} is not protected')
    return sample.protection is not None


def check_reference(made, kinds):
    """By the standards' letter; no block that the scheme encrypts is clear, and no
    two are encrypted with the same of the key stream."""
    check_samples(made, kinds)
    for protected, _, _ in made.files:
        reference.expect_fresh([s for track in Media(protected).tracks.values() for s in track.samples])


@by_kind
def check_samples(made, protected, clear, kind):
    wanted, got = clear_media(clear), Media(protected)
    one, other = wanted.of_kind(kind), got.of_kind(kind)
    if one.codec != other.codec:
        raise Rejected(f'{kind}: {other.codec} instead of {one.codec}')
    keys = made.keys(kind)
    used = {}  # KIDs in the order they come
    hidden = total = 0
    plain = []
    for number, sample in enumerate(other.samples):
        data = got.sample_bytes(sample)
        kid = sample.protection.kid if sample.protection else None
        if kid and kid not in keys:
            raise Rejected(f'{kind}: sample {number} has the KID {kid}')
        plain.append(reference.decrypted(sample, data, bytes.fromhex(keys.get(kid, ''))))
        if not expect_protection(made.case, other, number, sample):
            continue
        used[kid] = None
        if sample.protection.scheme != made.case.scheme.split('-')[0]:
            raise Rejected(f'{kind}: sample {number} is said to have {sample.protection}')
        blocks, same = reference.block_differences(sample, plain[-1], data)
        if same:
            raise Rejected(f'{kind}: {same} of {blocks} blocks of sample {number} are clear')
        hidden += sum(p for _, p in sample.subsamples or [(0, sample.size)])
        total += sample.size
    tools.expect_equal(f'{kind}: bytes of samples', [wanted.sample_bytes(s) for s in one.samples], plain)
    if list(used) != list(keys)[:max(len(used), len(keys) - 1)]:
        raise Rejected(f'{kind}: KIDs are {list(used)}')
    if hidden < made.least * total or not total:
        raise Rejected(f'{kind}: only {hidden} of {total} bytes are protected')


def check_front(made, kinds):
    """filesrc ! cencdecrypt ! filesink: no byte changes its position."""
    for protected, clear, there in made.files:
        out = made.output('front.mp4')
        tools.gst(f'filesrc location={protected} ! cencdecrypt keys={made.key_list} ! filesink location={out}')
        if out.stat().st_size != protected.stat().st_size:
            raise Rejected('the file has another size')
        expect_same_bytes(clear, out, there)


def samples_behind(protected, keys, wanted):
    """Now and then a run of stock qtdemux misses a stream that is there in the next."""
    for _ in range(3):
        got = players.samples(protected, '--behind', keys)[0]
        if all(name in got and got[name]['samples'] for name in wanted):
            break
    return got


def expect_samples_behind(made, kinds):
    for protected, clear, _ in made.files:
        wanted = players.clear_samples(clear)[0]
        got = samples_behind(protected, made.key_list, wanted)
        if wanted.keys() != got.keys():
            raise Rejected(f'streams {list(got)} instead of {list(wanted)}')
        for name, stream in wanted.items():
            if name.split('_')[0] not in kinds:
                continue
            tools.expect_equal(f'{name}: samples', stream['samples'], got[name]['samples'])
            missing = set(stream['caps'].split(', ')) - set(got[name]['caps'].split(', '))
            if missing:
                raise Rejected(f'{name}: the caps are without {missing}')


def check_behind(made, kinds):
    """qtdemux ! cencdecrypt: qtdemux's samples of the clear file, or an error; what
    stock qtdemux does not tell of a sample, cencdecrypt cannot know."""
    players.or_refused(expect_samples_behind, made, kinds)


@by_kind
def check_ffmpeg5(made, protected, clear, kind):
    out = made.output('ffmpeg5.mp4')
    tools.ffmpeg5('-decryption_key', made.only_key(kind), '-i', protected, '-map', f'0:{kind[0]}', '-c', 'copy',
                  '-strict', '-2', out)
    expect_same_bytes(clear, out, [kind])


@by_kind
def check_ffmpeg7(made, protected, clear, kind):
    out = made.output('ffmpeg7.mp4')
    tools.ffmpeg7('-decryption_key', made.only_key(kind), '-i', protected, '-map', f'0:{kind[0]}', '-c', 'copy',
                  '-strict', '-2', '-f', 'mp4', out)
    expect_same_bytes(clear, out, [kind])


@by_kind
def check_shaka(made, protected, clear, kind):
    out = made.output('shaka.mp4')
    keys = [f'label={i}:key_id={kid}:key={key}' for i, (kid, key) in enumerate(made.all_keys.items())]
    tools.packager(f'in={protected},stream={kind},output={out}', '--enable_raw_key_decryption',
                   '--keys', ','.join(keys))
    expect_same_bytes(clear, out, [kind])


def check_other(decrypt):
    """A judge of matrix_others: decrypt (files, protected, out)."""
    def check(made, kinds):
        out = made.output('other.mp4')
        for protected, clear, there in made.files:
            wanted = [kind for kind in there if kind in kinds]
            if wanted:
                decrypt(made, protected, out)
                expect_same_bytes(clear, out, wanted)
    return check


def check_chromium(made, kinds):
    """Chromium gives no samples: it has to play every picture to the end."""
    codec = {kind: MIME[getattr(made.case, kind)] for kind in kinds}
    tracks = [(protected, [codec[kind] for kind in there if kind in kinds])
              for protected, _, there in made.files if set(there) & set(kinds)]
    report = chromium.play(tracks, made.all_keys, made.case.scheme)
    if not report['ended']:
        raise Rejected(f"{report['error']}, after {report['frames']} pictures")
    if 'video' in kinds and report['frames'] != PICTURES:
        raise Rejected(f"{report['frames']} pictures played instead of {PICTURES}")


# --- of what they cannot say anything, and why ---

NO_PIFF = 'knows no PIFF'


def broken_av1(case):
    """Whether the clear file already is one that others refuse."""
    if case.layout == 'fragments by mp4mux' and case.video == 'AV1':
        return "refuses the av1C of mp4mux 1.22, which has no version"
    return None


def excuse_behind(case, kind):
    if getattr(case, kind) in ('ALAC', 'FLAC'):
        return 'of protected ALAC and FLAC, qtdemux 1.22 leaves the configuration out of the caps'
    if case.scheme == 'cbcs' and case.plan == 'clear lead' and kind == 'audio':
        return 'qtdemux 1.22.0 does not tell the clear lead of sound in cbcs from what is encrypted'
    return None


def excuse_ffmpeg(case, kind):
    if case.scheme.startswith('piff'):
        return NO_PIFF
    if case.rotates:
        return 'takes one key, and knows no sample groups'
    if case.scheme == 'cens' and kind == 'audio':
        return 'takes the last partial block of a whole sample for encrypted; cens leaves it clear'
    return None


def excuse_shaka(case, kind):
    if case.scheme.startswith('piff'):
        return NO_PIFF
    if not case.fragmented:
        return 'reads fragmented files only'
    if case.rotates:
        return 'knows no sample groups when it decrypts'
    if case.audio == 'MP3':
        return 'reads no file with MP3'
    if case.scheme in ('cens', 'cbcs') and not case.separate and not case.by_kind:
        return 'keeps one pattern for a KID, for picture and sound in one file'
    return broken_av1(case)


def excuse_chromium(case, kind):
    if case.scheme not in ('cenc', 'cbcs'):
        return 'knows cenc and cbcs'
    if not case.fragmented:
        return 'takes fragments only (MSE)'
    if case.layout == 'fragments by mp4mux' and case.audio == 'Opus':
        return "takes no dOps of mp4mux 1.22, which has the wrong byte order, of clear files either"
    # In one file, both have to be played.
    wanted = [getattr(case, kind)] if case.separate else case.codecs
    unknown = [codec for codec in wanted if codec not in MIME]
    return f"Debian's plays no {unknown[0]} by EME" if unknown else broken_av1(case)


def never(case, kind):
    return None


@dataclasses.dataclass(frozen=True)
class Judge:
    name: str
    check: object       # (Files, kinds): raises Rejected
    excuse: object      # (case, kind): None, or why it is not asked
    slow: bool = False  # not asked of everything in a short run
    program: object = None  # in matrix_others: need not be installed

    @property
    def here(self):
        return self.program is None or matrix_others.find(self.program) is not None


JUDGES = (
    Judge('reference', check_reference, never),
    Judge('cencdecrypt', check_front, never),
    Judge('behind qtdemux', check_behind, excuse_behind, slow=True),
    Judge('ffmpeg 5.1', check_ffmpeg5, excuse_ffmpeg),
    Judge('ffmpeg 7.1', check_ffmpeg7, excuse_ffmpeg),
    Judge('shaka-packager', check_shaka, excuse_shaka),
    Judge('Chromium', check_chromium, excuse_chromium, slow=True),
    Judge('GPAC', check_other(matrix_others.mp4box), matrix_others.excuse_gpac, program=matrix_others.MP4BOX),
    Judge('Bento4', check_other(matrix_others.mp4decrypt), matrix_others.excuse_bento4,
          program=matrix_others.MP4DECRYPT))


def questions(cases, excused=False, short=False, judges=None):
    """[(case, [(judge, kinds)])]: who is asked of which streams, of judges, or of
    those who are installed. short: slow judges only where they meet a codec of that
    scheme for the first time."""
    plan, met = [], set()
    if judges is None:
        judges = [judge for judge in JUDGES if judge.here]
    for case in cases:
        asked = []
        for judge in judges:
            kinds = [kind for kind in KEYS if (judge.excuse(case, kind) is not None) == excused]
            new = {(judge.name, getattr(case, kind)) for kind in kinds} - met
            if kinds and not (short and judge.slow and not new):
                asked.append((judge, kinds))
                met |= new
        plan.append((case, asked))
    return plan
