# SPDX-License-Identifier: LGPL-2.1-or-later
"""The playlists, and what has to come of each: which pictures of which source,
and with whose sound."""
import dataclasses
from fractions import Fraction


@dataclasses.dataclass
class Part:
    """A clip of the title: pictures first … last - 1 of source, counted as they are
    shown, and the sound of the same source, of another (sound), or none ('')."""
    source: str
    first: int
    last: int
    sound: str = None

    @property
    def heard(self):
        return self.source if self.sound is None else self.sound


@dataclasses.dataclass
class Case:
    name: str
    body: str
    parts: list                  # of Part; with several video tracks, for each a list
    seconds: Fraction
    entries: int = 1             # sample descriptions of the picture
    head: str = ''
    properties: str = ''
    says: tuple = ()             # warnings beside that of several descriptions
    fragments: tuple = None      # (parts, seconds, warnings), where fragments cannot be cut as exactly
    plain: str = 'mixed'         # the set of which Chromium plays the file as it is; None: neither
    browser: tuple = ('MSE', 'file')
    decoders: tuple = ('ffmpeg', 'qtdemux')  # who gives all pictures
    extra: dict = dataclasses.field(default_factory=dict)  # handler: [(time, duration, the samples' beginning)]

    def tracks(self, fragmented=False):
        parts = self.fragments[0] if fragmented and self.fragments else self.parts
        return parts if isinstance(parts[0], list) else [parts]

    def lasts(self, fragmented=False):
        return self.fragments[1] if fragmented and self.fragments else self.seconds

    def warnings(self, fragmented, uniform):
        found = list(self.fragments[2] if fragmented and self.fragments else self.says)
        if self.entries > 1 and not uniform:
            found.append(f'the video has {self.entries} sample descriptions')
        return found

    def frames(self, fragmented=False):
        return sum(part.last - part.first for part in self.tracks(fragmented)[0])

    def document(self):
        return (f'<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head>{self.head}</head>'
                f'<body>{self.body}</body></smil>')


@dataclasses.dataclass
class Refusal:
    """A playlist that ends in an error, and what that has to say."""
    name: str
    document: str
    says: list
    properties: str = ''


def wall(time):
    return f'wallclock(1970-01-01T00:00:{time:06.3f}Z)'


def video(name, begin=None, end=None, more=''):
    attributes = ''
    if begin is not None:
        attributes += f' clipBegin="{wall(begin)}"'
    if end is not None:
        attributes += f' clipEnd="{wall(end)}"'
    return f'<video src="{name}.mp4"{attributes}{more}/>'


def events(*items):
    inside = ''.join(f'<Event presentationTime="{time}" duration="{duration}" id="{number}">'
                     '<Signal xmlns="http://www.scte.org/schemas/35/2016"><SpliceInfoSection><SpliceInsert/>'
                     '</SpliceInfoSection></Signal></Event>' for time, duration, number in items)
    return ('<EventStream xmlns="urn:mpeg:dash:schema:mpd:2011" schemeIdUri="urn:scte:scte35:2013:xml" '
            f'timescale="1000">{inside}</EventStream>')


ARCHIVE = ''.join(video(f'archive{i}') for i in range(4))
ARCHIVE_SPAN = 'clipBegin="wallclock(2022-01-01T00:00:03.000Z)" clipEnd="wallclock(2022-01-01T00:00:17.000Z)"'
MIDROLL = '<seq>' + video('A5') + video('M', 0, 6) + video('A3') + video('M', 6, 12) + '</seq>'
MIDROLL_PARTS = [Part('A5', 0, 125), Part('M', 0, 150), Part('A3', 0, 75), Part('M', 150, 300)]
PAR_ONE = '<par clipBegin="4s" clipEnd="10s">' + video('video') + video('audio') + '</par>'
EMPTY = b'\0\0\0\x08embe'
NO_CUE = b'\0\0\0\x08vtte'
CUE = b'\0\0\0\x27vttc'
EMSG = b'emsg\0\0\0\0urn:scte:scte35:2013:xml\0'

