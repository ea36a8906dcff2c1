# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges of the matrix that no package registry has: GPAC and Bento4. Environment
variables say where their programs are, or these stand on PATH; who is not installed
is not asked, and the printed table says so."""
import os
import shutil

import tools

MP4BOX, MP4DECRYPT = ('CENC_GPAC', 'MP4Box'), ('CENC_MP4DECRYPT', 'mp4decrypt')
DRM = '<GPACDRM><CrypTrack trackID="*">{}</CrypTrack></GPACDRM>'


def find(program):
    """Where it is, or None."""
    variable, name = program
    return os.environ.get(variable) or shutil.which(name)


def mp4box(made, protected, out):
    """GPAC takes its keys from a file."""
    document = made.output('gpac.xml')
    keys = ''.join(f'<key KID="0x{kid}" value="0x{key}"/>' for kid, key in made.all_keys.items())
    document.write_text(DRM.format(keys), encoding='ascii')
    tools.run(find(MP4BOX), '-quiet', '-decrypt', document, protected, '-out', out)


def mp4decrypt(made, protected, out):
    """Bento4 knows keys by KID; those of PIFF by track."""
    keys = list(made.all_keys.items())
    if made.case.scheme.startswith('piff'):
        keys = [(number, made.only_key(kind)) for number, kind in enumerate(made.kinds_of(protected), 1)]
    tools.run(find(MP4DECRYPT), *(word for name, key in keys for word in ('--key', f'{name}:{key}')), protected, out)


def excuse_gpac(case, kind):
    if case.scheme.startswith('piff'):
        return 'encrypts PIFF, and does not decrypt it'
    if case.layout == 'fragments by mp4mux' and case.video == 'AV1':
        return 'refuses the av1C of mp4mux 1.22, which has no version'
    if case.layout == 'fragments by mp4mux' and case.audio == 'MP3':
        return 'refuses the MP3 of mp4mux 1.22'
    if getattr(case, kind) == 'Opus':
        return 'knows no Opus that is protected'
    if case.scheme == 'cens' and kind == 'audio':
        return 'takes the last partial block of a whole sample for encrypted; cens leaves it clear'
    return None


def excuse_bento4(case, kind):
    if not case.fragmented:
        return 'decrypts fragmented files only'
    if case.rotates:
        return 'knows no sample groups'
    if case.scheme == 'cens':
        return 'goes on with the pattern over the ranges of a sample, and takes partial blocks for encrypted'
    return None
