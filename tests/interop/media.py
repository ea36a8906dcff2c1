# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads any MP4, fragmented or progressive, clear or protected, independently of
the code under test: each track's samples as bytes, with what protects each.
ISO/IEC 14496-12, ISO/IEC 23001-7, and PIFF 1.1 for its uuid boxes."""
import dataclasses
import mmap
import struct

from boxes import Box, require

CONTAINERS = {b'moov', b'trak', b'mdia', b'minf', b'stbl', b'moof', b'traf', b'mvex', b'mfra', b'sinf', b'schi'}
VISUAL, AUDIO = 78, 28  # bytes of a sample entry before its child boxes
QUICKTIME = {1: 16, 2: 36}  # more of them, by the version of a sound description
PICTURES = {b'encv', b'avc1', b'avc3', b'hvc1', b'hev1', b'dvh1', b'dvhe', b'vvc1', b'vvi1', b'av01', b'vp09'}
SOUNDS = {b'enca', b'mp4a', b'ac-3', b'ec-3', b'ac-4', b'Opus', b'fLaC', b'alac', b'.mp3'}
SCHEMES = {b'cenc', b'cens', b'cbc1', b'cbcs', b'piff'}
PIFF_TENC = bytes.fromhex('8974dbce7be74c5184f97148f9882554')
PIFF_SENC = bytes.fromhex('a2394f525a9b4f14a2446c427c648df4')
KINDS = {b'vide': 'video', b'soun': 'audio'}


@dataclasses.dataclass(frozen=True)
class Protection:
    scheme: str
    cipher: str         # 'ctr' or 'cbc'
    pattern: tuple      # blocks encrypted, blocks left
    iv_size: int        # 0: the constant one
    constant_iv: bytes
    kid: str
    cut_runs: bool = True  # see reference.pattern_pieces(); no file tells it


@dataclasses.dataclass
class Sample:
    offset: int
    size: int
    description: int            # of its sample entry, from 1
    protection: object = None   # Protection; None: clear
    iv: bytes = b''
    subsamples: object = None   # [(clear, protected)]; None: the whole sample


@dataclasses.dataclass
class Track:
    id: int
    kind: str
    entries: list               # (format, Protection or None)
    stbl: object
    groups: list                # of seig, in the stbl
    samples: list = dataclasses.field(default_factory=list)

    @property
    def codec(self):
        return self.entries[0][0]


class Media:
    """All samples of a file; Broken where its boxes contradict each other."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.read()

    @classmethod
    def of(cls, data):
        """Of a file's bytes."""
        self = cls.__new__(cls)
        self.data = data
        self.read()
        return self

    def read(self):
        self.top = Box(b'file', 0, 0, len(self.data), self.boxes(0, len(self.data)))
        # A muxer may write it once more at the end, with what it knows by then.
        moov = self.top.all(b'moov')[0]
        self.tracks, self.bases = {}, {}  # of a traf by its place: where its offsets count from
        for trak in moov.all(b'trak'):
            self.read_track(trak)
        self.defaults = {self.u32(x.body + 4): (self.u32(x.body + 8), self.u32(x.body + 16))
                         for x in moov.all(b'mvex', b'trex')}
        for moof in self.top.all(b'moof'):
            for traf in moof.all(b'traf'):
                self.read_fragment(moof, traf)

    def sample_bytes(self, sample):
        require(sample.offset + sample.size <= len(self.data), f'a sample at {sample.offset} is cut off')
        return self.data[sample.offset:sample.offset + sample.size]

    def of_kind(self, kind):
        found = [t for t in self.tracks.values() if t.kind == kind]
        require(len(found) == 1, f'{len(found)} tracks of {kind}')
        return found[0]

    # --- boxes ---

    def u8(self, at):
        return self.data[at]

    def u16(self, at):
        return struct.unpack_from('>H', self.data, at)[0]

    def u32(self, at):
        return struct.unpack_from('>I', self.data, at)[0]

    def u64(self, at):
        return struct.unpack_from('>Q', self.data, at)[0]

    def boxes(self, at, end, parent=None):
        found = []
        while at + 8 <= end:
            size, kind, body = self.u32(at), self.data[at + 4:at + 8], at + 8
            if size == 1:
                size, body = self.u64(at + 8), at + 16
            elif size == 0:
                size = end - at
            require(size >= body - at and at + size <= end, f'{kind} at {at} has the size {size}')
            box = Box(kind, at, body, at + size, [])
            if kind in CONTAINERS:
                box.children = self.boxes(body, box.end)
            elif kind == b'stsd':
                box.children = self.boxes(body + 8, box.end, b'stsd')
            elif parent == b'stsd':
                box.children = self.entry_boxes(box)
            found.append(box)
            at += size
        return found

    def entry_boxes(self, box):
        """What is in a sample entry of a picture or a sound."""
        sound = AUDIO + QUICKTIME.get(self.u16(box.body + 8), 0)
        header = sound if box.type in SOUNDS else VISUAL if box.type in PICTURES else box.end - box.body
        return self.boxes(box.body + header, box.end)

    # --- tracks ---

    def read_track(self, trak):
        handler = self.data[trak.one(b'mdia', b'hdlr').body + 8:][:4]
        tkhd = trak.one(b'tkhd')
        stbl = trak.one(b'mdia', b'minf', b'stbl')
        entries = [self.entry(e) for e in stbl.one(b'stsd').children]
        track = Track(self.u32(tkhd.body + (20 if self.data[tkhd.body] else 12)),
                      KINDS.get(handler, 'other'), entries, stbl, [])
        track.groups = self.seig_groups(stbl, track)
        self.tracks[track.id] = track
        placed = self.table_samples(stbl)
        self.protect(track, placed, track.groups, stbl, trak)
        track.samples += placed

    def entry(self, box):
        """(format, protection) of a sample entry."""
        sinf = box.all(b'sinf')
        if not sinf:
            return box.type.decode(), None
        scheme = self.data[sinf[0].one(b'schm').body + 4:][:4].decode()
        if scheme == 'piff':
            protection = self.piff_tenc(sinf[0].one(b'schi'))
        else:
            protection = self.tenc(scheme, sinf[0].one(b'schi', b'tenc').body + 4)
        return self.data[sinf[0].one(b'frma').body:][:4].decode(), protection

    def tenc(self, scheme, at):
        """A tenc, or a seig, which is laid out alike."""
        if not self.data[at + 2]:
            return None
        size = self.data[at + 3]
        constant = self.data[at + 21:at + 21 + self.data[at + 20]] if size == 0 else b''
        return Protection(scheme, 'cbc' if scheme[:3] == 'cbc' else 'ctr',
                          (self.data[at + 1] >> 4, self.data[at + 1] & 15), size, constant,
                          self.data[at + 4:at + 20].hex())

    def uuid(self, parent, kind):
        return [b for b in parent.children if b.type == b'uuid' and self.data[b.body:b.body + 16] == kind]

    def piff_tenc(self, schi):
        at = self.uuid(schi, PIFF_TENC)[0].body + 20
        algorithm = int.from_bytes(self.data[at:at + 3], 'big')
        require(algorithm in (1, 2), f'PIFF: algorithm {algorithm}')
        return Protection('piff', ('ctr', 'cbc')[algorithm - 1], (0, 0), self.data[at + 3], b'',
                          self.data[at + 4:at + 20].hex())

    def seig_groups(self, parent, track):
        """The groups that a sgpd of type seig in parent describes, from 1."""
        found = []
        for sgpd in parent.all(b'sgpd'):
            if self.data[sgpd.body + 4:sgpd.body + 8] != b'seig':
                continue
            version, at = self.data[sgpd.body], sgpd.body + 8
            length = self.u32(at) if version == 1 else 0
            at += 4 * (version >= 1)
            count, at = self.u32(at), at + 4
            scheme = next(p.scheme for _, p in track.entries if p)
            for _ in range(count):
                size = length
                if version == 1 and not length:
                    size, at = self.u32(at), at + 4
                found.append(self.tenc(scheme, at))
                at += size or 20
        return found

    def seig_of(self, parent, count):
        """For each of count samples its index in a sgpd of type seig, 0 if none."""
        found = []
        for sbgp in parent.all(b'sbgp'):
            if self.data[sbgp.body + 4:sbgp.body + 8] != b'seig':
                continue
            at = sbgp.body + 8 + 4 * bool(self.data[sbgp.body])
            for i in range(self.u32(at)):
                found += [self.u32(at + 8 + 8 * i)] * self.u32(at + 4 + 8 * i)
        require(len(found) <= count, 'a sbgp knows more samples than there are')
        return found + [0] * (count - len(found))

    # --- samples ---

    def table_samples(self, stbl):
        offsets = self.chunk_offsets(stbl)
        sizes = self.sizes(stbl)
        runs = []
        stsc = stbl.one(b'stsc').body
        for i in range(self.u32(stsc + 4)):
            runs.append(struct.unpack_from('>III', self.data, stsc + 8 + 12 * i))
        samples, taken = [], 0
        for chunk, at in enumerate(offsets, 1):
            _, count, description = next(r for r in reversed(runs) if r[0] <= chunk)
            for size in sizes[taken:taken + count]:
                samples.append(Sample(at, size, description))
                at += size
            taken += count
        require(taken == len(sizes), f'stbl at {stbl.start}: {taken} samples in chunks, {len(sizes)} sizes')
        return samples

    def chunk_offsets(self, stbl):
        wide = stbl.all(b'co64')
        if wide:
            return list(struct.unpack_from(f'>{self.u32(wide[0].body + 4)}Q', self.data, wide[0].body + 8))
        stco = stbl.one(b'stco').body
        return list(struct.unpack_from(f'>{self.u32(stco + 4)}I', self.data, stco + 8))

    def sizes(self, stbl):
        for stz2 in stbl.all(b'stz2'):
            require(self.data[stz2.body + 7] == 16, f'stz2 at {stz2.start}: not of 16 bits')
            return list(struct.unpack_from(f'>{self.u32(stz2.body + 8)}H', self.data, stz2.body + 12))
        stsz = stbl.one(b'stsz').body
        same, count = self.u32(stsz + 4), self.u32(stsz + 8)
        return [same] * count if same else list(struct.unpack_from(f'>{count}I', self.data, stsz + 12))

    def read_fragment(self, moof, traf):
        tfhd = traf.one(b'tfhd').body
        flags, track = self.u32(tfhd) & 0xffffff, self.tracks[self.u32(tfhd + 4)]
        description, size = self.defaults.get(track.id, (1, 0))
        at, base = tfhd + 8, moof.start
        if flags & 0x1:
            base, at = self.u64(at), at + 8
        elif not flags & 0x20000 and traf is not moof.all(b'traf')[0]:
            base = self.last_end
        self.bases[traf.start] = base
        if flags & 0x2:
            description, at = self.u32(at), at + 4
        at += 4 * bool(flags & 0x8)
        if flags & 0x10:
            size = self.u32(at)
        placed, end = [], base
        for trun in traf.all(b'trun'):
            end = self.read_run(trun, base, end, size, description, placed)
        self.last_end = end
        self.protect(track, placed, self.seig_groups(traf, track), traf, traf)
        track.samples += placed

    def read_run(self, trun, base, at, default_size, description, placed):
        """Adds a trun's samples to placed; gives where its data ends."""
        flags, count = self.u32(trun.body) & 0xffffff, self.u32(trun.body + 4)
        pos = trun.body + 8
        if flags & 0x1:
            at, pos = base + struct.unpack_from('>i', self.data, pos)[0], pos + 4
        pos += 4 * bool(flags & 0x4)
        fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
        for _ in range(count):
            size = self.u32(pos + 4 * fields.index(0x200)) if 0x200 in fields else default_size
            placed.append(Sample(at, size, description))
            at += size
            pos += 4 * len(fields)
        require(pos == trun.end, f'trun at {trun.start} does not end with its samples')
        return at

    # --- protection ---

    def protect(self, track, samples, groups, parent, senc_parent):
        """Says of each sample what protects it, and with which IV and subsamples."""
        for sample, group in zip(samples, self.seig_of(parent, len(samples))):
            sample.protection = track.entries[sample.description - 1][1]
            if group > 0x10000:
                sample.protection = groups[group - 0x10001]
            elif group:
                sample.protection = track.groups[group - 1]
        if not any(s.protection for s in samples):
            return
        boxes = senc_parent.all(b'senc') + self.uuid(senc_parent, PIFF_SENC)
        if not boxes:
            require(all(not s.protection or s.protection.iv_size == 0 for s in samples),
                    f'{parent.type} at {parent.start} has no senc')
            return
        self.read_senc(boxes[0], samples, self.saiz_sizes(parent, len(samples)))

    def saiz_sizes(self, parent, count):
        """What saiz says of each sample; None where there is no saiz. qtdemux takes the
        first one, whatever its type."""
        everyone = parent.all(b'saiz')
        found = [x for x in everyone if not self.u32(x.body) & 1 or self.data[x.body + 4:x.body + 8] in SCHEMES]
        if not found:
            return [None] * count
        require(found[0] is everyone[0], f'saiz at {found[0].start} is not the first one')
        at = found[0].body + 4 + 8 * bool(self.u32(found[0].body) & 1)
        require(self.u32(at + 1) == count, f'saiz at {found[0].start}: not {count} samples')
        return [self.data[at]] * count if self.data[at] else list(self.data[at + 5:at + 5 + count])

    def read_senc(self, senc, samples, said):
        """said: the sizes by saiz. Of a clear sample there may be nothing at all, or an
        entry as of its neighbors, without a protected byte."""
        at = senc.body + (16 if senc.type == b'uuid' else 0)
        flags, count = self.u32(at), self.u32(at + 4)
        require(not flags & 1, f'senc at {senc.start} overrides its track')
        require(count == len(samples), f'senc at {senc.start}: {count} samples, not {len(samples)}')
        at += 8
        neighbor = next(s.protection for s in samples if s.protection)
        for sample, wanted in zip(samples, said):
            if sample.protection is None and wanted == 0:
                continue
            begin, size = at, (sample.protection or neighbor).iv_size
            sample.iv, at = self.data[at:at + size], at + size
            if not flags & 2:
                continue
            number, at = self.u16(at), at + 2
            sample.subsamples = [(self.u16(at + 6 * i), self.u32(at + 2 + 6 * i)) for i in range(number)] or None
            at += 6 * number
            require(sample.subsamples is None or sum(map(sum, sample.subsamples)) == sample.size,
                    f'subsamples of the sample at {sample.offset} do not add up to {sample.size}')
            require(sample.protection or not sum(p for _, p in sample.subsamples or []),
                    f'senc protects the clear sample at {sample.offset}')
            require(wanted in (None, at - begin), f'saiz says {wanted} of the sample at {sample.offset}')
        require(at == senc.end, f'senc at {senc.start} does not end with its samples')
