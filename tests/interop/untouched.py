# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether a file that was encrypted and decrypted has every byte that neither of
the two had to touch: everything but what protects, which is `free` by then, and
numbers that say where other bytes are."""
import struct

import tools
from media import Media
from tools import Rejected

# What may stand there that the clear file has not: a sidx in front for players
# that need one, what was protection.
ADDED = (b'free', b'sidx', b'pssh', b'sbgp', b'sgpd')


def blanked(data, *ranges):
    out = bytearray(data)
    for begin, size in ranges:
        out[begin:begin + size] = bytes(size)
    return bytes(out)


def without_places(media, node):
    """A box's own bytes, with zeros for the numbers that say where others are."""
    data = media.data[node.body:node.end]
    flags = struct.unpack_from('>I', data)[0] & 0xffffff if len(data) >= 4 else 0
    if node.type in (b'stco', b'co64'):
        return data[4:8]
    if node.type == b'saio':
        return data[:16 if flags & 1 else 8]
    if node.type == b'tfhd':
        return struct.pack('>I', flags & ~0x20001) + data[4:8] + data[16 if flags & 1 else 8:]
    if node.type == b'trun':
        return struct.pack('>I', flags & ~1) + data[4:8] + data[12 if flags & 1 else 8:]
    if node.type == b'mfro':
        return b''
    if node.type == b'tfra':
        return data[:12]
    if node.type == b'sidx':
        wide = 8 if data[0] else 4
        first = 12 + 2 * wide + 4
        return blanked(data, (12 + wide, wide), *((at, 4) for at in range(first, len(data), 12)))
    return data


def skeleton(media, nodes):
    """[(type, bytes or skeleton)] of boxes, all but what may have been added."""
    found = []
    for node in nodes:
        kind = b'stco' if node.type == b'co64' else node.type
        if node.type in ADDED and not (node.type == b'free' and node.end - node.body < 32):
            continue
        if node.children:
            head = media.data[node.body:node.children[0].start]
            found.append((kind, head, skeleton(media, node.children)))
        else:
            found.append((kind, without_places(media, node), []))
    return found


def first_difference(one, other, path=''):
    """Where two skeletons differ; None: nowhere. Of one, a box of the kinds that
    may be added has to be in the other too, in its place."""
    rest = list(other)
    for kind, data, inner in one:
        while rest and rest[0][0] in ADDED and (kind, data) != rest[0][:2]:
            rest.pop(0)
        if not rest:
            return f'{path}/{kind.decode()}: is not there'
        name, got, got_inner = rest.pop(0)
        if kind != name:
            return f'{path}/{kind.decode()}: {name.decode()} stands there'
        if data != got:
            return f'{path}/{kind.decode()}: {len(data)} bytes are not what they were'
        below = first_difference(inner, got_inner, f'{path}/{kind.decode()}')
        if below:
            return below
    more = [kind.decode() for kind, _, _ in rest if kind not in ADDED]
    return f'{path}: {more} more' if more else None


def auxiliary(media):
    """Where saio leads to, by saiz: the bytes of each track's auxiliary information,
    of other types than those of encryption."""
    found = []
    parents = [(t.stbl, 0) for t in media.tracks.values()]
    parents += [(traf, media.bases[traf.start]) for traf in media.top.all(b'moof', b'traf')]
    for parent, base in parents:
        for saiz, saio in zip(parent.all(b'saiz'), parent.all(b'saio')):
            at = saiz.body + 4 + 8 * (media.u32(saiz.body) & 1)
            places = saio.body + 4 + 8 * (media.u32(saio.body) & 1)
            size, wide = media.u8(at) * media.u32(at + 1), media.u8(saio.body)
            for i in range(media.u32(places)):
                place = media.u64(places + 4 + 8 * i) if wide else media.u32(places + 4 + 4 * i)
                # More than one: up to where the shortest could end.
                found.append(media.data[base + place:][:size if media.u32(places) == 1 else media.u8(at)])
    return found


def with_brand(boxes):
    """What a file in fragments has to be as PIFF: its ftyp names that brand."""
    if not any(kind == b'moof' for kind, _, _ in boxes):
        return boxes
    return [(kind, data + b'piff' if kind == b'ftyp' and b'piff' not in data else data, inner)
            for kind, data, inner in boxes]


def expect(clear, path, scheme):
    """The file at path, which was encrypted in that scheme and decrypted, has what the clear one has."""
    wanted, got = Media(clear), Media(path)
    before = skeleton(wanted, wanted.top.children)
    different = first_difference(with_brand(before) if scheme.startswith('piff') else before,
                                 skeleton(got, got.top.children))
    if different:
        raise Rejected(different)
    if auxiliary(wanted) != auxiliary(got):
        raise Rejected('saio does not lead to what it led to')
    for one, other in zip(wanted.tracks.values(), got.tracks.values()):
        tools.expect_equal(f'track {one.id}: bytes of samples', [wanted.sample_bytes(s) for s in one.samples],
                           [got.sample_bytes(s) for s in other.samples])
