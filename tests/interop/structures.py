# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds MP4 files of structures that no muxer at hand writes, yet the standard
allows, out of a plain file's moov and samples."""
import dataclasses
import struct

SHORT = 7       # samples a chunk or run
TIMES = {b'stts', b'ctts', b'stss', b'sdtp'}


def box(kind, *parts):
    payload = b''.join(parts)
    return struct.pack('>I4s', 8 + len(payload), kind) + payload


def large_box(kind, *parts):
    payload = b''.join(parts)
    return struct.pack('>I4sQ', 1, kind, 16 + len(payload)) + payload


def full_box(kind, version, flags, *parts):
    return box(kind, struct.pack('>I', version << 24 | flags), *parts)


FREE = box(b'free', b'left where it is')
UNKNOWN = box(b'zzzz', b'of a kind that nobody knows')
UUID = box(b'uuid', bytes(range(16)), b'likewise')
EMSG = full_box(b'emsg', 0, 0, b'urn:example:event\0', b'1\0', struct.pack('>IIII', 1000, 0, 500, 1), b'message')
STYP = box(b'styp', b'msdh\0\0\0\0msdhmsix')
PRFT = full_box(b'prft', 0, 0, struct.pack('>IQI', 1, 2, 3))
JUNK = b'no sample has these bytes' * 5
STAMP = 9       # bytes of auxiliary information a sample: when it was taken, as isomp4mux writes it


def stamps(first, count):
    """Auxiliary information of so many samples: a time stamp each."""
    return b''.join(struct.pack('>QB', 37 * i, 0x80) for i in range(first, first + count))


def stamp_boxes(count, places, wide=False):
    """saiz and saio of type 'stai', for count samples; places of their chunks or runs."""
    return (full_box(b'saiz', 0, 1, b'stai', struct.pack('>IBI', 0, STAMP, count)) +
            full_box(b'saio', int(wide), 1, b'stai', struct.pack('>II', 0, len(places)),
                     struct.pack(f">{len(places)}{'Q' if wide else 'I'}", *places)))


def rebuilt(media, node, change):
    """The bytes of a box; change (box) gives others for one, or None."""
    changed = change(node)
    if changed is not None:
        return changed
    if not node.children:
        return media.data[node.start:node.end]
    head = media.data[node.body:node.children[0].start]
    return box(node.type, head, *(rebuilt(media, child, change) for child in node.children))


@dataclasses.dataclass
class Stream:
    id: int
    kind: str
    samples: list       # of bytes


def streams_of(media):
    return [Stream(t.id, t.kind, [media.sample_bytes(s) for s in t.samples]) for t in media.tracks.values()]


# --- progressive ---

@dataclasses.dataclass(frozen=True)
class Progressive:
    """first: the moov stands in front. wide: co64. data: how the chunks lie,
    'one' or 'large' mdat, 'many', 'open' (the last, without a size), 'reversed',
    'gaps' (with bytes that belong to no sample). noise: boxes between. stamped: with
    auxiliary information, behind each chunk."""
    first: bool = True
    wide: bool = False
    data: str = 'one'
    noise: bool = False
    same_sizes: bool = False
    stamped: bool = False


def chunks_of(streams):
    """(stream, samples), in turns."""
    found = []
    longest = max(len(s.samples) for s in streams)
    for at in range(0, longest, SHORT):
        found += [(s, s.samples[at:at + SHORT]) for s in streams if s.samples[at:at + SHORT]]
    return found


def media_boxes(chunks, style):
    """The boxes with the chunks, and for each chunk where it is in them."""
    order = list(reversed(chunks)) if style.data == 'reversed' else chunks
    payloads = [b''.join(samples) + (stamps(7 * i, len(samples)) if style.stamped else b'')
                for i, (_, samples) in enumerate(order)]
    places, parts, at = [], [], 0
    if style.data == 'many':
        for i, payload in enumerate(payloads):
            part = (box, large_box)[i % 2](b'mdat', payload)
            noise = (FREE, UNKNOWN, UUID)[i % 3]
            places.append(at + len(part) - len(payload))
            parts += [part, noise]
            at += len(part) + len(noise)
    else:
        gap = JUNK if style.data == 'gaps' else b''
        at = 8 if style.data in ('one', 'reversed', 'gaps', 'open') else 16
        for payload in payloads:
            parts += [gap, payload]
            places.append(at + len(gap))
            at += len(gap) + len(payload)
        parts = [(large_box if style.data == 'large' else box)(b'mdat', *parts, gap)]
        if style.data == 'open':
            parts[0] = b'\0\0\0\0' + parts[0][4:]
    if style.data == 'reversed':
        places.reverse()
    return b''.join(parts), places