CASES = [
    Case('1 pre-roll, feature, mid-roll, feature', MIDROLL, MIDROLL_PARTS, Fraction(20), entries=3, plain='uniform'),
    Case('2 bumper', '<seq>' + video('A5') + video('M', end=10) + '</seq>',
         [Part('A5', 0, 125), Part('M', 0, 250)], Fraction(15), entries=2, plain='uniform'),
    Case('3 within GOPs', video('M', 3, 9), [Part('M', 50, 200)], Fraction(6)),
    Case('4 exact at the start', video('M', 3, 9, ' clipMode="sample"'), [Part('M', 75, 225)], Fraction(6),
         fragments=([Part('M', 75, 200)], Fraction(5), ['clipEnd at 9.000 s']),
         browser=('file',)),  # by MSE the pictures up to the first keyframe that is shown are not
    Case('6 frame rates', '<seq>' + video('A5') + video('N') + video('M', end=4) + '</seq>',
         [Part('A5', 0, 125), Part('N', 0, 120), Part('M', 0, 100)], Fraction(13004, 1000), entries=3, plain='uniform'),
    Case('7 twenty joins', '<seq>' + video('A3') * 20 + '</seq>', [Part('A3', 0, 75)] * 20, Fraction(60)),
    Case('8 outputDescription', '<seq>' + video('A5') + video('M', end=4) + '</seq>',
         [Part('A5', 0, 125), Part('M', 0, 100)], Fraction(9), entries=2, plain='uniform',
         head='<meta name="outputDescription" content="M.mp4"/>'),
    Case('9 tracks in files of their own, then in one', PAR_ONE + video('A5'),
         [Part('video', 100, 250, 'audio'), Part('A5', 0, 125)], Fraction(11), entries=2, plain='uniform'),
    Case('10 three bitrates, then in one file',
         '<par>' + video('low') + video('middle') + video('high') + video('audio', end=4) + '</par>' + video('all'),
         [[Part(name, 0, 100, 'audio'), Part(name, 0, 100, 'all')] for name in ('low', 'middle', 'high')],
         Fraction(8), browser=()),
    Case('11 tracks swapped', video('A3') + video('swapped') + video('A3'),
         [Part('A3', 0, 75), Part('swapped', 0, 125), Part('A3', 0, 75)], Fraction(11), entries=2, plain='uniform'),
    Case('12 silence', video('A5') + video('mute') + video('M', end=2),
         [Part('A5', 0, 125), Part('mute', 0, 75, ''), Part('M', 0, 50)], Fraction(10), entries=3, plain='uniform'),
    Case('15 archive', f'<seq isContinuous="true" {ARCHIVE_SPAN}>{ARCHIVE}</seq>', [Part('G', 75, 425)], Fraction(14)),
    Case('17 beyond the end', '<video src="A5.mp4" clipEnd="60s"/>', [Part('A5', 0, 125)], Fraction(5)),
    Case('18 end at an open GOP', video('O', 0, 4) + video('A3'), [Part('O', 0, 101), Part('A3', 0, 75)],
         Fraction(704, 100), entries=2, says=['clip 1 (line 1, column 73): clipEnd is at an open GOP'], plain=None),
    # Not an IDR picture: ffmpeg goes on with the order of the clip before, and drops some.
    Case('18 begin at an open GOP', video('A3') + video('O', 4), [Part('A3', 0, 75), Part('O', 100, 250)], Fraction(9),
         entries=2, browser=(), decoders=('qtdemux',), says=('clip 2 (line 1, column 94): the clip starts at an open GOP',)),
    # Its pictures that lead are references, and are missed.
    Case('18 begin at an open GOP with a pyramid', video('Q', 2), [Part('Q', 50, 150)], Fraction(4),
         browser=(), decoders=('ffmpeg',)),
    Case('19 events', '<par clipBegin="3s" clipEnd="9s">' + video('M') + events((1000, 2000, 7)) + '</par><par>' +
         video('A5') + events((2000, 1500, 9)) + '</par>', [Part('M', 50, 200), Part('A5', 0, 125)], Fraction(11),
         entries=2, plain='uniform',
         extra={b'meta': [(0, 1, EMPTY), (1, 2, EMSG), (3, 5, EMPTY), (8, Fraction(3, 2), EMSG),
                          (Fraction(19, 2), Fraction(3, 2), EMPTY)]}),
    Case('20 events alone', video('A5') + '<par>' + events((0, 1000, 1)) + '</par>' + video('A3'),
         [Part('A5', 0, 125), Part('A3', 0, 75)], Fraction(8), entries=2, plain='uniform',
         extra={b'meta': [(0, 5, EMPTY), (5, 1, EMSG), (6, 2, EMPTY)]}),
    Case('21 reordering', video('A3') + video('M', end=4) + video('P') + video('A3'),
         [Part('A3', 0, 75), Part('M', 0, 100), Part('P', 0, 100), Part('A3', 0, 75)], Fraction(14), entries=3,
         plain=None),
    Case('22 picture sizes', video('S') + video('L'), [Part('S', 0, 25), Part('L', 0, 25)], Fraction(2), entries=2,
         plain=None),
    Case('text', video('cues', end=4) + video('A3') + video('cues', 6, 8),
         [Part('cues', 0, 100), Part('A3', 0, 75), Part('cues', 150, 200)], Fraction(9), entries=2, browser=(),
         extra={b'sbtl': [(0, 1, b'\0\0'), (1, 2, b'\0\3one'), (3, 1, b'\0\0'), (4, 3, b'\0\0'), (7, 1, b'\0\3two'),
                          (8, 1, b'\0\0')]}),
    Case('Smooth Streaming', '<video src="smooth.ismv" clipEnd="8s"/>' + video('A3') + '<par clipBegin="2s" clipEnd="4s">'
         '<video src="smooth.ismv"/><audio src="smooth.isma"/></par>',
         [Part('M', 0, 200), Part('A3', 0, 75), Part('M', 50, 100)], Fraction(13), entries=2, browser=()),
    Case('Smooth Streaming archive', '<seq isContinuous="true" clipBegin="wallclock(2022-01-01T00:00:02Z)" '
         'clipEnd="wallclock(2022-01-01T00:00:06Z)"><video src="smooth0.ismv"/><video src="smooth1.ismv"/></seq>',
         [Part('M', 50, 150)], Fraction(4), browser=()),
    Case('QuickTime', video('A5') + '<video src="quicktime.mov"/>', [Part('A5', 0, 125), Part('A3', 0, 75)], Fraction(8),
         entries=2, browser=()),
    Case('CMAF, tracks in files of their own', '<par clipBegin="2s" clipEnd="6s"><video src="cmaf-video.mp4"/>'
         '<audio src="cmaf-audio.mp4"/></par>' + video('A3'),
         [Part('M', 50, 150), Part('A3', 0, 75)], Fraction(7), entries=2, browser=()),
    Case('WebVTT', '<par>' + video('M', end=4) + '<text src="wvtt.mp4"/></par>' + video('A3') + '<par>' +
         video('M', 4, 8) + '<textstream src="wvtt.mp4" clipBegin="npt=4s"/></par>',
         [Part('M', 0, 100), Part('A3', 0, 75), Part('M', 100, 200)], Fraction(11), entries=2, browser=(),
         extra={b'text': [(0, 1, NO_CUE), (1, 2, CUE), (3, 1, NO_CUE), (4, 3, NO_CUE), (7, 1, NO_CUE), (8, 1, CUE),
                          (9, 1, CUE), (10, 1, NO_CUE)]}),
    Case('Remix: bumper and 30 s', '<seq>' + video('A5') + video('F', 0, 30) + '</seq>',
         [Part('A5', 0, 125), Part('F', 0, 750)], Fraction(35), entries=2, plain='uniform'),
    Case('Remix: pre- and mid-roll, outputDescription',
         '<seq>' + video('A5') + video('F', 0, 10) + video('A3') + video('F', 10, 20) + '</seq>',
         [Part('A5', 0, 125), Part('F', 0, 250), Part('A3', 0, 75), Part('F', 250, 500)], Fraction(28), entries=3,
         plain='uniform', head='<meta name="outputDescription" content="F.mp4"/>'),
    Case('Remix: par of bitrates', '<seq><par clipBegin="wallclock(1970-01-01T00:00:02.000)" '
         'clipEnd="wallclock(1970-01-01T00:00:04.000)">' + video('low') + video('middle') + video('high') +
         '<audio src="audio.mp4"/></par></seq>',
         [[Part(name, 50, 100, 'audio')] for name in ('low', 'middle', 'high')], Fraction(2), browser=()),
    Case('Remix: archive of four segments, with an intermission',
         '<seq><seq isContinuous="true" clipBegin="wallclock(2022-01-01T00:00:04)" '
         f'clipEnd="wallclock(2022-01-01T00:00:11)">{ARCHIVE}</seq>{video("A3")}<seq isContinuous="true" '
         'clipBegin="wallclock(2022-01-01T01:00:11+01:00)" clipEnd="wallclock(2022-01-01T00:00:16,000Z)">'
         f'{ARCHIVE}</seq></seq>',
         [Part('G', 100, 275), Part('A3', 0, 75), Part('G', 275, 400)], Fraction(15), entries=2, plain=None),
]


