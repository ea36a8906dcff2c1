# SPDX-License-Identifier: LGPL-2.1-or-later
"""What variants.py draws by lot, and tracks: samples encrypted by the standards'
letter, and the boxes that speak of it."""
import ctypes
import dataclasses
import random
import struct

import reference
import structures
from media import PIFF_SENC, PIFF_TENC, Protection, Sample
from structures import box, full_box, large_box

NOISE = (structures.FREE, structures.UNKNOWN, structures.UUID, box(b'skip'), b'')


def u32(*numbers):
    return struct.pack(f'>{len(numbers)}I', *numbers)


def encrypted(sample, data, key):
    """What reference.decrypted() turns into data."""
    if sample.protection.cipher == 'ctr':
        return reference.decrypted(sample, data, key)
    crypto = reference.library()
    crypto.EVP_aes_128_cbc.restype = ctypes.c_void_p
    iv = (sample.iv or sample.protection.constant_iv).ljust(16, b'\0')
    out = bytearray(data)
    for chain in reference.encrypted_pieces(sample):
        joined = b''.join(data[begin:end] for begin, end in chain)
        result, length = ctypes.create_string_buffer(len(joined) + 16), ctypes.c_int()
        context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
        crypto.EVP_CipherInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_128_cbc()), None, key, iv, 1)
        crypto.EVP_CipherUpdate(context, result, ctypes.byref(length), joined, len(joined))
        crypto.EVP_CIPHER_CTX_free(context)
        at = 0
        for begin, end in chain:
            out[begin:end] = result.raw[at:at + end - begin]
            at += end - begin
    return bytes(out)


@dataclasses.dataclass
class Piece:
    """A sample: as it is, as it stands in the file, and what says so."""
    clear: bytes
    stored: bytes = b''
    entry: int = 1              # sample entry, from 1
    group: object = None        # number of a seig group, from 0; None: the entry's own
    said: object = None         # a Sample; None: it is clear