def tables(stream, chunks, offsets, style):
    """stsc, stsz and chunk offsets of a stream."""
    mine = [(samples, at) for (owner, samples), at in zip(chunks, offsets) if owner is stream]
    runs = b''.join(struct.pack('>III', i, len(samples), 1) for i, (samples, _) in enumerate(mine, 1))
    sizes = [len(s) for samples, _ in mine for s in samples]
    size = sizes[0] if style.same_sizes and len(set(sizes)) == 1 else 0
    places = struct.pack(f">{len(mine)}{'Q' if style.wide else 'I'}", *(at for _, at in mine))
    more = stamp_boxes(len(sizes), [at + sum(map(len, samples)) for samples, at in mine], style.wide)
    return {
        b'stsc': full_box(b'stsc', 0, 0, struct.pack('>I', len(mine)), runs),
        b'stsz': full_box(b'stsz', 0, 0, struct.pack('>II', size, len(sizes)),
                          b'' if size else struct.pack(f'>{len(sizes)}I', *sizes)),
        b'stco': full_box(b'co64' if style.wide else b'stco', 0, 0, struct.pack('>I', len(mine)), places) +
                 (more if style.stamped else b'')}


def with_tables(media, streams, chunks, offsets, style):
    """The moov with new tables; with noise, boxes that nobody knows all over it."""
    new = {track.stbl.start: tables(stream, chunks, offsets, style)
           for track, stream in zip(media.tracks.values(), streams)}
    current = {}

    def change(node):
        if node.type == b'stbl':
            current.clear()
            current.update(new[node.start])
        if node.type in current and node.type in (b'stsc', b'stsz', b'stco'):
            return current[node.type]
        if style.noise and node.type in (b'mvhd', b'tkhd', b'mdhd', b'vmhd', b'smhd', b'stts'):
            return media.data[node.start:node.end] + FREE + UNKNOWN
        return None

    return rebuilt(media, media.top.one(b'moov'), change)


def progressive(media, streams, style):
    chunks = chunks_of(streams)
    data, places = media_boxes(chunks, style)
    front = media.data[:media.top.one(b'ftyp').end] + (FREE + UNKNOWN if style.noise else b'')
    moov_size = len(with_tables(media, streams, chunks, places, style))
    shift = len(front) + (moov_size if style.first else 0)
    moov = with_tables(media, streams, chunks, [shift + at for at in places], style)
    return front + (moov + data if style.first else data + moov)


# --- fragmented ---

@dataclasses.dataclass(frozen=True)
class Fragments:
    """base: where data offsets count from: 'moof', 'offset' (base-data-offset in
    tfhd) or 'none'. trafs, truns: of a track in a fragment. mdats: 'one', 'large',
    'many'. noise: boxes between and inside. empty: a traf without samples too.
    stamped: with auxiliary information, behind all runs."""
    base: str = 'moof'
    trafs: int = 1
    truns: int = 1
    mdats: str = 'one'
    noise: bool = False
    empty: bool = False
    indexed: bool = False
    stamped: bool = False


def fragment_moov(media):
    """The moov without samples, with mvex."""
    def change(node):
        if node.type in TIMES | {b'stsc', b'stco', b'edts', b'udta', b'sgpd', b'sbgp'}:
            known = node.type in (b'stts', b'stsc', b'stco')
            return full_box(node.type, 0, 0, b'\0\0\0\0') if known else b''
        return full_box(b'stsz', 0, 0, b'\0' * 8) if node.type == b'stsz' else None

    moov = rebuilt(media, media.top.one(b'moov'), change)
    trex = [full_box(b'trex', 0, 0, struct.pack('>IIIII', i, 1, 512, 0, 0)) for i in media.tracks]
    return box(b'moov', moov[8:], box(b'mvex', *trex))


