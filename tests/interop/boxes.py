# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads a fragmented, protected MP4 by the standards' letter, independently of
the code under test, and says what does not add up. ISO/IEC 14496-12 for the
boxes and offsets, ISO/IEC 23001-7 for the protection."""
import dataclasses
import pathlib
import struct

CONTAINERS = {b'moov', b'trak', b'mdia', b'minf', b'stbl', b'moof', b'traf', b'mfra', b'mvex',
              b'sinf', b'schi'}
# Bytes of a sample entry before its child boxes.
ENTRY_HEADER = {b'encv': 78, b'avc1': 78, b'avc3': 78, b'hvc1': 78, b'hev1': 78,
                b'enca': 28, b'mp4a': 28}
COMMON_SYSTEM = '1077efecc0b24d02ace33c1e52e2fb4b'


class Broken(Exception):
    """What does not add up, with its offset."""


def require(condition, text):
    if not condition:
        raise Broken(text)


@dataclasses.dataclass
class Box:
    type: bytes
    start: int
    body: int
    end: int
    children: list

    def all(self, *path):
        found = [self]
        for kind in path:
            found = [c for b in found for c in b.children if c.type == kind]
        return found

    def one(self, *path):
        found = self.all(*path)
        require(len(found) == 1, f'{len(found)} {path[-1].decode()} in {self.type.decode()} at {self.start}')
        return found[0]


@dataclasses.dataclass
class Track:
    id: int
    entry: bytes
    format: bytes
    scheme: bytes
    kid: str
    iv_size: int
    pattern: tuple
    samples: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Sample:
    offset: int
    size: int
    iv: bytes
    subsamples: list  # (clear, protected), or None: the whole sample is protected


class Movie:
    """A file's boxes, tracks and samples; raises Broken where they contradict."""

    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        self.top = Box(b'file', 0, 0, len(self.data), self.boxes(0, len(self.data)))
        moov = self.top.one(b'moov')
        self.tracks = {t.id: t for t in map(self.track, moov.all(b'trak'))}
        self.defaults = {self.u32(x.body + 4): self.u32(x.body + 16) for x in moov.all(b'mvex', b'trex')}
        self.kids = {kid for p in moov.all(b'pssh') for kid in self.pssh_kids(p)}
        self.moofs = {}
        for moof in self.top.all(b'moof'):
            self.moofs[moof.start] = {self.fragment(moof, traf) for traf in moof.all(b'traf')}

    def u16(self, at):
        return struct.unpack_from('>H', self.data, at)[0]

    def u32(self, at):
        return struct.unpack_from('>I', self.data, at)[0]

    def u64(self, at):
        return struct.unpack_from('>Q', self.data, at)[0]

    def boxes(self, at, end):
        found = []
        while at < end:
            require(at + 8 <= end, f'{end - at} stray bytes at {at}')
            size, kind, body = self.u32(at), self.data[at + 4:at + 8], at + 8
            if size == 1:
                size, body = self.u64(at + 8), at + 16
            elif size == 0:
                size = end - at
            require(size >= body - at and at + size <= end, f'{kind} at {at} has the size {size}')
            children = []
            if kind in CONTAINERS:
                children = self.boxes(body, at + size)
            elif kind == b'stsd':
                children = self.boxes(body + 8, at + size)
            elif kind in ENTRY_HEADER:
                children = self.boxes(body + ENTRY_HEADER[kind], at + size)
            found.append(Box(kind, at, body, at + size, children))
            at += size
        return found

    def track(self, trak):
        tkhd = trak.one(b'tkhd')
        entry = trak.one(b'mdia', b'minf', b'stbl', b'stsd').children[0]
        track = Track(self.u32(tkhd.body + (20 if self.data[tkhd.body] else 12)),
                      entry.type, entry.type, None, None, 0, (0, 0))
        for sinf in entry.all(b'sinf'):
            track.format = self.data[sinf.one(b'frma').body:][:4]
            track.scheme = self.data[sinf.one(b'schm').body + 4:][:4]
            tenc = sinf.one(b'schi', b'tenc').body
            track.pattern = (self.data[tenc + 5] >> 4, self.data[tenc + 5] & 15)
            require(self.data[tenc + 6] == 1, f'tenc at {tenc - 8}: not protected by default')
            track.iv_size = self.data[tenc + 7]
            track.kid = self.data[tenc + 8:tenc + 24].hex()
        return track

    def pssh_kids(self, pssh):
        if self.data[pssh.body] != 1 or self.data[pssh.body + 4:pssh.body + 20].hex() != COMMON_SYSTEM:
            return []
        at, count = pssh.body + 24, self.u32(pssh.body + 20)
        return [self.data[at + 16 * i:at + 16 * i + 16].hex() for i in range(count)]

    def fragment(self, moof, traf):
        """Adds traf's samples to its track; gives the track's ID."""
        tfhd = traf.one(b'tfhd').body
        flags, track = self.u32(tfhd) & 0xffffff, self.tracks[self.u32(tfhd + 4)]
        at, base, default_size = tfhd + 8, moof.start, self.defaults.get(track.id, 0)
        if flags & 0x1:
            base, at = self.u64(at), at + 8
        at += 4 * bool(flags & 0x2) + 4 * bool(flags & 0x8)
        if flags & 0x10:
            default_size = self.u32(at)
        placed = []
        for trun in traf.all(b'trun'):
            placed += self.run(trun, base, default_size)
        auxiliary = self.auxiliary(moof, traf, track, len(placed)) if track.scheme else \
            [(b'', [(size, 0)]) for _, size in placed]
        for (offset, size), (iv, subsamples) in zip(placed, auxiliary):
            require(subsamples is None or sum(map(sum, subsamples)) == size,
                    f'subsamples of the sample at {offset} do not add up to {size}')
            track.samples.append(Sample(offset, size, iv, subsamples))
        return track.id

    def run(self, trun, base, default_size):
        flags, count = self.u32(trun.body) & 0xffffff, self.u32(trun.body + 4)
        require(flags & 0x1, f'trun at {trun.start} has no data offset')
        offset = base + struct.unpack_from('>i', self.data, trun.body + 8)[0]
        at = trun.body + 12 + 4 * bool(flags & 0x4)
        fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
        placed = []
        for _ in range(count):
            size = self.u32(at + 4 * fields.index(0x200)) if 0x200 in fields else default_size
            placed.append((offset, size))
            offset += size
            at += 4 * len(fields)
        require(at == trun.end, f'trun at {trun.start} does not end with its samples')
        require(any(m.body <= placed[0][0] and offset <= m.end for m in self.top.all(b'mdat')),
                f'samples of the trun at {trun.start} are not inside an mdat')
        return placed

    def auxiliary(self, moof, traf, track, count):
        """(IV, subsamples) of each sample by senc, checked against saiz and saio."""
        entries, sizes = [(b'', None)] * count, []
        senc = traf.all(b'senc')
        if senc:
            senc = senc[0]
            require(self.u32(senc.body + 4) == count, f'senc at {senc.start}: not {count} samples')
            at, subsampled = senc.body + 8, self.u32(senc.body) & 2
            for i in range(count):
                begin, iv, subsamples = at, self.data[at:at + track.iv_size], None
                at += track.iv_size
                if subsampled:
                    subsamples = [(self.u16(at + 2 + 6 * k), self.u32(at + 4 + 6 * k))
                                  for k in range(self.u16(at))]
                    at += 2 + 6 * len(subsamples)
                entries[i] = (iv, subsamples)
                sizes.append(at - begin)
            require(at == senc.end, f'senc at {senc.start} does not end with its samples')
        require(senc or track.iv_size == 0, f'traf at {traf.start} has no senc')
        self.check_saiz(moof, traf, senc, sizes)
        return entries

    def check_saiz(self, moof, traf, senc, sizes):
        if not any(sizes):
            require(not traf.all(b'saiz'), f'traf at {traf.start}: a saiz that says nothing')
            return
        saiz, saio = traf.one(b'saiz'), traf.one(b'saio')
        at = saiz.body + 4 + 8 * bool(self.u32(saiz.body) & 1)
        default, count = self.data[at], self.u32(at + 1)
        said = [default] * count if default else list(self.data[at + 5:at + 5 + count])
        require(said == sizes, f'saiz at {saiz.start} contradicts senc')
        at = saio.body + 4 + 8 * bool(self.u32(saio.body) & 1)
        require(self.u32(at) == 1, f'saio at {saio.start}: not one entry')
        offset = self.u64(at + 4) if self.data[saio.body] else self.u32(at + 4)
        require(moof.start + offset == senc.body + 8, f'saio at {saio.start} does not lead to senc')

    def check_indexes(self):
        """sidx and mfra lead to fragments that hold what they say."""
        for sidx in self.top.all(b'sidx'):
            wide, at = self.data[sidx.body], sidx.body + 12
            first = self.u64(at + 8) if wide else self.u32(at + 4)
            at += 16 if wide else 8
            offset = sidx.end + first
            for i in range(self.u16(at + 2)):
                require(offset in self.moofs, f'sidx at {sidx.start}: reference {i} leads to {offset}, no moof')
                offset += self.u32(at + 4 + 12 * i) & 0x7fffffff
            require(offset in self.moofs or self.ends_media(offset),
                    f'sidx at {sidx.start} ends at {offset}, not where a fragment ends')
        for mfra in self.top.all(b'mfra'):
            mfro = mfra.one(b'mfro')
            require(self.u32(mfro.body + 4) == mfra.end - mfra.start, 'mfro has another size than mfra')

    def ends_media(self, offset):
        return offset == len(self.data) or any(b.start == offset for b in self.top.children)

    def random_access(self):
        """(track, where its tfra leads to, whether a moof with it is there)."""
        found = []
        for tfra in self.top.all(b'mfra', b'tfra'):
            track, lengths, count = (self.u32(tfra.body + 4 + 4 * i) for i in range(3))
            width = 8 if self.data[tfra.body] else 4
            entry = 2 * width + sum((lengths >> shift & 3) + 1 for shift in (4, 2, 0))
            for i in range(count):
                at = tfra.body + 16 + i * entry + width
                offset = self.u64(at) if width == 8 else self.u32(at)
                found.append((track, offset, track in self.moofs.get(offset, ())))
        return found


