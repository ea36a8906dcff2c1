# SPDX-License-Identifier: LGPL-2.1-or-later
"""Decrypts by the standards' letter, independently of the code under test, and
says of every block that a scheme encrypts whether it is clear. Slow and simple:
AES on single blocks by OpenSSL, everything else here."""
import ctypes
import ctypes.util
import functools

from boxes import require

BLOCK = 16


@functools.lru_cache(maxsize=None)
def library():
    crypto = ctypes.CDLL(ctypes.util.find_library('crypto'))
    crypto.EVP_CIPHER_CTX_new.restype = crypto.EVP_aes_128_ecb.restype = ctypes.c_void_p
    return crypto


def aes(key, blocks, encrypt):
    """AES-128 on each block of 16 bytes by itself."""
    crypto = library()
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    out, length = ctypes.create_string_buffer(len(blocks) + BLOCK), ctypes.c_int()
    done = (crypto.EVP_CipherInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_128_ecb()), None, key, None,
                                     int(encrypt)) and
            crypto.EVP_CIPHER_CTX_set_padding(context, 0) and
            crypto.EVP_CipherUpdate(context, out, ctypes.byref(length), blocks, len(blocks)))
    crypto.EVP_CIPHER_CTX_free(context)
    require(done and length.value == len(blocks), 'AES failed')
    return out.raw[:len(blocks)]


def xor(one, other):
    size = len(one)
    return (int.from_bytes(one, 'big') ^ int.from_bytes(other[:size], 'big')).to_bytes(size, 'big')


def keystream(key, iv, size):
    """The counter is the low half of the block, and wraps there without a carry."""
    iv = iv.ljust(BLOCK, b'\0')
    counter = int.from_bytes(iv[8:], 'big')
    counters = b''.join(iv[:8] + ((counter + i) % (1 << 64)).to_bytes(8, 'big')
                        for i in range((size + BLOCK - 1) // BLOCK))
    return aes(key, counters, True)


def cbc(key, iv, data):
    return xor(aes(key, data, False), iv.ljust(BLOCK, b'\0') + data) if data else b''


def pattern_pieces(begin, end, pattern, cut_runs=True):
    """The (begin, end) of what a pattern encrypts of a range: whole blocks.
    cut_runs: of a last run that the range cuts short too."""
    crypt, skip = pattern
    if not crypt or not skip:
        return [(begin, begin + (end - begin) // BLOCK * BLOCK)]
    pieces = []
    while begin + crypt * BLOCK <= end:
        pieces.append((begin, begin + crypt * BLOCK))
        begin += (crypt + skip) * BLOCK
    rest = max(0, end - begin) // BLOCK * BLOCK
    return pieces + ([(begin, begin + rest)] if cut_runs and rest else [])


def encrypted_pieces(sample):
    """For each chain of the cipher, the (begin, end) of the encrypted bytes of a
    sample: one chain a sample, but for cbcs, which starts anew each range."""
    protection, at, ranges = sample.protection, 0, []
    for clear, protected in sample.subsamples or [(0, sample.size)]:
        ranges.append((at + clear, at + clear + protected))
        at += clear + protected
    if protection.scheme == 'cbcs':
        return [pattern_pieces(*r, protection.pattern, protection.cut_runs) for r in ranges]
    if protection.scheme == 'cens':
        return [[p for r in ranges for p in pattern_pieces(*r, protection.pattern, protection.cut_runs)]]
    if protection.cipher == 'cbc':
        return [[p for r in ranges for p in pattern_pieces(*r, (0, 0))]]
    return [ranges]


def decrypted(sample, data, key):
    """data, a sample's bytes, decrypted with a key of 16 bytes."""
    if sample.protection is None:
        return data
    iv = sample.iv or sample.protection.constant_iv
    require(iv, f'the sample at {sample.offset} has no IV')
    out = bytearray(data)
    for chain in encrypted_pieces(sample):
        joined = b''.join(data[begin:end] for begin, end in chain)
        if sample.protection.cipher == 'cbc':
            plain = cbc(key, iv, joined)
        else:
            plain = xor(joined, keystream(key, iv, len(joined))) if joined else b''
        at = 0
        for begin, end in chain:
            out[begin:end] = plain[at:at + end - begin]
            at += end - begin
    return bytes(out)


def block_differences(sample, clear, protected):
    """Of the whole blocks that are encrypted: how many are, and how many of
    them have their clear bytes."""
    blocks = same = 0
    for chain in encrypted_pieces(sample):
        for begin, end in chain:
            for at in range(begin, end - BLOCK + 1, BLOCK):
                blocks += 1
                same += clear[at:at + BLOCK] == protected[at:at + BLOCK]
    return blocks, same


def counters(sample):
    """The (upper half, first, behind the last) counter blocks that a sample in CTR
    takes, in pieces that do not wrap."""
    iv = (sample.iv or sample.protection.constant_iv).ljust(BLOCK, b'\0')
    size = sum(end - begin for chain in encrypted_pieces(sample) for begin, end in chain)
    first, count = int.from_bytes(iv[8:], 'big'), (size + BLOCK - 1) // BLOCK
    wrapped = max(0, first + count - (1 << 64))
    return [(iv[:8], first, first + count - wrapped)] + ([(iv[:8], 0, wrapped)] if wrapped else [])


def expect_fresh(samples):
    """No block of the key stream, and in CBC no IV of a sample, is used twice
    under one key."""
    by_kid = {}
    for sample in samples:
        if sample.protection and sample.size:
            by_kid.setdefault(sample.protection.kid, []).append(sample)
    for kid, mine in by_kid.items():
        if mine[0].protection.cipher == 'ctr':
            taken = sorted(piece for sample in mine for piece in counters(sample))
            for one, other in zip(taken, taken[1:]):
                require(one[0] != other[0] or one[2] <= other[1], f'KID {kid}: a counter is used twice')
        elif mine[0].protection.iv_size:
            ivs = [sample.iv for sample in mine]
            require(len(set(ivs)) == len(ivs), f'KID {kid}: an IV is used twice')