def split(samples, parts):
    """samples in so many runs, none of them empty where there are enough."""
    size = max(1, -(-len(samples) // parts))
    return [samples[i:i + size] for i in range(0, len(samples), size)]


@dataclasses.dataclass
class Run:
    track: int
    first: bool         # of its traf
    start: int          # number of its first sample in the track
    samples: list
    offset: int = 0     # where its bytes are, behind the moof
    stamps: bytes = b''     # auxiliary information
    stamps_offset: int = 0

    @property
    def end(self):
        """Where its samples end."""
        return self.offset + sum(map(len, self.samples))


def runs_of(streams, at, style):
    """The runs of a fragment, a list for each traf."""
    trafs = []
    for stream in streams:
        start = at
        for part in split(stream.samples[at:at + SHORT], style.trafs):
            runs = []
            for samples in split(part, style.truns):
                runs.append(Run(stream.id, not runs, start, samples))
                runs[-1].stamps = stamps(start, len(samples)) if style.stamped else b''
                start += len(samples)
            trafs.append(runs)
    return [t for t in trafs if t]


def trun(run, base, style, first_traf):
    """Only the first run says where it is if 'none' has a base of its own."""
    flags, offset = 0x200, b''
    if style.base != 'none' or (first_traf and run.first):
        flags, offset = 0x201, struct.pack('>i', base + run.offset)
    return full_box(b'trun', 0, flags, struct.pack('>I', len(run.samples)), offset,
                    struct.pack(f'>{len(run.samples)}I', *map(len, run.samples)))


def traf(runs, moof, moof_size, style, before):
    """before: the run in front of it in the fragment, whose end is a base if there is no other."""
    first_traf = before is None
    flags, base, more = {'moof': (0x20000, moof_size, b''), 'none': (0, moof_size, b''),
                         'offset': (1, 0, struct.pack('>Q', moof + moof_size))}[style.base]
    here = base + before.end if style.base == 'none' and before else 0
    noise = FREE + UNKNOWN if style.noise else b''
    return box(b'traf', full_box(b'tfhd', 0, flags, struct.pack('>I', runs[0].track), more), noise,
               full_box(b'tfdt', 1, 0, struct.pack('>Q', 512 * runs[0].start)),
               *(trun(run, base, style, first_traf) + noise for run in runs),
               stamp_boxes(sum(len(run.samples) for run in runs), [base - here + run.stamps_offset for run in runs])
               if style.stamped else b'')


def moof_box(number, trafs, at, size, style):
    empty = box(b'traf', full_box(b'tfhd', 0, 0x20000, struct.pack('>I', trafs[0][0].track))) if style.empty else b''
    noise = FREE + UNKNOWN if style.noise else b''
    return box(b'moof', full_box(b'mfhd', 0, 0, struct.pack('>I', number)), noise,
               *(traf(runs, at, size, style, trafs[i - 1][-1] if i else None) for i, runs in enumerate(trafs)),
               empty, noise)


def fragment_data(trafs, style):
    """The mdats behind a moof; each run learns where it is in them."""
    parts, at = [], 0
    runs = [run for runs in trafs for run in runs]
    if style.mdats == 'many':
        for run in runs:
            part = box(b'mdat', *run.samples)
            run.offset = at + 8
            parts += [part, FREE]
            at += len(part) + len(FREE)
        return b''.join(parts)
    at = 16 if style.mdats == 'large' else 8
    for run in runs:
        run.offset = at
        at += sum(map(len, run.samples))
    for run in runs:
        run.stamps_offset = at
        at += len(run.stamps)
    payload = b''.join(sample for run in runs for sample in run.samples) + b''.join(run.stamps for run in runs)
    return (large_box if style.mdats == 'large' else box)(b'mdat', payload)


def sidx(track, timescale, sizes):
    references = b''.join(struct.pack('>III', size, SHORT * 512, 0x90000000) for size in sizes)
    return full_box(b'sidx', 0, 0, struct.pack('>IIIIHH', track, timescale, 0, 0, 0, len(sizes)), references)


def mfra(track, places):
    entries = b''.join(struct.pack('>QQBBB', i * SHORT * 512, at, 1, 1, 1) for i, at in enumerate(places))
    tfra = full_box(b'tfra', 1, 0, struct.pack('>III', track, 0, len(places)), entries)
    size = 8 + len(tfra) + 16
    return box(b'mfra', tfra, full_box(b'mfro', 0, 0, struct.pack('>I', size)))


def fragmented(media, streams, style):
    out = media.data[:media.top.one(b'ftyp').end] + fragment_moov(media)
    longest = max(len(s.samples) for s in streams)
    count = -(-longest // SHORT)
    hole = len(out)
    at = hole + (len(sidx(1, 1, [0] * count)) if style.indexed else 0)
    pieces, moofs = [], []
    for number, start in enumerate(range(0, longest, SHORT), 1):
        noise = (STYP + PRFT + EMSG, EMSG + FREE, UNKNOWN + UUID)[number % 3] if style.noise else b''
        trafs = runs_of(streams, start, style)
        data = fragment_data(trafs, style)
        size = len(moof_box(number, trafs, 0, 0, style))
        moofs.append(at + len(noise))
        pieces.append(noise + moof_box(number, trafs, at + len(noise), size, style) + data)
        at += len(pieces[-1])
    if style.indexed:
        out += sidx(streams[0].id, 512 * 24, [len(piece) for piece in pieces])
        pieces.append(mfra(streams[0].id, moofs))
    return out + b''.join(pieces)