def check_random_access(clear, movie):
    """Entries lead to fragments, except where the clear file's lead nowhere:
    mp4mux 1.22 writes a last entry with the offset 0 for a short last fragment."""
    wanted, got = clear.random_access(), movie.random_access()
    for (track, _, right), (other, offset, there) in zip(wanted, got):
        require(track == other and there >= right, f'tfra of track {other} leads to {offset}')


def media_data(path):
    """(start, end) of the payload of each mdat at the top level, in file order."""
    found = []
    with open(path, 'rb') as file:
        size = file.seek(0, 2)
        at = 0
        while at + 8 <= size:
            file.seek(at)
            header = file.read(16)
            length, kind = struct.unpack_from('>I4s', header)
            body = 8
            if length == 1:
                length, body = struct.unpack_from('>Q', header, 8)[0], 16
            length = length or size - at
            require(length >= body, f'{kind} at {at} has the size {length}')
            if kind == b'mdat':
                found.append((at + body, at + length))
            at += length
    return found


def protected_ranges(sample):
    if sample.subsamples is None:
        return [(0, sample.size)]
    at, ranges = 0, []
    for clear, protected in sample.subsamples:
        if protected:
            ranges.append((at + clear, at + clear + protected))
        at += clear + protected
    return ranges


def check_track(clear, protected, reference, track):
    """track holds reference's samples, protected bytes changed, clear ones not."""
    name = track.entry.decode()
    require(len(track.samples) == len(reference.samples),
            f'{name}: {len(track.samples)} samples of {len(reference.samples)}')
    for number, (before, after) in enumerate(zip(reference.samples, track.samples)):
        require(before.size == after.size, f'{name}: sample {number} has another size')
        old = clear.data[before.offset:before.offset + before.size]
        new = protected.data[after.offset:after.offset + after.size]
        at = 0
        for begin, end in protected_ranges(after) + [(after.size, after.size)]:
            require(old[at:begin] == new[at:begin], f'{name}: clear bytes of sample {number} changed')
            require(end - begin < 16 or old[begin:end] != new[begin:end],
                    f'{name}: sample {number} lies in the clear at {begin}')
            at = end
        hidden = sum(end - begin for begin, end in protected_ranges(after))
        require(hidden or after.size < 160, f'{name}: nothing of sample {number} is protected')
    ivs = [s.iv for s in track.samples if s.iv]
    require(len(ivs) == len(set(ivs)), f'{name}: an IV is used twice')