def smil(body):
    return f'<smil><body>{body}</body></smil>'


ENTITIES = ''.join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "laugh"}">' for i in range(10))

REFUSALS = [
    Refusal('13 another sample rate', smil(video('A5') + '\n' + video('slow')),
            ['clip 2 (line 2, column 1)', 'slow.mp4', 'AAC 44100 Hz, 2 channels', 'AAC 48000 Hz, 2 channels']),
    Refusal('13 mono', smil(video('A5') + '\n' + video('mono')),
            ['clip 2 (line 2, column 1)', 'mono.mp4', 'AAC 48000 Hz, 1 channel', 'AAC 48000 Hz, 2 channels']),
    Refusal('13 another codec', smil(video('A5') + video('other')), ['clip 2', 'other.mp4', 'H.264 160x90']),
    Refusal('16 a segment is missing', smil(f'<seq isContinuous="true" {ARCHIVE_SPAN}>' + video('archive0') +
                                            video('archive2') + video('archive3') + '</seq>'),
            ['archive2.mp4', '1640995210', 'archive0.mp4', '1640995205', 'missing']),
    Refusal('17 clip on par and on seq', smil('<seq clipEnd="3s"><par clipBegin="1s">' + video('A5') + '</par></seq>'),
            ['clip attributes here and', 'line 1']),
    Refusal('17 begin at end', smil('<video src="A5.mp4" clipBegin="3s" clipEnd="3s"/>'), ['line 1', 'clipEnd']),
    Refusal('17 begin behind the end', smil('<video src="A5.mp4" clipBegin="6s"/>'),
            ['clip 1', 'the video goes from 0.000 s to 5.000 s']),
    Refusal('23 DOCTYPE', '<!DOCTYPE smil SYSTEM "file:///etc/passwd"><smil/>', ['DOCTYPE']),
    Refusal('23 billion laughs', f'<!DOCTYPE smil [{ENTITIES}]><smil>&l9;</smil>', ['DOCTYPE']),
    Refusal('23 2 MiB', '<smil>' + ' ' * (2 << 20) + '</smil>', ['a playlist of 1048577 bytes; the limit is 1048576']),
    Refusal('23 depth 1,000', '<smil>' + '<seq>' * 999, ['nested deeper']),
    Refusal('23 100,000 clips', smil('<ref/>' * 100000), ['more than 10000 clips']),
    Refusal('more sources than may be', smil(video('A5') + video('A3')), ['line 1, column 34', 'more than 1 sources'],
            'max-sources=1'),
    Refusal('a moov larger than may be', smil(video('A5')), ['A5.mp4', 'moov at', 'more than 1024 bytes'],
            'max-moov-size=1024'),
    Refusal('moofs larger than may be', smil(video('archive0')), ['archive0.mp4', 'moof at', 'more than 2000 bytes'],
            'max-moov-size=2000'),
    Refusal('a scheme that may not be', smil('<video src="http://127.0.0.1:1/a.mp4"/>'),
            ['http://127.0.0.1:1/a.mp4 is refused', 'allowed-schemes'], 'allowed-schemes=file'),
    Refusal('TTML', smil('<par>' + video('A5') + '<text src="stpp.mp4"/></par>'),
            ['clip 1 (line 1', 'text as TTML (stpp) cannot be remixed']),
    Refusal('sound that only a later clip has', smil(video('mute') + '\n' + video('A3')),
            ['clip 2 (line 2, column 1)', 'A3.mp4: its audio (AAC 48000 Hz, 2 channels) is left out'], 'strict=true'),
    Refusal('text that only a later clip has', smil(video('A5') + video('cues')),
            ['clip 2', 'cues.mp4: its text (timed text (tx3g)) is left out'], 'strict=true'),
    Refusal('a source that is not there', smil(video('A5') + '\n' + video('none')), ['none.mp4', 'No such file']),
]