class Lot:
    """The choices of one file."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        one, yes = self.rng.choice, self.yes
        self.scheme = one(('cenc', 'cens', 'cbc1', 'cbcs', 'piff', 'piff-cbc'))
        self.fragmented = yes(0.6)
        self.aux = one(('senc', 'senc', 'both', 'saiz', 'saiz', 'uuid'))
        if self.scheme.startswith('piff'):
            self.aux = one(('uuid', 'uuid', 'both', 'saiz'))
        self.place = one(('senc', 'data', 'runs', 'behind', 'front'))
        self.saio_64, self.typed, self.typed_offsets = yes(), yes(), yes()
        self.groups = one((None, None, 'local', 'shared', 'default', 'packed', 'from one'))
        self.sgpd = one((0, 1, 1, 2))
        self.lead = one((None, None, 'entry', 'group', 'subsamples'))
        self.base = one(('moof', 'moof', 'offset', 'zero', 'none'))
        self.trafs, self.truns = one((1, 1, 2)), one((1, 2, 3))
        self.noise, self.large = yes(), yes(0.3)
        self.moov_first, self.wide = yes(), yes()
        # Samples without bytes; a track that is clear; a tenc that protects
        # nothing, so that all is in groups; the clear entry in front; senc in trak;
        # a senc that has the track's parameters in it; boxes of other uses.
        self.empty, self.clear_track, self.idle = yes(0.2), yes(0.2), yes(0.3)
        self.clear_first, self.high, self.override, self.others = yes(), yes(0.3), yes(0.3), yes()
        self.compact, self.short, self.cut_runs = yes(0.3), yes(), yes()
        # Who wrote it, where that says whether cut runs are encrypted.
        self.writer = one((None, None, 'v2.2.1-d3b3bfa-release', 'v2.3.0-5bf8ad5-release'))
        if self.writer:
            self.cut_runs = self.writer.startswith('v2.3')
        self.keys = {}

    def yes(self, share=0.5):
        return self.rng.random() < share

    def bytes(self, size):
        return self.rng.randbytes(size)

    def some_noise(self):
        return self.rng.choice(NOISE) if self.noise else b''

    def box(self, kind, *parts):
        return (large_box if self.large and self.yes(0.3) else box)(kind, *parts)

    def full_box(self, kind, version, flags, *parts):
        return self.box(kind, u32(version << 24 | flags), *parts)

    def shuffled(self, *parts):
        parts = [p for p in parts if p]
        self.rng.shuffle(parts)
        return [p + self.some_noise() for p in parts]

    # --- what protects ---

    def protection(self):
        kid = self.bytes(16).hex()
        self.keys[kid] = self.bytes(16)
        scheme = self.scheme.split('-')[0]
        cipher = 'cbc' if scheme[:3] == 'cbc' or self.scheme == 'piff-cbc' else 'ctr'
        pattern = (0, 0)
        if scheme in ('cens', 'cbcs'):
            pattern = self.rng.choice(((0, 0), (1, 9), (1, 9), (10, 0), (2, 8), (5, 5), (1, 1), (15, 15), (3, 1)))
        size, constant = self.rng.choice((8, 8, 16)), b''
        if cipher == 'cbc' and self.yes(0.7):
            size = 16
        if scheme == 'cbcs' and self.yes(0.7):
            size, constant = 0, self.bytes(self.rng.choice((8, 16)))
        return Protection(scheme, cipher, pattern, size, constant, kid, self.cut_runs)

    def split(self, size):
        """Subsamples that add up; None: the whole sample."""
        if size < 40 or not self.subsampled:
            return None
        found = []
        while size > 0 and len(found) < 8:
            clear = min(size, self.rng.choice((0, 5, 33, self.rng.randrange(300))))
            rest = size - clear
            protected = rest if self.yes(0.4) else self.rng.randrange(rest + 1)
            if self.scheme != 'cbcs' and self.yes(0.8):
                protected -= protected % 16
            found.append((clear, protected))
            size = rest - protected
        while size:
            found.append((min(size, 65535), 0))
            size -= found[-1][0]
        return found

    def protect(self, piece, protection):
        said = Sample(0, len(piece.clear), piece.entry, protection, self.bytes(protection.iv_size))
        if protection.cipher == 'ctr' and self.yes(0.1):
            said.iv = said.iv[:-8] + b'\xff' * 7 + b'\xfe'
        said.subsamples = self.split(said.size)
        if said.subsamples is None and self.subsampled:
            said.subsamples = [(0, said.size)]
        if self.yes(0.05) and self.subsampled:
            said.subsamples = [(said.size, 0)]
        piece.said, piece.stored = said, encrypted(said, piece.clear, self.keys[protection.kid])


@dataclasses.dataclass
class Track:
    id: int
    lot: Lot
    media: object
    pieces: list

    def __post_init__(self):
        lot = self.lot
        lot.subsampled = lot.yes(0.7)
        self.subsampled = lot.subsampled
        self.own = lot.protection()
        self.is_clear = lot.clear_track and len(self.media.tracks) > 1 and self.id == max(self.media.tracks)
        if lot.empty:
            for piece in self.pieces[3::5]:
                piece.clear = b''
        self.other = dataclasses.replace(lot.protection(), pattern=self.own.pattern)
        count = len(self.pieces)
        # Entry 1 is wrapped, 2 clear, 3 wrapped with another key.
        self.groups = []
        if lot.groups:
            self.groups = [lot.protection() for _ in range(lot.rng.choice((1, 2, 3)))]
        if lot.lead == 'group' and self.groups:
            self.groups.append(None)
        if lot.sgpd == 0 and len({len(self.seig(g)) for g in self.groups}) > 1:
            lot.sgpd = 1    # entries of different sizes
        lead = lot.rng.randrange(count)
        # Numbers of entries: wrapped, clear, wrapped with another key.
        self.numbers = {1: 2, 2: 1, 3: 3} if (
            lot.clear_first and lot.lead == 'entry' and not self.is_clear) else {1: 1, 2: 2, 3: 3}
        self.idle = bool(self.groups) and lot.idle and lot.groups != 'default'
        for i, piece in enumerate(self.pieces):
            self.describe(piece, i, lead)
            protection = (None if self.idle else self.own, None, self.other)[piece.entry - 1]
            if self.is_clear:
                piece.entry, piece.group, protection = 1, None, None
            elif piece.entry != 2 and piece.group is not None:
                protection = self.groups[piece.group]
            piece.stored = piece.clear
            if protection:
                lot.protect(piece, protection)
                if i < lead and lot.lead == 'subsamples' and lot.subsampled:
                    piece.said.subsamples, piece.stored = [(len(piece.clear) % 65536, 0)], piece.clear
                    if len(piece.clear) >= 65536:
                        piece.said.subsamples.insert(0, (65535, 0))
                        piece.said.subsamples[1] = (len(piece.clear) - 65535, 0)

    def describe(self, piece, number, lead):
        lot = self.lot
        if lot.lead == 'entry' and number < lead:
            piece.entry = 2
        elif lot.lead == 'entry' and number > (lead + len(self.pieces)) // 2:
            piece.entry = 3
        if not self.groups:
            return
        if lot.groups == 'default':
            piece.group = 0
        elif None in self.groups and number < lead:
            piece.group = len(self.groups) - 1
        else:
            piece.group = (None, *range(len(self.groups)))[number // 3 % (len(self.groups) + 1)]
            if piece.group is not None and self.groups[piece.group] is None:
                piece.group = None

    # --- boxes ---

    def tenc(self, protection):
        if self.idle and protection is self.own:
            return self.lot.full_box(b'tenc', 0, 0, bytes(20))
        iv = bytes([len(protection.constant_iv)]) + protection.constant_iv if protection.iv_size == 0 else b''
        kid = bytes.fromhex(protection.kid)
        crypt, skip = protection.pattern
        if protection.scheme == 'piff':
            algorithm = 1 if protection.cipher == 'ctr' else 2
            if self.lot.yes(0.8) or protection.cipher == 'cbc':
                return self.lot.box(b'uuid', PIFF_TENC, u32(0, algorithm << 8 | protection.iv_size), kid)
            return self.lot.full_box(b'tenc', 0, 0, b'\0\0\1', bytes([protection.iv_size]), kid)
        version = 1 if crypt or skip or self.lot.yes() else 0
        return self.lot.full_box(b'tenc', version, 0, bytes([0, crypt << 4 | skip, 1, protection.iv_size]), kid, iv)

    def entry(self, clear, protection):
        """A sample entry as it is, or wrapped."""
        if protection is None:
            return clear
        lot = self.lot
        scheme = lot.full_box(b'schm', 0, 0, protection.scheme.encode(), u32(0x10000))
        sinf = lot.box(b'sinf', *lot.shuffled(lot.box(b'frma', clear[4:8]), scheme,
                                              lot.box(b'schi', lot.some_noise(), self.tenc(protection))))
        kind = b'encv' if clear[4:8] in (b'avc1', b'hvc1', b'hev1', b'vp09', b'av01') else b'enca'
        return box(kind, clear[8:], lot.some_noise(), sinf, lot.some_noise())

    def stsd(self, clear):
        entries = [self.entry(clear, p) for p in (self.own, None, self.other)]
        if self.is_clear:
            entries = [clear]
        elif self.lot.lead != 'entry':
            entries = entries[:1]
        elif self.lot.clear_first:
            entries[:2] = reversed(entries[:2])
        return self.lot.full_box(b'stsd', 0, 0, u32(len(entries)), *entries)

    def seig(self, protection):
        if protection is None:
            return bytes([0, 0, 0, 0]) + bytes(16)
        crypt, skip = protection.pattern
        iv = bytes([len(protection.constant_iv)]) + protection.constant_iv if protection.iv_size == 0 else b''
        return bytes([0, crypt << 4 | skip, 1, protection.iv_size]) + bytes.fromhex(protection.kid) + iv

    def sgpd(self):
        entries = [self.seig(g) for g in self.groups]
        version, same = self.lot.sgpd, len(set(map(len, entries))) == 1 and self.lot.yes(0.7)
        if self.lot.groups == 'default':
            version = 2
        head = u32(len(entries[0]) if same else 0) if version else b''
        head += u32(1 if self.lot.groups == 'default' else 0) if version == 2 else b''
        body = b''.join((b'' if same or not version else u32(len(e))) + e for e in entries)
        return self.lot.full_box(b'sgpd', version, 0, b'seig', head, u32(len(entries)), body)

    def sbgp(self, pieces, local):
        """Which group each sample is in, as sbgp or csgp."""
        first = 0x10001 if local and self.lot.groups != 'from one' else 1
        numbers = [0 if p.group is None else first + p.group for p in pieces]
        if self.lot.groups == 'packed':
            halves = [numbers[:len(numbers) // 2], numbers[len(numbers) // 2:]]
            flags = 2 << 4 | 2 << 2 | 3     # 16 bits of length and of count, 32 of index
            patterns = b''.join(struct.pack('>HH', len(h), len(h)) for h in halves if h)
            if local:
                flags |= 0x80
                numbers = [0x80000000 | n - 0x10000 if n else 0 for n in numbers]
            count = sum(1 for h in halves if h)
            return self.lot.full_box(b'csgp', 0, flags, b'seig', u32(count), patterns, u32(*numbers))
        runs = []
        for number in numbers:
            if runs and runs[-1][1] == number:
                runs[-1][0] += 1
            else:
                runs.append([1, number])
        while runs and runs[-1][1] == 0:
            runs.pop()
        version = self.lot.rng.choice((0, 1))
        return self.lot.full_box(b'sbgp', version, 0, b'seig', u32(7) if version else b'', u32(len(runs)),
                                 *(u32(*r) for r in runs))

    def group_boxes(self, pieces, local):
        found = []
        if self.lot.others:
            found += [full_box(b'sgpd', 1, 0, b'roll', u32(2, 1), b'\xff\xff'),
                      full_box(b'sbgp', 0, 0, b'roll', u32(1, 1, 1))]
        if not self.groups or self.is_clear:
            return found
        found += [self.sgpd()] if local or pieces is None else []
        if pieces is not None and self.lot.groups != 'default':
            found.append(self.sbgp(pieces, local))
        return found

    # --- auxiliary information ---

    def item(self, piece):
        said = piece.said
        if said is None:
            return b''
        subsamples = b''
        if self.subsampled:
            subsamples = struct.pack('>H', len(said.subsamples)) + b''.join(
                struct.pack('>HI', *pair) for pair in said.subsamples)
        return said.iv + subsamples

    def senc(self, pieces):
        """The box, and where its first item is in it."""
        items = []
        for piece in pieces:
            # What stands for a clear sample: nothing, or a count of no subsamples.
            items.append(self.item(piece) if piece.said else b'\0\0' if self.subsampled and self.lot.counted else b'')
        flags, own = 2 if self.subsampled else 0, b''
        if (self.lot.override and self.lot.aux == 'uuid' and self.lot.scheme.startswith('piff') and
                pieces[0].entry != 2 and len({p.entry for p in pieces}) == 1):
            used = {1: self.own, 3: self.other}[pieces[0].entry]
            algorithm = 1 if used.cipher == 'ctr' else 2
            flags, own = flags | 1, u32(algorithm << 8 | used.iv_size) + bytes.fromhex(used.kid)
        count = len(pieces)
        if self.lot.protected_only and not own:
            count = sum(piece.said is not None for piece in pieces)     # as GPAC
        body = u32(flags) + own + u32(count) + b''.join(items)
        made = self.lot.box(b'uuid', PIFF_SENC, body) if self.lot.aux == 'uuid' else self.lot.box(b'senc', body)
        return made, len(made) - len(body) + 8 + len(own)

    def saiz(self, pieces):
        sizes = [len(self.item(p)) for p in pieces]
        while (self.lot.short and pieces[len(sizes) - 1].said is None and self.lot.aux == 'saiz' and
               self.lot.place != 'runs'):
            sizes.pop()
        same = len(set(sizes)) == 1 and sizes[0] and self.lot.yes(0.7)
        head = self.own.scheme.encode() + u32(0) if self.lot.typed else b''
        return self.lot.full_box(b'saiz', 0, int(self.lot.typed), head, bytes([sizes[0] if same else 0]),
                                 u32(len(sizes)), b'' if same else bytes(sizes))

    def saio(self, offsets):
        head = self.own.scheme.encode() + u32(0) if self.lot.typed_offsets else b''
        wide = self.lot.saio_64
        return self.lot.full_box(b'saio', int(wide), int(self.lot.typed_offsets), head, u32(len(offsets)),
                                 struct.pack(f">{len(offsets)}{'Q' if wide else 'I'}", *offsets))

    def needs_aux(self, pieces):
        return any(self.item(p) for p in pieces)

    def fits_saiz(self, pieces):
        return all(len(self.item(p)) < 256 for p in pieces)