def check(clear_path, path, scheme, kids):
    """The protected file at path says what it is and holds the clear one's
    samples; raises Broken. kids: {'video': KID, 'audio': KID}."""
    clear, movie = Movie(clear_path), Movie(path)
    require(len(clear.tracks) == len(movie.tracks), 'another number of tracks')
    movie.check_indexes()
    check_random_access(clear, movie)
    for track in movie.tracks.values():
        reference = clear.tracks[track.id]
        kind = 'video' if track.entry == b'encv' else 'audio'
        require(track.entry in (b'encv', b'enca'), f'{track.entry} is not protected')
        require(track.format == reference.entry, f'frma says {track.format}, not {reference.entry}')
        require(track.scheme == scheme.encode(), f'schm says {track.scheme}')
        require(track.kid == kids[kind], f'tenc says KID {track.kid}')
        require(track.kid in movie.kids, f'no common pssh with KID {track.kid}')
        if scheme == 'cbcs':
            require(track.pattern == ((1, 9) if kind == 'video' else (0, 0)), f'{kind}: pattern {track.pattern}')
        check_track(clear, movie, reference, track)
    ivs = [s.iv for t in movie.tracks.values() for s in t.samples if s.iv and scheme == 'cenc']
    require(len(set(ivs)) == len(ivs), 'two tracks share an IV under one key')
