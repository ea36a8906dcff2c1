# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of variants.py: fragments and progressive files around tracks, with
auxiliary information wherever it may stand."""
import struct

import structures
from media import Media
from structures import box, full_box, large_box
from variants_tracks import Lot, Piece, Track, u32

SYSTEM = bytes.fromhex('1077efecc0b24d02ace33c1e52e2fb4b')
PIFF_PSSH = bytes.fromhex('d08a4f1810f34a82b6c832d8aba183d3')


def split(items, parts):
    size = max(1, -(-len(items) // parts))
    return [items[i:i + size] for i in range(0, len(items), size)]


def by_entry(pieces):
    """pieces in runs of one sample entry."""
    found = []
    for piece in pieces:
        if found and found[-1][-1].entry == piece.entry:
            found[-1].append(piece)
        else:
            found.append([piece])
    return found


class Builder:
    """Bytes whose sizes do not depend on where they are: built twice, the second
    time with the places that the first one found."""

    def __init__(self, lot):
        self.lot, self.places, self.samples = lot, {}, []

    def twice(self, build, at):
        state = self.lot.rng.getstate()
        self.places, sizes = {}, []
        for _ in range(2):
            self.lot.rng.setstate(state)
            self.samples = []
            data = build(at)
            sizes.append(len(data))
        assert sizes[0] == sizes[1]
        return data

    def place(self, key):
        return self.places.get(key, 0)

    def protection_boxes(self, track, key, pieces, base):
        """senc, saiz and saio of a stbl or traf; base: what offsets count from."""
        lot = self.lot
        if not track.needs_aux(pieces) and not (track.subsampled and any(p.said for p in pieces)):
            return []
        aux = lot.aux if track.fits_saiz(pieces) else 'senc'
        if lot.scheme.startswith('piff') and aux == 'senc':
            aux = 'uuid'
        if aux in ('senc', 'uuid'):
            return [track.senc(pieces)[0]]
        found = [track.saiz(pieces)]
        if lot.others and lot.typed and lot.typed_offsets:
            found += [full_box(b'saiz', 0, 1, b'abcd', u32(0), b'\1', u32(1)),
                      full_box(b'saio', 0, 1, b'abcd', u32(0, 1, 0))]
        if aux == 'both':
            made, at = track.senc(pieces)
            self.boxes[key] = (made, at)
            return found + [made, track.saio([max(0, self.place(key) - base)])]
        return found + [track.saio([max(0, self.place((key, i)) - base) for i in range(self.entries(key))])]

    def find(self, data, at):
        """Where the senc boxes are that saio boxes point at."""
        for key, (made, first) in self.boxes.items():
            self.places[key] = at + data.index(made) + first

    def lay(self, pieces, at):
        """Notes where samples are; gives their bytes."""
        for piece in pieces:
            self.samples.append((at, piece.clear))
            at += len(piece.stored)
        return b''.join(p.stored for p in pieces)


class FragmentBuilder(Builder):
    def __init__(self, lot, tracks, number, groups):
        super().__init__(lot)
        self.tracks, self.number = tracks, number
        # (track, runs) of each traf
        self.trafs = []
        for track, pieces in zip(tracks, groups):
            for run_of_one in by_entry(pieces):
                self.trafs += [(track, split(part, lot.truns)) for part in split(run_of_one, lot.trafs)]

    def entries(self, key):
        return len(self.trafs[key][1]) if self.lot.place == 'runs' else 1

    def aux_of(self, number):
        """The auxiliary information that stands outside of the moof, by saio entry."""
        track, runs = self.trafs[number]
        pieces = [p for r in runs for p in r]
        if self.lot.aux != 'saiz' or not track.fits_saiz(pieces):
            return []
        parts = runs if self.lot.place == 'runs' else [pieces]
        return [b''.join(track.item(p) for p in part) for part in parts]

    def aux_box(self, at):
        lot = self.lot
        data = b''
        kind = lot.rng.choice((b'free', b'zzzz', b'skip'))
        for number in range(len(self.trafs)):
            for i, part in enumerate(self.aux_of(number)):
                self.places[number, i] = at + 8 + len(data)
                data += part
        return box(kind, data)

    def traf(self, number, moof_at, base):
        lot, (track, runs) = self.lot, self.trafs[number]
        pieces = [p for r in runs for p in r]
        flags, more = 0, b''
        if lot.base == 'moof':
            flags = 0x20000
        elif lot.base in ('offset', 'zero'):
            base = 0 if lot.base == 'zero' else self.place('data')
            flags, more = 1, struct.pack('>Q', base)
        if track.numbers[pieces[0].entry] != 1 or lot.yes(0.2):
            flags, more = flags | 2, more + u32(track.numbers[pieces[0].entry])
        same = len({len(p.clear) for p in pieces}) == 1
        if same:
            flags, more = flags | 0x10, more + u32(len(pieces[0].clear))
        truns = []
        for i, pieces_of_run in enumerate(runs):
            offset = self.place((number, 'run', i)) - base
            chained = lot.place != 'runs' and i > 0 and lot.yes(0.3)
            own = b'' if same else u32(*(len(p.clear) for p in pieces_of_run))
            truns.append(lot.full_box(b'trun', 0, (0 if chained else 1) | (0 if same else 0x200),
                                      u32(len(pieces_of_run)),
                                      b'' if chained else struct.pack('>i', max(-2**31, min(2**31 - 1, offset))), own))
            truns.append(lot.some_noise())
        others = self.protection_boxes(track, number, pieces, moof_at if lot.base in ('moof', 'none') else base)
        others += track.group_boxes(pieces, lot.groups != 'shared') if pieces[0].entry != 2 else []
        others = lot.shuffled(*others)
        middle = lot.rng.choice(([b''.join(truns)] + others, others + [b''.join(truns)]))
        return lot.box(b'traf', lot.full_box(b'tfhd', 0, flags, u32(track.id), more), lot.some_noise(),
                       lot.full_box(b'tfdt', 0, 0, u32(0)), *middle)

    def build(self, at):
        lot = self.lot
        self.boxes = {}
        front = lot.some_noise()
        if lot.place == 'front':
            front += self.aux_box(at + len(front))
        moof_at, base, trafs = at + len(front), at + len(front), []
        for number in range(len(self.trafs)):
            trafs.append(self.traf(number, moof_at, base) + lot.some_noise())
            base = self.place((number, 'end')) if lot.base == 'none' else moof_at
        moof = lot.box(b'moof', lot.full_box(b'mfhd', 0, 0, u32(self.number)), *trafs)
        self.find(moof, moof_at)
        rest = lot.some_noise()
        large = lot.large and lot.yes()
        pos = moof_at + len(moof) + len(rest) + (16 if large else 8)
        data = self.data(pos)
        rest += (large_box if large else box)(b'mdat', data)
        if lot.place == 'behind':
            rest += lot.some_noise()
            rest += self.aux_box(moof_at + len(moof) + len(rest))
        return front + moof + rest

    def data(self, at):
        lot, parts, start = self.lot, [], at
        self.places['data'] = start
        if lot.place in ('data', 'senc'):
            for number in range(len(self.trafs)):
                for i, part in enumerate(self.aux_of(number)):
                    self.places[number, i] = at
                    parts.append(part)
                    at += len(part)
        for number, (_, runs) in enumerate(self.trafs):
            aux = self.aux_of(number) if lot.place == 'runs' else []
            for i, pieces in enumerate(runs):
                if aux:
                    self.places[number, i] = at
                    parts.append(aux[i])
                    at += len(aux[i])
                self.places[number, 'run', i] = at
                parts.append(self.lay(pieces, at))
                at += len(parts[-1])
            self.places[number, 'end'] = at
        return b''.join(parts)


class ProgressiveBuilder(Builder):
    def __init__(self, lot, tracks, media):
        super().__init__(lot)
        self.tracks, self.media, self.chunks = tracks, media, []
        queues = [[c for r in by_entry(t.pieces) for c in split(r, max(1, len(r) // 7))] for t in tracks]
        for i in range(max(map(len, queues))):
            self.chunks += [(n, q[i]) for n, q in enumerate(queues) if i < len(q)]

    def entries(self, key):
        return sum(n == key for n, _ in self.chunks) if self.lot.place == 'runs' else 1

    def uses_aux(self, number):
        return self.lot.aux == 'saiz' and self.tracks[number].fits_saiz(self.tracks[number].pieces)

    def stbl(self, number):
        lot, track = self.lot, self.tracks[number]
        mine = [(i, pieces) for i, (n, pieces) in enumerate(self.chunks) if n == number]
        runs = b''.join(u32(k, len(pieces), track.numbers[pieces[0].entry]) for k, (_, pieces) in enumerate(mine, 1))
        wide, offsets = lot.wide, [self.place(('chunk', i)) for i, _ in mine]
        sizes = [len(p.clear) for p in track.pieces]
        return [lot.full_box(b'stsc', 0, 0, u32(len(mine)), runs), lot.some_noise(),
                lot.full_box(b'stz2', 0, 0, u32(16, len(sizes)), struct.pack(f'>{len(sizes)}H', *sizes))
                if lot.compact and max(sizes) < 65536 else lot.full_box(b'stsz', 0, 0, u32(0, len(sizes), *sizes)),
                lot.full_box(b'co64' if wide else b'stco', 0, 0, u32(len(mine)),
                             struct.pack(f">{len(mine)}{'Q' if wide else 'I'}", *offsets)),
                *([] if lot.high else self.protected[number]),
                *([track.sgpd(), track.sbgp(track.pieces, False)]
                  if track.groups and lot.groups != 'default' and not track.is_clear
                  else track.group_boxes(None, False))]

    def moov(self):
        by_stbl = {t.stbl.start: n for n, t in enumerate(self.media.tracks.values())}
        current = []
        self.protected = [self.lot.shuffled(*self.protection_boxes(track, number, track.pieces, 0))
                          for number, track in enumerate(self.tracks)]
        heads = iter(self.protected)

        def change(node):
            if node.type == b'tkhd' and self.lot.high:
                return self.media.data[node.start:node.end] + b''.join(next(heads))
            if node.type == b'stbl':
                current[:] = [by_stbl[node.start]]
            if node.type == b'stsd':
                return self.tracks[current[0]].stsd(self.media.data[node.children[0].start:node.children[0].end])
            if node.type in (b'stsc', b'stz2', b'co64', b'stco', b'sgpd', b'sbgp', b'mvex', b'edts', b'ctts', b'stss'):
                return b''
            if node.type == b'stts':
                return full_box(b'stts', 0, 0, u32(1, len(self.tracks[current[0]].pieces), 512))
            return b''.join(self.stbl(current[0])) if node.type == b'stsz' else None

        moov = structures.rebuilt(self.media, self.media.top.one(b'moov'), change)
        return self.lot.box(b'moov', moov[8:], *pssh_boxes(self.lot), *writer_boxes(self.lot))

    def aux_parts(self, number):
        mine = [pieces for n, pieces in self.chunks if n == number]
        parts = mine if self.lot.place == 'runs' else [self.tracks[number].pieces]
        return [b''.join(self.tracks[number].item(p) for p in part) for part in parts]

    def aux_box(self, at):
        data = b''
        for number in range(len(self.tracks)):
            for i, part in enumerate(self.aux_parts(number) if self.uses_aux(number) else []):
                self.places[number, i] = at + 8 + len(data)
                data += part
        return box(b'zzzz', data)

    def build(self, at):
        lot = self.lot
        self.boxes = {}
        moov = self.moov()
        front = lot.some_noise() + (moov if lot.moov_first else b'')
        if lot.place == 'front':
            front += self.aux_box(at + len(front))
        large = lot.large and lot.yes()
        data = self.data(at + len(front) + (16 if large else 8))
        out = front + (large_box if large else box)(b'mdat', data)
        if lot.place == 'behind':
            out += self.aux_box(at + len(out))
        out += b'' if lot.moov_first else moov
        self.find(out, at)
        return out

    def data(self, at):
        parts, done = [], [0] * len(self.tracks)
        if self.lot.place in ('data', 'senc'):
            for number in range(len(self.tracks)):
                for i, part in enumerate(self.aux_parts(number) if self.uses_aux(number) else []):
                    self.places[number, i] = at
                    parts.append(part)
                    at += len(part)
        for i, (number, pieces) in enumerate(self.chunks):
            if self.lot.place == 'runs' and self.uses_aux(number):
                self.places[number, done[number]] = at
                parts.append(self.aux_parts(number)[done[number]])
                at += len(parts[-1])
                done[number] += 1
            self.places['chunk', i] = at
            parts.append(self.lay(pieces, at))
            at += len(parts[-1])
        return b''.join(parts)


def pssh_boxes(lot):
    if not lot.yes():
        return []
    if lot.scheme.startswith('piff'):
        return [lot.box(b'uuid', PIFF_PSSH, u32(0), SYSTEM, u32(4), b'data')]
    kids = [bytes.fromhex(kid) for kid in lot.keys]
    return [lot.full_box(b'pssh', 1, 0, SYSTEM, u32(len(kids)), *kids, u32(0))]


def writer_boxes(lot):
    """As Shaka Packager names itself."""
    if not lot.writer:
        return []
    data = f'https://github.com/google/shaka-packager\0{lot.writer}'.encode()
    frame = b'PRIV' + u32(len(data)) + bytes(2) + data
    hdlr = full_box(b'hdlr', 0, 0, u32(0), b'ID32', bytes(13))
    return [full_box(b'meta', 0, 0, hdlr, full_box(b'ID32', 0, 0, b'\x15\xc7ID3\4\0\0', u32(len(frame)), frame))]


def fragment_moov(lot, media, tracks):
    by_stbl = {t.stbl.start: n for n, t in enumerate(media.tracks.values())}
    current = []

    def change(node):
        if node.type == b'stbl':
            current[:] = [by_stbl[node.start]]
        if node.type == b'stsd':
            track = tracks[current[0]]
            shared = track.group_boxes(None, False) if lot.groups == 'shared' else []
            return track.stsd(media.data[node.children[0].start:node.children[0].end]) + b''.join(shared)
        if node.type in structures.TIMES | {b'stsc', b'stco', b'edts', b'udta', b'sgpd', b'sbgp', b'mvex'}:
            known = node.type in (b'stts', b'stsc', b'stco')
            return full_box(node.type, 0, 0, u32(0)) if known else b''
        return full_box(b'stsz', 0, 0, bytes(8)) if node.type == b'stsz' else None

    moov = structures.rebuilt(media, media.top.one(b'moov'), change)
    trex = [full_box(b'trex', 0, 0, u32(i, 1, 512, 0, 0)) for i in media.tracks]
    return lot.box(b'moov', moov[8:], lot.some_noise(), lot.box(b'mvex', *trex), *pssh_boxes(lot), *writer_boxes(lot))


def settle(lot):
    """Takes back what cannot go together."""
    lot.counted = lot.yes() and lot.aux in ('senc', 'uuid')
    lot.protected_only = not lot.counted and lot.yes() and lot.aux in ('senc', 'uuid')
    if lot.place == 'front' and lot.fragmented:
        lot.base = 'zero'
    if lot.base == 'none' and lot.aux == 'saiz':
        lot.base = 'moof'
    if lot.groups == 'default':
        lot.lead = None
    if lot.groups == 'from one' and not lot.fragmented:
        lot.groups = 'local'
    if lot.groups and lot.scheme.startswith('piff'):
        lot.groups = None
    if lot.groups == 'default':
        lot.sgpd = 2
    if lot.aux in ('saiz', 'both'):
        lot.high = False


def build(seed, sources):
    """(bytes, [(offset, clear bytes)], Lot) of a seed."""
    lot = Lot(seed)
    settle(lot)
    media = Media(sources[lot.rng.randrange(len(sources))])
    tracks = []
    for number, stream in zip(media.tracks, structures.streams_of(media)):
        samples = stream.samples[:40] if lot.fragmented else stream.samples
        tracks.append(Track(number, lot, media, [Piece(s) for s in samples]))
    head = media.data[:media.top.one(b'ftyp').end]
    if not lot.fragmented:
        builder = ProgressiveBuilder(lot, tracks, media)
        return head + builder.twice(builder.build, len(head)), builder.samples, lot
    out, samples = head + fragment_moov(lot, media, tracks), []
    for number, at in enumerate(range(0, max(len(t.pieces) for t in tracks), 13), 1):
        groups = [t.pieces[at:at + 13] for t in tracks]
        builder = FragmentBuilder(lot, tracks, number, groups)
        out += builder.twice(builder.build, len(out))
        samples += builder.samples
    return out, samples, lot
