# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the tables of an MP4, progressive or fragmented, by the letter of
ISO/IEC 14496-12 and independently of the code under test: for each track its
samples in decoding order, with exact times, and whether the tables add up."""
import dataclasses
import hashlib
import pathlib
import struct
from fractions import Fraction

CONTAINERS = {b'moov', b'trak', b'mdia', b'minf', b'stbl', b'edts', b'mvex', b'moof', b'traf'}


class Broken(Exception):
    """What does not add up."""


def require(condition, text):
    if not condition:
        raise Broken(text)


@dataclasses.dataclass
class Sample:
    offset: int
    size: int
    dts: int             # in the track's timescale, of the media
    duration: int
    composition: int
    sync: bool
    description: int     # from 1
    md5: str = ''


@dataclasses.dataclass
class Track:
    id: int
    handler: bytes
    timescale: int
    entries: list        # the sample descriptions, each as bytes
    edits: list          # (duration in the movie's timescale, media time)
    media_duration: int
    samples: list = dataclasses.field(default_factory=list)

    @property
    def shift(self):
        """The media time at which the presentation begins."""
        return self.edits[-1][1] if self.edits else 0

    def time(self, sample):
        """When sample is shown, in seconds: a Fraction."""
        return Fraction(sample.dts + sample.composition - self.shift, self.timescale)


class Tables:
    """The file at path. A box is (type, start, where its body starts, end)."""

    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        self.top = list(self.boxes(0, len(self.data)))
        moov = self.find(self.top, b'moov')
        require(len(moov) == 1, f'{len(moov)} moov')
        self.moov = list(self.boxes(*moov[0][2:]))
        mvhd = self.one(self.moov, b'mvhd')
        self.movie_timescale = self.u32(mvhd + (20 if self.data[mvhd] else 12))
        # Of creation and of modification.
        self.dates = self.data[mvhd + 4:mvhd + (20 if self.data[mvhd] else 12)]
        self.tracks = [self.track(list(self.boxes(*b[2:]))) for b in self.find(self.moov, b'trak')]
        self.fragments = self.find(self.top, b'moof')
        for moof in self.fragments:
            self.fragment(moof)
        self.check_media()

    def u32(self, at):
        return struct.unpack_from('>I', self.data, at)[0]

    def i32(self, at):
        return struct.unpack_from('>i', self.data, at)[0]

    def u64(self, at):
        return struct.unpack_from('>Q', self.data, at)[0]

    def boxes(self, at, end):
        """(type, start, body, end) of the boxes at one level."""
        while at < end:
            require(at + 8 <= end, f'{end - at} stray bytes at {at}')
            size, kind, body = self.u32(at), self.data[at + 4:at + 8], at + 8
            if size == 1:
                size, body = self.u64(at + 8), at + 16
            require(size >= body - at and at + size <= end, f'{kind} at {at} has the size {size}')
            yield kind, at, body, at + size
            at += size

    def find(self, boxes, *path):
        found = boxes
        for kind in path:
            found = [b for b in found if b[0] == kind]
            if kind != path[-1]:
                found = [c for b in found for c in self.boxes(b[2], b[3])]
        return found

    def one(self, boxes, *path):
        """Where the body of the only box at path starts."""
        found = self.find(boxes, *path)
        require(len(found) == 1, f"{len(found)} {b'/'.join(path).decode()}")
        return found[0][2]

    def list(self, stbl, kind, fields):
        """The entries of a table: version and flags, a count, the entries."""
        found = self.find(stbl, kind)
        if not found:
            return None
        body, end = found[0][2:]
        count, width = self.u32(body + 4), struct.calcsize(fields)
        require(body + 8 + count * width == end, f'{kind.decode()} has not {count} entries')
        return list(struct.iter_unpack(fields, self.data[body + 8:end]))

    def track(self, trak):
        tkhd = self.one(trak, b'tkhd')
        mdia = list(self.boxes(*self.find(trak, b'mdia')[0][2:]))
        mdhd = self.one(mdia, b'mdhd')
        wide = self.data[mdhd] == 1
        stbl = list(self.boxes(*self.find(mdia, b'minf', b'stbl')[0][2:]))
        stsd = self.find(stbl, b'stsd')[0]
        track = Track(self.u32(tkhd + (20 if self.data[tkhd] else 12)),
                      self.data[self.one(mdia, b'hdlr') + 8:][:4], self.u32(mdhd + (20 if wide else 12)),
                      [self.data[b[1]:b[3]] for b in self.boxes(stsd[2] + 8, stsd[3])], self.edits(trak),
                      self.u64(mdhd + 24) if wide else self.u32(mdhd + 16))
        require(self.u32(stsd[2] + 4) == len(track.entries), 'stsd counts wrongly')
        track.samples = self.samples(stbl)
        return track

    def edits(self, trak):
        found = self.find(trak, b'edts', b'elst')
        if not found:
            return []
        body, end = found[0][2:]
        fields = '>QqI' if self.data[body] else '>IiI'
        edits = list(struct.iter_unpack(fields, self.data[body + 8:end]))
        require(self.u32(body + 4) == len(edits), 'elst counts wrongly')
        require(all(rate == 0x10000 for _, _, rate in edits), 'an edit has another rate')
        return [(duration, time) for duration, time, _ in edits]

    def samples(self, stbl):
        """The samples of a progressive track."""
        stsz = self.one(stbl, b'stsz')
        same, count = self.u32(stsz + 4), self.u32(stsz + 8)
        sizes = [same or self.u32(stsz + 12 + 4 * i) for i in range(count)]
        durations = [d for n, d in self.list(stbl, b'stts', '>II') for _ in range(n)]
        version = self.data[self.find(stbl, b'ctts')[0][2]] if self.find(stbl, b'ctts') else 0
        offsets = [o for n, o in self.list(stbl, b'ctts', '>Ii' if version else '>II') or [(count, 0)]
                   for _ in range(n)]
        syncs = self.list(stbl, b'stss', '>I')
        syncs = set(range(1, count + 1)) if syncs is None else {number for number, in syncs}
        require(len(durations) == len(offsets) == count, 'stts, ctts and stsz count differently')
        samples, dts = [], 0
        for number, (place, size) in enumerate(zip(self.places(stbl, sizes), sizes)):
            samples.append(Sample(place[0], size, dts, durations[number], offsets[number],
                                  number + 1 in syncs, place[1]))
            dts += durations[number]
        return samples

    def places(self, stbl, sizes):
        """(offset, description) of each sample."""
        chunks = self.list(stbl, b'stco', '>I')
        chunks = [o for o, in (self.list(stbl, b'co64', '>Q') if chunks is None else chunks)]
        runs = self.list(stbl, b'stsc', '>III') + [(len(chunks) + 1, 0, 0)]
        places = []
        for (first, count, description), (end, _, _) in zip(runs, runs[1:]):
            for chunk in range(first, end):
                at = chunks[chunk - 1]
                for _ in range(count):
                    places.append((at, description))
                    at += sizes[len(places) - 1]
        require(len(places) == len(sizes), f'chunks hold {len(places)} samples of {len(sizes)}')
        return places

    def fragment(self, moof):
        for traf in self.find(list(self.boxes(*moof[2:])), b'traf'):
            self.run(moof, list(self.boxes(*traf[2:])))

    def run(self, moof, traf):
        tfhd = self.one(traf, b'tfhd')
        flags = self.u32(tfhd) & 0xffffff
        track = next(t for t in self.tracks if t.id == self.u32(tfhd + 4))
        base, at = moof[1], tfhd + 8
        if flags & 1:
            base, at = self.u64(at), at + 8
        trex = next(b[2] for b in self.find(self.moov, b'mvex', b'trex') if self.u32(b[2] + 4) == track.id)
        defaults = [self.u32(trex + 8 + 4 * i) for i in range(4)]  # description, duration, size, flags
        for i, bit in enumerate((2, 8, 0x10, 0x20)):
            if flags & bit:
                defaults[i], at = self.u32(at), at + 4
        tfdt = self.one(traf, b'tfdt')
        dts = self.u64(tfdt + 4) if self.data[tfdt] else self.u32(tfdt + 4)
        for trun in self.find(traf, b'trun'):
            dts = self.trun(track, trun, base, defaults, dts)

    def trun(self, track, trun, base, defaults, dts):
        body, end = trun[2:]
        version, flags, count = self.data[body], self.u32(body) & 0xffffff, self.u32(body + 4)
        require(flags & 1, 'a trun without a data offset')
        offset, at, first = base + self.i32(body + 8), body + 12, None
        if flags & 4:
            first, at = self.u32(at), at + 4
        for number in range(count):
            values = [defaults[1], defaults[2], first if number == 0 and first is not None else defaults[3], 0]
            for i, bit in enumerate((0x100, 0x200, 0x400, 0x800)):
                if flags & bit:
                    values[i], at = (self.i32(at) if bit == 0x800 and version else self.u32(at)), at + 4
            sync = not values[2] & 0x10000
            track.samples.append(Sample(offset, values[1], dts, values[0], values[3], sync, defaults[0]))
            offset, dts = offset + values[1], dts + values[0]
        require(at == end, f'a trun at {trun[1]} does not end with its samples')
        return dts

    def check_media(self):
        """Every sample lies in an mdat, and no two share a byte; takes their MD5s."""
        mdats = [b[2:] for b in self.top if b[0] == b'mdat']
        for track in self.tracks:
            for sample in track.samples:
                end = sample.offset + sample.size
                require(any(low <= sample.offset and end <= high for low, high in mdats),
                        f'a sample at {sample.offset} is in no mdat')
                require(1 <= sample.description <= len(track.entries), f'there is no description {sample.description}')
                sample.md5 = hashlib.md5(self.data[sample.offset:end]).hexdigest()

    def of(self, handler):
        return [t for t in self.tracks if t.handler == handler]
