# SPDX-License-Identifier: LGPL-2.1-or-later
"""The factors of the matrix, their values, which do not go together, and the two
selections: everything, and every pair of values once."""
import dataclasses
import itertools

SCHEMES = ('cenc', 'cens', 'cbc1', 'cbcs', 'piff', 'piff-cbc')
VIDEO = ('H.264', 'H.265', 'AV1', 'VP9')
AUDIO = ('AAC', 'AC-3', 'E-AC-3', 'Opus', 'FLAC', 'MP3', 'ALAC')
FRAGMENTED = ('fragments by mp4mux', 'fragments by ffmpeg', 'fragments by shaka-packager')
PROGRESSIVE = ('moov last', 'moov first')
LAYOUTS = FRAGMENTED + PROGRESSIVE
PLANS = ('one key', 'track keys', 'clear lead', 'rotation', 'rotating track keys', 'CPIX, periods and labels')
ROTATING = PLANS[3:]

# What another program that makes the clear file cannot put there.
CANNOT_MUX = {
    'fragments by mp4mux': {'VP9': 'mp4mux 1.22.0 crashes', 'AC-3': 'mp4mux 1.22.0 leaves the moof out',
                            'E-AC-3': 'mp4mux 1.22 takes none', 'FLAC': 'mp4mux 1.22 takes none'},
    'fragments by shaka-packager': {'MP3': 'shaka-packager 3.4 reads none'},
}


@dataclasses.dataclass(frozen=True)
class Case:
    scheme: str
    video: str
    audio: str
    layout: str
    plan: str

    def __str__(self):
        return f'{self.scheme}, {self.video} and {self.audio}, {self.layout}, {self.plan}'

    @property
    def codecs(self):
        return [self.video, self.audio]

    @property
    def fragmented(self):
        return self.layout in FRAGMENTED

    @property
    def separate(self):
        """A file for the picture, another one for the sound."""
        return self.layout == 'fragments by shaka-packager'

    @property
    def rotates(self):
        return self.plan in ROTATING

    @property
    def by_kind(self):
        """Whether picture and sound have keys of their own."""
        return self.plan in ('track keys', *ROTATING[1:])


def refused(scheme, layout, plan):
    """Why cencencrypt does not do this, and ends in an error."""
    if plan in ROTATING and scheme.startswith('piff'):
        return 'PIFF has no sample groups'
    return None


def muxable(codecs, layout):
    return [c for c in codecs if c not in CANNOT_MUX.get(layout, {})]


def everything():
    """Scheme × codec × layout × plan; codecs meet in pairs, each at least once."""
    cases = []
    for scheme, layout, plan in itertools.product(SCHEMES, LAYOUTS, PLANS):
        if refused(scheme, layout, plan):
            continue
        video, audio = muxable(VIDEO, layout), muxable(AUDIO, layout)
        for i in range(max(len(video), len(audio))):
            cases.append(Case(scheme, video[i % len(video)], audio[i % len(audio)], layout, plan))
    return cases


def candidates():
    for scheme, layout, plan in itertools.product(SCHEMES, LAYOUTS, PLANS):
        if not refused(scheme, layout, plan):
            for video, audio in itertools.product(muxable(VIDEO, layout), muxable(AUDIO, layout)):
                yield Case(scheme, video, audio, layout, plan)


def selection():
    """As few cases as a greedy choice finds, in which all pairs of values meet."""
    pairs = {case: set(itertools.combinations(dataclasses.astuple(case), 2)) for case in candidates()}
    missing = set().union(*pairs.values())
    chosen = []
    while missing:
        best = max(pairs, key=lambda case: len(pairs[case] & missing))
        missing -= pairs[best]
        chosen.append(best)
    return chosen
