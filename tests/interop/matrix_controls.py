# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges the matrix's judges: each has to reject what is not right. Files whose
samples are those of the clear one but for a key, a bit, or what protects them."""
import dataclasses

import boxes
import matrix_judges
import matrix_plan
import reference
import untouched
from media import Media
from tools import Rejected

WRONG = 'f' * 32


@dataclasses.dataclass
class WrongKeys(matrix_judges.Files):
    def keys(self, kind):
        return dict.fromkeys(super().keys(kind), WRONG)


def patched(made, change):
    """The case with each sample of each file changed: change (sample, its bytes, the
    clear bytes) gives others."""
    for protected, clear, _ in made.files:
        there, wanted = Media(protected), Media(clear)
        out = bytearray(there.data)
        for kind in matrix_judges.KEYS:
            for sample, before in zip(there.of_kind(kind).samples, wanted.of_kind(kind).samples):
                new = change(sample, there.sample_bytes(sample), wanted.sample_bytes(before))
                out[sample.offset:sample.offset + sample.size] = new
        protected.write_bytes(out)
    return made


def one_bit(sample, data, _clear):
    """Turned over in the last byte that is encrypted."""
    at = reference.encrypted_pieces(sample)[-1][-1][1] - 1
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def in_the_clear(_sample, _data, clear):
    return clear


def expect_rejection(check, made, kinds):
    try:
        check(made, kinds)
    except (Rejected, boxes.Broken):
        return
    raise Rejected('passes what it should reject')


def expect_untouched_sees(path, directory):
    """A byte of a box that nobody has to touch is another one."""
    data = bytearray(path.read_bytes())
    data[data.index(b'mvhd') + 30] ^= 1
    out = directory / 'touched.mp4'
    out.write_bytes(data)
    try:
        untouched.expect(path, out, 'cenc')
    except Rejected:
        return
    raise Rejected('a changed mvhd is not seen')


def refusals(case):
    """case in each combination that the matrix leaves out."""
    return [dataclasses.replace(case, scheme=scheme, plan=keys, layout=layout)
            for scheme in matrix_plan.SCHEMES for layout in ('fragments by ffmpeg', *matrix_plan.PROGRESSIVE)
            for keys in matrix_plan.PLANS if matrix_plan.refused(scheme, layout, keys)]


def expect_refusal(case, sources):
    """An error, and nothing that looks like a file."""
    clear, _ = matrix_judges.source(case, sources)[0]
    out = sources.directory / 'refused.mp4'
    try:
        matrix_judges.encrypt(case, clear, out)
    except Rejected as error:
        if 'ERROR: from element' not in str(error):
            raise
        if out.exists() and out.stat().st_size:
            raise Rejected('refused, but there is a file') from error
        return
    raise Rejected('is not refused')


def plan(case, sources):
    """[(name, check)] on files of that case, each made anew."""
    kinds = list(matrix_judges.KEYS)
    found = []
    for judge in matrix_judges.JUDGES:
        if judge.slow or not judge.here or judge.excuse(case, 'video') or judge.excuse(case, 'audio'):
            continue

        def wrong(check=judge.check):
            made = matrix_judges.make(case, sources)
            expect_rejection(check, WrongKeys(**vars(made)), kinds)

        def broken(check=judge.check):
            expect_rejection(check, patched(matrix_judges.make(case, sources), one_bit), kinds)

        found += [(f'{judge.name} on a wrong key', wrong), (f'{judge.name} on one bit a sample', broken)]

    def pretended():
        made = patched(matrix_judges.make(case, sources), in_the_clear)
        expect_rejection(matrix_judges.check_reference, made, kinds)

    def touched():
        made = matrix_judges.make(case, sources)
        expect_untouched_sees(made.files[0][1], made.directory)

    found += [(f'cencencrypt refuses {other.scheme}, {other.layout}, {other.plan}', lambda c=other: expect_refusal(c, sources))
              for other in refusals(case)]
    return found + [('reference on clear samples under a label', pretended), ('untouched on another byte', touched)]
